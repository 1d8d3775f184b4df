"""Events -> a stereo mix: sounds rendered once each, laid side by side, and heard in their room window by window.

Ten minutes take no more memory than two but for the mix itself: what has sounded is let go, what still rings is carried
into the next window.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.local_gateway.composer.instruments import PLAYERS, Strike
from pipeline.local_gateway.composer.rooms import DELAY
from pipeline.local_gateway.composer.sound import SAMPLE_RATE, Samples, as_samples

if TYPE_CHECKING:
    from pipeline.local_gateway.composer.performing import Event
    from pipeline.local_gateway.composer.rooms import Room

SPARE: Final = 1 << 18  # frames by which lanes grow at least
MOST_REMEMBERED: Final = 128 << 20  # bytes of sounds


@dataclass(frozen=True, slots=True)
class Pump:
    """How pads give way to the beat: by `depth` of their level, back before the next."""

    depth: float
    beat_s: float

    def gain(self, start: int, frames: int) -> Samples:
        """The level of what gives way, from frame `start` on."""
        beats = as_samples(np.arange(start, start + frames) / (SAMPLE_RATE * self.beat_s) % 1.0)
        return as_samples(1.0 - self.depth * np.exp(-4.5 * beats) * np.minimum(60 * beats, 1.0))


class Renderer:
    """Renders each different strike once, or again if so much has sounded since that it was forgotten."""

    def __init__(self) -> None:
        self._known: dict[Strike, Samples] = {}
        self._bytes = 0

    def sound(self, strike: Strike) -> Samples:
        if strike not in self._known:
            sound = PLAYERS[strike.instrument](strike)
            self._known[strike] = sound
            self._bytes += sound.nbytes
            while self._bytes > MOST_REMEMBERED and len(self._known) > 1:
                self._bytes -= self._known.pop(next(iter(self._known))).nbytes
        return self._known[strike]


class Lanes:
    """What is still to be heard, from `now` on: steady and pumping sounds, each dry and as sent into the room."""

    def __init__(self, pump: Pump) -> None:
        self.now = 0
        self._pump = pump
        self._end = 0  # where the last sound ends, from now
        self._ahead = np.zeros((2, 2, 2, 0), np.float32)  # (steady or pumping, dry or sent, channel, frame)

    @property
    def ringing(self) -> bool:
        return self._end > 0

    def lay(self, event: Event, sound: Samples) -> None:
        """Add an event's sound where it belongs."""
        first = event.frame - self.now
        last = first + sound.shape[-1]
        self._reach(last)
        self._end = max(self._end, last)
        placed = sound * np.array([[event.left], [event.right]], np.float32)
        lane = self._ahead[int(event.pumping)]
        lane[0, :, first:last] += placed
        if event.send:
            lane[1, :, first:last] += placed * np.float32(event.send)

    def take(self, frames: int) -> tuple[Samples, Samples]:
        """The next `frames`, dry and sent, (2, frames) each; now is then after them."""
        self._reach(frames)
        steady, pumping = self._ahead[..., :frames]
        if self._pump.depth:
            steady = steady + pumping * self._pump.gain(self.now, frames)
        self._ahead = self._ahead[..., frames:]
        self._end -= frames
        self.now += frames
        return steady[0], steady[1]

    def _reach(self, frames: int) -> None:
        missing = frames - self._ahead.shape[-1]
        if missing > 0:
            more = np.zeros((2, 2, 2, max(missing, SPARE)), np.float32)
            self._ahead = np.concatenate((self._ahead, more), axis=-1)


def mixed(events: list[Event], frames: int, room: Room, pump: Pump, *, circular: bool) -> Samples:
    """The mix, (2, frames). `circular`: what rings on at the end is heard at the beginning, as when it loops."""
    mix = np.zeros((2, frames), np.float32)
    window = room.window(frames)
    due = _windows(events, frames, window, circular=circular)
    renderer, lanes = Renderer(), Lanes(pump)
    while lanes.now < frames or (circular and lanes.ringing):
        start = lanes.now
        for event in due.get(start // window, ()):
            lanes.lay(event, renderer.sound(event.strike))
        _overlay(mix, room.heard(*lanes.take(window)), start - DELAY, circular=circular)
    return mix


def _windows(events: list[Event], frames: int, window: int, *, circular: bool) -> dict[int, list[Event]]:
    """The events that begin in each window. What comes before a loop's start belongs to its end."""
    windows: dict[int, list[Event]] = {}
    for event in events:
        at = event.frame % frames if circular else max(0, event.frame)
        if at < frames:
            windows.setdefault(at // window, []).append(replace(event, frame=at))
    return windows


def _overlay(mix: Samples, sound: Samples, start: int, *, circular: bool) -> None:
    """Add `sound` from `start` on; what lies before the beginning or after the end is dropped, or comes round."""
    frames = mix.shape[1]
    if not circular:
        sound, start = sound[:, max(0, -start) : frames - start], max(0, start)
    start %= frames
    while sound.shape[1]:
        piece = sound[:, : frames - start]
        mix[:, start : start + piece.shape[1]] += piece
        sound, start = sound[:, piece.shape[1] :], 0
