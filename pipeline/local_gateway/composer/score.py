"""A piece as it's written down: notes in beats, before anybody plays them."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Note:
    """One note. Beats count from its passage's start until the passage is laid into the score."""

    beat: float
    beats: float  # how long it's held
    pitch: int  # MIDI
    velocity: float  # 0 to 1
    colour: str = ""  # the drum of a kit, the syllable of a voice, the way a string is played
    lag_s: float = 0.0  # after the beat: a strum's later strings

    def later(self, beats: float) -> Note:
        return replace(self, beat=self.beat + beats)

    def louder(self, factor: float) -> Note:
        return replace(self, velocity=min(1.0, max(0.05, self.velocity * factor)))


@dataclass(frozen=True, slots=True)
class Part:
    """What one player has before them."""

    role: str
    instrument: str
    notes: tuple[Note, ...]
    level_db: float = 0.0
    pan: float = 0.0  # -1 left, 1 right


@dataclass(frozen=True, slots=True)
class Score:
    parts: tuple[Part, ...]
    beats: float  # where the last passage ends; a loop begins again there
