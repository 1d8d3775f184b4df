"""Loops: their period to the sample, their ends joined, their intro where it was asked to be."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from audio_signals import composition, music, noise, repeated, silence, tone

from pipeline.audio import loop_search
from pipeline.audio.crossfade import crossfaded
from pipeline.audio.loop_alignment import align, correlation
from pipeline.audio.loop_search import usable_frames
from pipeline.audio.looping import looped
from pipeline.audio.seam import seam_of
from pipeline.audio.settings import Loop
from pipeline.audio.sound import Sound

RATE = 22_050


@cache
def a_loop(number: int) -> tuple[Sound, int]:
    """A source that repeats, and its period: other music, period, start and length for each number."""
    random = np.random.default_rng(number)
    loop = composition(random.uniform(6, 11), seed=number, rate=RATE)
    frames = round(random.uniform(1.9, 2.8) * loop.frames) + 4 * RATE
    return repeated(loop, frames, first=int(random.integers(loop.frames)), seed=number), loop.frames


@pytest.mark.long
def test_periods_are_found_to_the_sample():
    """In 9 of 10 pieces with a known period, with noise and a fade-out; and at most one of their seams is heard."""
    exact = heard = 0
    for number in range(10):
        source, period = a_loop(number)
        made = looped(source, Loop(min_s=0.9 * period / RATE))
        exact += made.sound.frames % period == 0 and made.repeats
        heard += seam_of(made.sound, 0, made.sound.frames).is_heard
    assert exact >= 9
    assert heard <= 1


@pytest.fixture(scope="module")
def source():
    """Two and a half times the same nine seconds."""
    return repeated(composition(9, seed=42, rate=RATE), round(22.4 * RATE), fade_s=3)


class TestLength:
    """How long a loop is."""

    def test_the_longest_among_equals(self, source):
        """Once round, or twice: as often as it is there before the fade-out."""
        assert looped(source, Loop()).sound.frames == 9 * RATE
        longer = repeated(composition(9, seed=42, rate=RATE), 31 * RATE, fade_s=3)
        assert looped(longer, Loop()).sound.frames == 18 * RATE

    def test_long_music_is_searched_in_coarser_steps(self, source, monkeypatch):
        """Time and memory are bounded, and the period is still found to the sample."""
        monkeypatch.setattr(loop_search, "_MOST_MOMENTS", 150)
        assert len(loop_search.search_in(source.samples.mean(axis=1), RATE).levels) <= 160
        assert looped(source, Loop()).sound.frames == 9 * RATE

    def test_at_least_what_was_asked(self, source):
        """40 % of what the generator was asked for, or `min`; what is not there is said to be missing."""
        assert looped(source, Loop(), asked_s=22.4).warnings == ()
        made = looped(source, Loop(min_s=60))
        (warning,) = made.warnings
        assert warning.code == "loop_short"
        assert "and at least 60.0 were asked" in warning.message
        assert looped(source, Loop(min_s=10)).sound.duration_s >= 10
        assert looped(source, Loop(), asked_s=30).sound.duration_s >= 12

    def test_never_in_the_fade_out(self, source):
        """The end is as loud as the start."""
        made = looped(source, Loop(min_s=15)).sound.samples
        head, tail = (np.sqrt(np.mean(part**2)) for part in (made[:RATE], made[-RATE:]))
        assert abs(20 * np.log10(head / tail)) < 6

    @pytest.mark.parametrize("fade_s", [2, 4, 8])
    def test_fade_outs_are_seen(self, fade_s):
        """A fade of several seconds is left out, but for its first second, and an ending without one is all used."""
        loop = composition(8, seed=3, rate=RATE)
        faded = repeated(loop, 24 * RATE, fade_s=fade_s).samples.mean(axis=1)
        assert (24 - fade_s - 2) * RATE <= usable_frames(faded, RATE) <= (24 - 0.5 * fade_s + 0.5) * RATE
        assert usable_frames(repeated(loop, 24 * RATE, fade_s=0).samples.mean(axis=1), RATE) >= 23 * RATE


class TestIntro:
    """What is before the loop."""

    def test_drop(self, source):
        """The file is the loop."""
        made = looped(source, Loop())
        assert (made.start, made.sound.frames) == (0, 9 * RATE)

    @pytest.mark.parametrize("intro", ["keep", "split"])
    def test_keep_and_split(self, source, intro):
        """The file begins as its source does, unchanged until shortly before its end, and loops from there on."""
        made = looped(source, Loop(intro=intro))
        assert made.start > 0
        assert made.sound.frames - made.start == 9 * RATE
        untouched = made.sound.frames - round(made.crossfade_s * RATE)
        assert np.array_equal(made.sound.samples[:untouched], source.samples[:untouched])
        assert not np.array_equal(made.sound.samples[untouched:], source.samples[untouched : made.sound.frames])

    def test_where_there_is_none_it_is_said(self):
        """Half a second is all loop: nobody should wait for the intro's file."""
        made = looped(music(0.3), Loop(intro="split"))
        assert made.start == 0
        assert [warning.code for warning in made.warnings] == ["no_intro"]

    def test_the_way_into_the_loop_is_the_way_round(self, source):
        """What comes before the loop's start, and what comes before its end, lead to the same place."""
        made = looped(source, Loop(intro="keep"))
        before = made.sound.samples[made.start - 100 : made.start]
        assert made.sound.samples[-100:] == pytest.approx(before, abs=0.02)


