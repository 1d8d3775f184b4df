"""What generators do wrong is found, and what they do right is not."""

from __future__ import annotations

import numpy as np
import pytest
from audio_signals import UNTOUCHED, composition, is_near, music, noise, save, silence, task_for, tone

from pipeline.audio.decoding import decode
from pipeline.audio.fades import faded
from pipeline.audio.faults import (
    find_clipping,
    find_ending,
    find_faults,
    find_gaps,
    find_length,
    find_mono_loss,
    find_offset,
    without_offset,
)
from pipeline.audio.finishing import finish
from pipeline.audio.gates import DEFAULT_ACTIONS, Finding, judge
from pipeline.audio.settings import Finishing, Loop, Loudness, Output
from pipeline.audio.sound import Sound
from pipeline.audio.tasks import AudioError
from pipeline.audio.twins import twin_correlation, twin_sources

RATE = 44_100


def joined(*sounds):
    return Sound(np.concatenate([sound.samples for sound in sounds]), sounds[0].sample_rate)


def ending(sound, asked_s=None, *, loops=False):
    return [finding.message for finding in find_ending(sound, asked_s, loops=loops)]


def test_music_that_is_right_has_no_findings():
    """Of the length that was asked, faded out, stereo, and below full scale."""
    assert find_faults(faded(composition(10), 0, 2), 10.0, loops=False) == []
    assert find_faults(faded(music(10, channels=1), 0, 2), None, loops=False) == []


@pytest.mark.parametrize(
    ("seconds", "asked_s", "found"),
    [
        (10, None, None),
        (10, 10, None),
        (9.6, 10, None),
        (10.4, 10, None),
        (9.4, 10, "mild"),
        (10.6, 10, "mild"),
        (30, 10, "mild"),
        (5, 10, "mild"),
        (4.9, 10, "grave"),
    ],
)
def test_length(seconds, asked_s, found):
    """More than 5 % off is worth a word, under half is no delivery."""
    findings = find_length(silence(seconds), asked_s)
    assert ["mild" if finding.is_mild else "grave" for finding in findings] == ([found] if found else [])


def test_length_says_both_lengths():
    """What came, and what was asked."""
    assert find_length(silence(4.5), 10.0) == [Finding("length", "4.5 s long, and 10 s were asked")]


class TestEnding:
    """How a source ends."""

    def test_silence_before_its_time(self):
        """The last tenth may be silent, no more."""
        assert ending(joined(music(8.9), silence(1.1)), 10.0) == ["silent after 8.9 s, and 10 s were asked"]
        assert ending(joined(faded(music(9.1), 0, 1), silence(0.9)), 10.0) == []

    @pytest.mark.parametrize("after_s", [0, 0.5])
    def test_a_cut(self, after_s):
        """As loud at the last as before it, whatever silence follows; a loop's ending is not kept, and may be a cut."""
        cut = joined(noise(5), silence(after_s))
        assert ending(cut, 5.0 + after_s) == [
            "cut off: as loud in its last 50 ms (-20 dBFS) as before; a fade_out would mend it"
        ]
        assert ending(cut, loops=True) == []

    @pytest.mark.parametrize("fade_s", [0.3, 2, 8])
    def test_a_fade_is_an_ending(self, fade_s):
        """Short or long."""
        assert ending(faded(noise(10), 0, fade_s)) == []

    def test_a_ring_that_dies_away_is_an_ending(self):
        """Slower than 6 dB a second, but faint by the time it ends."""
        decay = 10 ** (-np.arange(20 * RATE) / RATE * 2.5 / 20)
        assert ending(Sound((noise(20).samples * decay[:, np.newaxis]).astype(np.float32), RATE)) == []

    @pytest.mark.parametrize("sound", [silence(2), music(0.3), noise(1 / RATE)], ids=["silence", "a sting", "a frame"])
    def test_what_has_no_last_second_has_no_cut(self, sound):
        """Silence is another gate's question, and a sting is over before it could be cut."""
        assert ending(sound) == []


