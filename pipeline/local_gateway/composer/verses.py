"""The words of a song, handed out line by line, and each line set to notes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pipeline.local_gateway.composer.melody import fitted
from pipeline.local_gateway.composer.passages import as_notes
from pipeline.local_gateway.composer.singing import rhythm_for

if TYPE_CHECKING:
    from pipeline.local_gateway.composer.passages import Passage
    from pipeline.local_gateway.composer.score import Note
    from pipeline.local_gateway.composer.singing import Syllable

SHORT_BAR_S: Final = 1.6  # of bars shorter than this a line takes four, else two


class Verses:
    """The lines of the lyrics, in order, from the top again when they're through."""

    def __init__(self, lines: tuple[tuple[Syllable, ...], ...]) -> None:
        self.lines = lines
        self._next = 0

    def set_to(self, passage: Passage) -> list[Note]:
        """As many lines as the passage has room for, sung."""
        span = min(passage.section.bars, 4 if passage.sketch.bar_s < SHORT_BAR_S else 2)
        starts = range(0, passage.section.bars, span)
        return [note for bar in starts for note in self._line(passage, bar, min(span, passage.section.bars - bar))]

    def _line(self, passage: Passage, bar: int, bars: int) -> list[Note]:
        line = self.lines[self._next % len(self.lines)]
        self._next += 1
        sketch, size = passage.sketch, passage.sketch.metre.beats
        rhythm = rhythm_for(len(line), bars * size, sketch.metre, sketch.beat_s)
        placed = tuple((bar * size + beat, beats) for beat, beats in rhythm)
        tones = fitted(placed, passage.ground("voice", "voice"), sketch.chance("sung", passage.section.label))
        notes = as_notes(tones, passage)
        return [replace(note, colour=syllable.colour) for note, syllable in zip(notes, line, strict=False)]
