"""The parts while they're being written: sections laid end to end, each played as people play."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from pipeline.local_gateway.composer.orchestra import PLAYERS
from pipeline.local_gateway.composer.score import Note, Part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.local_gateway.composer.form import Section
    from pipeline.local_gateway.composer.sketch import Sketch

LEVELS_DB: Final[dict[str, float]] = {
    "lead": 0.0, "voice": 2.0, "counter": -7.0, "chords": -6.5, "pad": -12.0, "bass": -2.5, "drums": -4.0,
    "percussion": -6.0, "texture": -19.0,
}  # fmt: skip
MECHANICAL: Final = frozenset({"kit machine", "kit chip", "kit eighties"})
STEADIER: Final = 0.6  # a bass player's timing beside the others'
WIDE_FROM: Final = 5  # parts: so many stand as far apart as they like


@dataclass(frozen=True, slots=True)
class Stand:
    """Where one player's music lies: the role, and which of its patterns if it has several."""

    role: str
    player: str
    pattern: str = ""


@dataclass
class Desk:
    """Collects what each stand plays."""

    sketch: Sketch
    notes: dict[Stand, list[Note]] = field(default_factory=dict)

    def add(self, stand: Stand, notes: Iterable[Note], section: Section) -> None:
        """Lay a section's notes into a part: at the section's place, at its strength, by human hands."""
        played = humanised(notes, self.sketch, stand, section)
        self.notes.setdefault(stand, []).extend(note.later(section.beat) for note in played)

    def parts(self) -> tuple[Part, ...]:
        """The parts at their levels and places: the fewer they are, the nearer the middle they stand."""
        spread = min(1.0, len(self.notes) / WIDE_FROM)
        return tuple(_part(stand, notes, spread) for stand, notes in self.notes.items())


def _part(stand: Stand, notes: list[Note], spread: float) -> Part:
    facts = PLAYERS[stand.player]
    level_db = LEVELS_DB[stand.role] + facts.level_db
    return Part(stand.role, stand.player, tuple(notes), level_db, facts.pan * spread)


def humanised(notes: Iterable[Note], sketch: Sketch, stand: Stand, section: Section) -> list[Note]:
    """The notes as people play them: a little early or late, never twice as loud, growing through the phrase.

    A section that returns is played the same way again.
    """
    chance = sketch.chance("hands", stand, section.label)
    loose_s = sketch.style.looseness_s * (STEADIER if stand.role == "bass" else 1.0) * (stand.player not in MECHANICAL)
    length = max(1.0, section.bars * sketch.metre.beats)
    played = []
    for note in notes:
        growth = 0.96 + 0.08 * note.beat / length
        touch = (0.68 + 0.36 * section.intensity) * growth * (1.0 + chance.bell(0.05))
        played.append(replace(note.louder(touch), lag_s=note.lag_s + chance.bell(loose_s)))
    return played