class TestJoin:
    """Where the ends meet."""

    def test_the_ring_of_the_end_is_folded_onto_the_head(self):
        """A loop's first samples go on from its last ones, as the source did."""
        source, _ = a_loop(3)
        made = looped(source, Loop(crossfade_s=0.05)).sound.samples
        at = next(at for at in range(RATE, source.frames) if np.array_equal(source.samples[at - 50 : at], made[-50:]))
        assert made[0] == pytest.approx(source.samples[at], abs=2e-3)

    def test_a_crossfade_is_as_long_as_needed(self, source):
        """20 ms where both ends are the same, up to a second where they have nothing in common, and as asked."""
        assert looped(source, Loop()).crossfade_s == pytest.approx(0.02, abs=0.001)
        unlike = looped(noise(20, rate=RATE), Loop())
        assert unlike.crossfade_s > 0.5
        assert not unlike.repeats
        assert looped(source, Loop(crossfade_s=0.3)).crossfade_s == pytest.approx(0.3, abs=0.001)
        assert looped(source, Loop(crossfade_s=0.0)).crossfade_s == 0

    def test_a_crossfade_that_finds_no_room_says_so(self, source):
        """Never more than a quarter of the loop, nor than there is sound around its ends."""
        made = looped(source, Loop(crossfade_s=60.0))
        (warning,) = [warning for warning in made.warnings if warning.code == "crossfade_shortened"]
        assert warning.message.startswith(f"its ends are crossfaded over {made.crossfade_s:.3g} s, and 60 were asked")
        assert all(warning.code != "crossfade_shortened" for warning in looped(source, Loop(crossfade_s=0.3)).warnings)

    @pytest.mark.parametrize(
        ("leaving", "coming"),
        [
            pytest.param(noise(1, seed=1), noise(1, seed=2), id="nothing in common"),
            pytest.param(noise(1, seed=1), noise(1, seed=1), id="the same"),
            pytest.param(
                noise(1, seed=1), Sound((noise(1, seed=1).samples + noise(1, seed=2).samples) / 2**0.5, 44_100)
            ),
        ],
    )
    def test_a_crossfade_neither_dips_nor_swells(self, leaving, coming):
        """Whatever both sides have in common, the level is even within 0.3 dB."""
        mixed = crossfaded(leaving.samples, coming.samples)
        levels = 10 * np.log10((mixed**2).reshape(10, -1).mean(axis=1))
        assert levels == pytest.approx(np.full(10, -20), abs=0.3)

    def test_ends_without_anything_in_common_are_as_level_as_the_rest(self):
        """Noise is looped without a bump."""
        made = looped(noise(20, rate=RATE), Loop()).sound
        assert not seam_of(made, 0, made.frames).is_heard