class TestGap:
    """Silence inside."""

    @pytest.mark.parametrize(("seconds", "found"), [(0.45, []), (0.63, ["0.6 s of silence at 3.0 s"])])
    def test_from_half_a_second_on(self, seconds, found):
        """Below -60 dBFS, with its place."""
        sound = joined(noise(3), noise(seconds, dbfs=-80), noise(3))
        assert [finding.message for finding in find_gaps(sound)] == found

    def test_silence_at_the_ends_is_no_gap(self):
        """It can be trimmed."""
        assert find_gaps(joined(silence(2), noise(3), silence(2))) == []
        assert find_gaps(silence(3)) == []

    def test_the_longest_is_named(self):
        """One finding for all of them."""
        (finding,) = find_gaps(joined(noise(1), silence(0.6), noise(1), silence(2), noise(1)))
        assert finding.message == "2.0 s of silence at 2.6 s"


class TestClipping:
    """Samples that stay at full scale."""

    @staticmethod
    def clipped(runs, length, channel=0):
        samples = noise(1).samples.copy()
        for run in range(runs):
            samples[1_000 * (run + 1) : 1_000 * (run + 1) + length, channel] = (-1) ** run
        return Sound(samples, RATE)

    @pytest.mark.parametrize(("runs", "length", "found"), [(3, 9, 0), (4, 2, 0), (4, 3, 1), (9, 100, 1)])
    def test_more_than_three_runs_of_three(self, runs, length, found):
        """Of either sign, in any channel."""
        for channel in (0, 1):
            assert len(find_clipping(self.clipped(runs, length, channel))) == found

    def test_full_scale_of_16_bits_is_full_scale(self, tmp_path):
        """The highest positive step is a little below one."""
        loud = Sound(music(1, gain_db=20).samples.clip(-1, 1), RATE)
        (file,) = finish(task_for(tmp_path, loud, Output("wav"), finishing=UNTOUCHED))
        assert find_clipping(decode(file.path))
        assert find_clipping(loud)

    @pytest.mark.parametrize("hertz", [50, 5_000])
    def test_nothing_but_full_scale_is_clipped(self, hertz):
        """A square wave: each of its runs follows the one of the other sign at once."""
        square = np.where(tone((0, 1), rate=RATE, hertz=hertz, phase_degrees=1).samples > 0, 1, -1)
        (finding,) = find_clipping(Sound(square.astype(np.float32), RATE))
        assert finding.message == f"clipped in {4 * hertz:,} places"

    def test_what_goes_over_full_scale_is_not_clipped(self):
        """A file of floats, or a decoded mp3, holds it whole."""
        assert find_clipping(tone((6, 1), hertz=100)) == []
        assert find_clipping(music(3, gain_db=20)) == []

    def test_peaks_at_full_scale_are_not_clipped(self):
        """A sine of full scale touches it, and stays for no three samples."""
        assert find_clipping(tone((0, 1), hertz=5_000)) == []


class TestMono:
    """What is left where both sides are played as one."""

    @pytest.mark.parametrize(
        ("right", "found"),
        [(1.0, False), (0.5, False), (0.0, False), (-0.1, True), (-1.0, True)],
    )
    def test_sides_that_cancel_each_other(self, right, found):
        """The same on both sides is fine, one silent side too; out of phase is not."""
        left = noise(1, channels=1).samples
        assert bool(find_mono_loss(Sound(np.concatenate([left, left * right], axis=1), RATE))) == found

    def test_it_says_how_much(self):
        """In dB, and the correlation."""
        left, side = noise(1, channels=1).samples, noise(1, channels=1, seed=2).samples
        (finding,) = find_mono_loss(Sound(np.concatenate([left, side - left], axis=1).astype(np.float32), RATE))
        assert finding.message.startswith("7.")
        assert finding.message.endswith("left and right correlate by -0.71")

    def test_mono_and_silence_have_nothing_to_lose(self):
        """One channel, or none to hear."""
        assert find_mono_loss(noise(1, channels=1)) == []
        assert find_mono_loss(silence(1)) == []


