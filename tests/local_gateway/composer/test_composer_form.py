"""How long everything lasts."""

from __future__ import annotations

import pytest

from pipeline.local_gateway.composer.form import phrases, shaped
from pipeline.local_gateway.composer.reading import read
from pipeline.local_gateway.composer.sketch import sketch_of


def form_of(prompt, duration_s):
    return shaped(sketch_of(read(prompt), prompt, 0), duration_s)


@pytest.mark.parametrize("bars", range(1, 161))
def test_phrases_fill_any_number_of_bars(bars):
    """Whatever the length, the phrases add up to it, begin with the first idea and end with it."""
    plan = phrases(bars)
    assert sum(length for _, length in plan) == bars
    assert plan[0][0] == plan[-1][0] == "A"


@pytest.mark.parametrize("duration_s", [1, 2, 3.7, 8, 15, 30, 61.5, 120, 600])
@pytest.mark.parametrize("prompt", ["slow 50 bpm", "rock 120 bpm", "waltz 150 bpm", "7/8 at 140 bpm"])
def test_sections_follow_each_other_to_the_last_chord(prompt, duration_s):
    """Sections leave no gap, the last chord comes after them, and has time to ring."""
    form, sketch = form_of(prompt, duration_s)
    at = 0.0
    for section in form.sections:
        assert section.beat == pytest.approx(at)
        at += section.bars * sketch.metre.beats
    ring_s = (form.beats - form.ending_beat) * sketch.beat_s
    assert form.sections[-1].label == "E"
    assert ring_s >= min(0.45, 0.22 * duration_s) - 1e-6
    assert (form.beats - form.skipped_beats) * sketch.beat_s == pytest.approx(duration_s)


def test_half_a_minute_has_introduction_theme_contrast_and_return():
    """A usual track has an introduction, an idea, another, the first again, and an ending."""
    form, _ = form_of("orchestral, 90 bpm", 30)
    assert [section.label for section in form.sections] == ["I", "A", "B", "A", "E"]


@pytest.mark.parametrize("duration_s", [2, 4, 8, 16, 30, 45, 60, 64, 90, 180])
@pytest.mark.parametrize("prompt", ["loop 120 bpm", "loop 90 bpm", "loop, lo-fi", "loop, waltz 132 bpm"])
def test_a_loop_is_whole_bars_and_comes_round_within_the_file(prompt, duration_s):
    """A loop's period is a whole number of bars, shorter than the file, and at least two fifths of it after repeats."""
    form, sketch = form_of(prompt, duration_s)
    bars = form.beats / sketch.metre.beats
    period_s = form.beats * sketch.beat_s
    assert form.ending_beat is None
    assert bars == round(bars) >= 1
    if duration_s >= 4 * sketch.bar_s:
        repeats = int((duration_s - sketch.bar_s) // period_s)
        assert repeats >= 1
        assert repeats * period_s >= 0.4 * duration_s


def test_a_loop_of_no_stated_tempo_fills_its_file_with_whole_bars():
    """Where the tempo is free it gives way, so that the file is a whole number of bars and loops by itself."""
    _, sketch = form_of("lo-fi loop", 30)
    bars = 30 / sketch.bar_s
    assert bars == pytest.approx(round(bars), abs=1e-6)


def test_a_stated_tempo_is_kept_in_a_loop():
    """A tempo given in numbers is not bent by more than a third of a percent."""
    _, sketch = form_of("loop 97 bpm", 30)
    assert sketch.tempo_bpm == pytest.approx(97, rel=0.003)
