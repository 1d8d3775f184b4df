"""Events -> a stereo mix: sounds rendered once each, laid into windows, with the room they stand in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from pipeline.local_gateway.composer.instruments import PLAYERS, Strike
from pipeline.local_gateway.composer.performing import Event
from pipeline.local_gateway.composer.rooms import Room
from pipeline.local_gateway.composer.sound import SAMPLE_RATE, Samples

WINDOW: Final = 1 << 18  # 6 s: what is mixed at a time, so that ten minutes need no more memory than two
MOST_REMEMBERED: Final = 128 << 20  # bytes of sounds


@dataclass(frozen=True, slots=True)
class Pump:
    """How pads give way to the kick: `depth` of their level, recovering over a beat."""

    depth: float
    beat_s: float


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


def mixed(events: list[Event], frames: int, room: Room, pump: Pump, *, circular: bool) -> Samples:
    """The mix, (2, frames). `circular`: what rings on at the end is heard at the beginning, as when it loops."""
    mix = np.zeros((2, frames), np.float32)
    renderer = Renderer()
    for start, due in _windows(events, frames, circular=circular):
        _overlay(mix, room.heard(*_laid(due, renderer, pump, start)), start, circular=circular)
    return mix


def _windows(events: list[Event], frames: int, *, circular: bool) -> Iterable[tuple[int, list[Event]]]:
    """Each window's start, and the events that begin in it. In a loop what comes before its start belongs to its end."""
    windows: dict[int, list[Event]] = {}
    for event in events:
        at = event.frame % frames if circular and event.frame < 0 else event.frame
        if at < frames:
            windows.setdefault(at // WINDOW, []).append(event if at == event.frame else _moved(event, at))
    return ((number * WINDOW, due) for number, due in sorted(windows.items()))


def _moved(event: Event, frame: int) -> Event:
    return Event(frame, event.strike, event.left, event.right, event.send, event.ducked)


def _laid(events: list[Event], renderer: Renderer, pump: Pump, start: int) -> tuple[Samples, Samples]:
    """The dry sound of some events and what they send into the room, each (2, as long as they ring)."""
    sounds = [renderer.sound(event.strike) for event in events]
    length = max(event.frame - start + sound.shape[-1] for event, sound in zip(events, sounds, strict=True))
    dry, sent = np.zeros((2, length), np.float32), np.zeros((2, length), np.float32)
    curve = _pumping(pump, start, length) if pump.depth else None
    for event, sound in zip(events, sounds, strict=True):
        first = event.frame - start
        last = first + sound.shape[-1]
        placed = sound * np.array([[event.left], [event.right]], np.float32)
        if curve is not None and event.ducked:
            placed *= curve[first:last]
        dry[:, first:last] += placed
        if event.send:
            sent[:, first:last] += placed * np.float32(event.send)
    return dry, sent


def _pumping(pump: Pump, start: int, length: int) -> Samples:
    """A gain that falls on every beat and comes back before the next."""
    beats = (np.arange(start, start + length) / (SAMPLE_RATE * pump.beat_s)) % 1.0
    return (1.0 - pump.depth * np.exp(-4.5 * beats) * np.minimum(beats * 60, 1.0)).astype(np.float32)


def _overlay(mix: Samples, sound: Samples, start: int, *, circular: bool) -> None:
    """Add `sound` from `start` on; what passes the end is dropped, or comes round."""
    frames = mix.shape[1]
    while sound.shape[1]:
        piece = sound[:, : frames - start]
        mix[:, start : start + piece.shape[1]] += piece
        if not circular:
            return
        sound, start = sound[:, piece.shape[1] :], 0