class TestAlignment:
    """The end is moved to the sample."""

    @pytest.mark.parametrize("off", [-700, -1, 0, 1, 400, 771])
    def test_ends_up_to_35_ms_off_are_found(self, off):
        """Through noise, to the very sample."""
        source, period = a_loop(5)
        signal = source.samples.mean(axis=1)
        found = align(signal, 2 * RATE, 2 * RATE + period + off, RATE)
        assert found.end == 2 * RATE + period
        assert found.correlation > 0.98

    def test_without_room_nothing_is_moved(self):
        """At the very start there is nothing to compare."""
        assert align(np.ones(RATE, np.float32), 0, RATE // 2, RATE).end == RATE // 2

    def test_silence_has_nothing_in_common(self):
        """Not a number is no correlation."""
        assert correlation(np.zeros(10, np.float32), np.ones(10, np.float32)) == 0


@pytest.mark.parametrize(
    "sound",
    [
        silence(10, rate=RATE),
        silence(0.2),
        tone((-20, 5), rate=RATE),
        music(0.05),
        music(0.5, channels=1),
        music(3),
        Sound(np.ones((1, 1), np.float32), RATE),
        Sound(np.ones((2, 2), np.float32), RATE),
    ],
    ids=["silence", "short silence", "a tone", "50 ms", "half a second", "3 s", "a frame", "two frames"],
)
@pytest.mark.parametrize("loop", [Loop(), Loop(intro="keep"), Loop(min_s=1000), Loop(crossfade_s=9)], ids=str)
def test_everything_can_be_looped(sound, loop):
    """However short or dull: something is left, its points are within it, and every sample is a number."""
    made = looped(sound, loop)
    assert 0 <= made.start < made.sound.frames <= sound.frames
    assert np.isfinite(made.sound.samples).all()


class TestSeam:
    """What of a seam is heard."""

    loop = composition(8, seed=7, rate=RATE)

    def test_a_perfect_seam_is_seldom_over(self):
        """Wherever a perfect loop is cut, the seam is like the rest of it: over in about one of twenty."""
        heard = 0
        for first in range(0, self.loop.frames, self.loop.frames // 40):
            turned = Sound(np.roll(self.loop.samples, -first, axis=0), RATE)
            heard += seam_of(turned, 0, turned.frames).is_heard
        assert heard <= 6

    @pytest.mark.parametrize(
        ("what", "damage"),
        [
            ("sample_step", lambda samples: samples + np.linspace(0, 0.6, len(samples), dtype=np.float32)[:, None]),
            ("flux", lambda samples: np.concatenate([samples[:-2_000], samples[-2_000:] * 0])),
            ("level_step", lambda samples: np.concatenate([samples[:-900], samples[-900:] * 0.001])),
        ],
        ids=["a tick", "a note that is cut", "a hole"],
    )
    def test_a_bad_one_is_heard(self, what, damage):
        """By the figure that is made for it."""
        seam = seam_of(Sound(damage(self.loop.samples).astype(np.float32), RATE), 0, self.loop.frames)
        assert seam.is_heard
        assert getattr(seam, what) > 99

    def test_only_the_loop_counts(self):
        """What is before its start, and after its end, is not looked at."""
        around = noise(1, dbfs=0, rate=RATE).samples
        sound = Sound(np.concatenate([around, self.loop.samples, around]), RATE)
        assert seam_of(sound, RATE, RATE + self.loop.frames) == seam_of(self.loop, 0, self.loop.frames)

    def test_silence_has_no_seam(self):
        """Nothing is below nothing."""
        seam = seam_of(silence(1), 0, 44_100)
        assert (seam.flux, seam.sample_step, seam.level_step, seam.is_heard) == (0, 0, 0, False)