class TestOffset:
    """A mean that is not zero."""

    def test_is_found_and_taken_off(self):
        """Over 0.005 in either channel; taking it off leaves the rest as it was."""
        sound = noise(2)
        shifted = Sound(sound.samples + np.array([0.0, 0.02], np.float32), RATE)
        (finding,) = find_offset(shifted)
        assert finding.gate == "dc"
        assert finding.message.startswith("its mean is 0.0")
        assert find_offset(sound) == []
        assert is_near(without_offset(shifted).samples, sound.samples, within=1e-3)
        assert without_offset(sound) is sound

    def test_a_loop_loses_it(self, tmp_path):
        """By subtraction: a filter would have to begin somewhere. What does not loop keeps it."""
        shifted = Sound(noise(8).samples + np.float32(0.02), RATE)
        loudness = Loudness("none", None)
        for loop, mean in ((Loop(), 0.0), (None, 0.02)):
            finishing = Finishing(loop=loop, loudness=loudness)
            (file,) = finish(task_for(tmp_path, shifted, Output("wav"), gated=True, finishing=finishing))
            assert decode(file.path).samples.mean() == pytest.approx(mean, abs=1e-3)
            assert "dc" in [warning.code for warning in file.warnings]


class TestTwin:
    """Two takes that are one."""

    one = composition(6, seed=1)

    @pytest.mark.parametrize("shift", [0, 1, 5, 11_111, -30_000])
    def test_the_same_is_found_at_another_level_and_time(self, shift):
        """Through noise as well."""
        moved = np.roll(self.one.samples, shift, axis=0) * 0.4
        start, end = max(0, shift), self.one.frames + min(0, shift)
        other = Sound((moved + noise(6, dbfs=-60).samples)[start:end].astype(np.float32), RATE)
        assert twin_correlation(self.one, other) == pytest.approx(1.0, abs=0.01)

    def test_other_music_is_no_twin(self):
        """Nor is a take at another rate, nor silence."""
        assert twin_correlation(self.one, composition(6, seed=2)) is None
        assert twin_correlation(self.one, Sound(self.one.samples, 48_000)) is None
        assert twin_correlation(silence(1), silence(1)) is None

    def test_a_common_bar_is_not_enough(self):
        """They have to match over half of the shorter one."""
        other = Sound(np.concatenate([composition(6, seed=3).samples, self.one.samples[: 2 * RATE]]), RATE)
        assert twin_correlation(self.one, other) is None

    def test_files_are_compared_by_what_is_in_them(self, tmp_path):
        """Not by their formats; what does not decode is refused."""
        one, other, broken = tmp_path / "one.wav", tmp_path / "other.wav", tmp_path / "broken.wav"
        save(one, self.one)
        save(other, self.one, subtype="PCM_16")
        broken.write_bytes(b"RIFF")
        assert twin_sources(str(one), str(other)) == pytest.approx(1.0, abs=0.001)
        with pytest.raises(AudioError):
            twin_sources(str(one), str(broken))


class TestJudged:
    """What follows from a finding."""

    def test_what_is_mild_never_fails(self):
        """A gate that fails is for what is grave."""
        grave, mild = Finding("length", "4 s long"), Finding("length", "9 s long", is_mild=True)
        assert [warning.message for warning in judge([mild], ())] == ["9 s long"]
        assert judge([mild, grave], (("length", "off"),)) == ()
        with pytest.raises(AudioError, match="length: 4 s long"):
            judge([mild, grave], ())

    def test_every_gate_has_a_default(self):
        """As docs/sound.md says."""
        assert {gate for gate, action in DEFAULT_ACTIONS.items() if action == "fail"} == {"silent", "length"}
        assert set(DEFAULT_ACTIONS) == {"silent", "length", "ending", "gap", "clipping", "mono", "dc", "twin"}

    def test_findings_reach_the_asset(self, tmp_path):
        """As warnings on each of its files, or as the track's failure."""
        finishing = Finishing(gates=(("gap", "fail"),))
        source = joined(noise(3, dbfs=-6), silence(1), noise(3, dbfs=-6))
        source = Sound(source.samples.clip(-1, 1), RATE)
        task = task_for(tmp_path, source, Output("wav"), Output("ogg"), gated=True, asked_s=7.5)
        for file in finish(task):
            assert [warning.code for warning in file.warnings] == ["length", "ending", "gap", "clipping"]
        with pytest.raises(AudioError, match=r"^gap: 1\.0 s of silence at 3\.0 s$"):
            finish(task_for(tmp_path, source, Output("wav"), gated=True, finishing=finishing))
