"""One gain for a group, from the loudness of all its members together: what is softer among them stays softer."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from audio_signals import composition, music, noise, save, silence, task_for, tone

from pipeline.audio.decoding import decode
from pipeline.audio.finishing import common_gain_db, finish, gating_blocks
from pipeline.audio.loudness import joint_loudness, momentary_powers, read_loudness
from pipeline.audio.measurement import measure_file
from pipeline.audio.settings import Finishing, Loop, Loudness, Output, Trim
from pipeline.audio.sound import Sound
from pipeline.audio.tasks import AudioError, joint_warnings

BATTLE = Loudness(group="battle")
WAV = Output("wav")


def quieter(sound, decibels):
    return sound.with_gain(-decibels)


def joined(*sounds):
    return Sound(np.concatenate([sound.samples for sound in sounds]), sounds[0].sample_rate)


def made(folder, sources, *outputs, loudness=BATTLE, **changes):
    """Each of `sources` (name -> sound or (sound, finishing)) finished with the gain of them all, and that gain."""
    tasks = {}
    for name, source in sources.items():
        sound, finishing = source if isinstance(source, tuple) else (source, Finishing())
        (folder / name).mkdir()
        tasks[name] = task_for(
            folder / name, sound, *(outputs or (WAV,)), finishing=replace(finishing, loudness=loudness), **changes
        )
    gain = common_gain_db([gating_blocks(task) for task in tasks.values()], loudness.target_lufs)
    return gain, {name: finish(replace(task, gain_db=gain)) for name, task in tasks.items()}


def joint_of(finished):
    """The joint loudness of the first files of each, as delivered."""
    return joint_loudness(momentary_powers(decode(files[0].path)) for files in finished.values())


def shaped_alone(folder, sound, finishing):
    """What a source measures once it is shaped, with nothing done to its level."""
    folder.mkdir()
    finishing = replace(finishing, loudness=Loudness("none", None))
    (file,) = finish(task_for(folder, sound, WAV, finishing=finishing))
    return file.lufs


def test_the_joint_loudness_of_parts_is_that_of_the_whole():
    """By both gates over all blocks together: a soft member is gated as a soft passage would be."""
    loud, soft, faint = tone((-20, 10)), tone((-26, 10)), tone((-40, 10))
    together = joint_loudness(map(momentary_powers, (loud, soft, faint)))
    assert together == pytest.approx(read_loudness(joined(loud, soft, faint)).lufs, abs=0.1)
    assert together == pytest.approx(joint_loudness(map(momentary_powers, (loud, soft))), abs=0.01)
    assert joint_loudness([momentary_powers(loud)]) == read_loudness(loud).lufs


@pytest.mark.parametrize("sounds", [[], [silence(5)], [tone((-20, 0.3))]], ids=["nothing", "silence", "a blip"])
def test_what_has_no_loudness_has_no_joint_one(sounds):
    """No figure, rather than a very low one."""
    assert joint_loudness(map(momentary_powers, sounds)) is None


def test_a_group_of_shaped_pieces_meets_its_target_and_keeps_its_differences(tmp_path):
    """Trimmed, looped and faded: jointly within 0.1 LU of the target, and as far from each other as they came."""
    quiet = Sound(np.concatenate([silence(1).samples, quieter(composition(12, seed=3), 9).samples]), 44_100)
    pieces = {
        "low": (quiet, Finishing(trim=Trim())),
        "middle": (quieter(composition(9, seed=4), 4), Finishing(loop=Loop(min_s=4))),
        "high": (composition(10, seed=5), Finishing(fade_in_s=0.5, fade_out_s=2, channels=2)),
    }
    gain, finished = made(tmp_path, pieces)
    assert joint_of(finished) == pytest.approx(-16, abs=0.1)
    for name, (sound, finishing) in pieces.items():
        before = shaped_alone(tmp_path / f"{name} alone", sound, finishing)
        assert finished[name][0].lufs - before == pytest.approx(gain, abs=0.05)
    assert finished["low"][0].lufs < finished["middle"][0].lufs < finished["high"][0].lufs


@pytest.mark.parametrize("output", [Output("ogg"), Output("mp3"), Output("flac")], ids=str)
def test_every_format_keeps_the_differences(tmp_path, output):
    """What an encoder takes off one member's loudness is given back to it."""
    gain, finished = made(tmp_path, {"low": music(5, gain_db=-8), "high": composition(5)}, output, WAV)
    for lossy, wav in finished.values():
        assert lossy.lufs == pytest.approx(wav.lufs, abs=0.2)
    assert joint_of(finished) == pytest.approx(-16, abs=0.2)
    assert finished["low"][1].lufs == pytest.approx(read_loudness(music(5, gain_db=-8)).lufs + gain, abs=0.02)


def test_a_member_that_peaks_hold_down_stays_below_and_says_so(tmp_path):
    """Its own ceiling goes before the common gain; the others have that gain all the same."""
    spiky = tone((-45, 5))
    samples = spiky.samples.copy()
    samples[:: spiky.sample_rate] = 0.9
    spiky = Sound(samples, spiky.sample_rate)
    plain = tone((-35, 10))
    gain, finished = made(tmp_path, {"plain": plain, "spiky": spiky})
    (held,), (free,) = finished["spiky"], finished["plain"]
    assert free.lufs == pytest.approx(read_loudness(plain).lufs + gain, abs=0.02)
    assert held.true_peak_dbtp <= -1
    assert [warning.code for warning in held.warnings] == ["loudness_short", "limited"]
    assert "LU short of" in held.warnings[0].message
    assert free.warnings == ()


def test_a_split_loop_counts_as_what_is_heard_for_ever(tmp_path):
    """Its intro decides nothing, and gets the same gain."""
    loop = Finishing(loop=Loop(min_s=4, intro="split"))
    sound = joined(quieter(composition(3, seed=8), 20), composition(4, seed=6), composition(4, seed=6))
    task = task_for(tmp_path, sound, WAV, finishing=replace(loop, loudness=BATTLE))
    blocks = gating_blocks(task)
    (file,) = finish(replace(task, gain_db=common_gain_db([blocks], -16)))
    assert file.lufs == pytest.approx(-16, abs=0.1)


def test_what_is_too_short_for_a_loudness_gets_the_groups_gain(tmp_path):
    """It brings nothing to the joint loudness, and is not levelled by its peak."""
    sting = tone((-30, 0.3))
    gain, finished = made(tmp_path, {"sting": sting, "plain": tone((-35, 5))})
    assert finished["sting"][0].true_peak_dbtp == pytest.approx(-30 + gain, abs=0.05)
    assert finished["sting"][0].warnings == ()


def test_a_group_of_stings_is_levelled_by_its_highest_peak(tmp_path):
    """At -6 dBTP, as one sting would be; the softer one stays softer, and it is said."""
    _, finished = made(tmp_path, {"low": tone((-30, 0.3)), "high": tone((-20, 0.3))})
    assert finished["high"][0].true_peak_dbtp == pytest.approx(-6, abs=0.05)
    assert finished["low"][0].true_peak_dbtp == pytest.approx(-16, abs=0.05)


@pytest.mark.parametrize(
    ("sounds", "said"),
    [
        ([tone((-30, 0.3)), tone((-20, 0.3))], ["levelled_by_peak"]),
        ([tone((-30, 0.3)), silence(0.3)], ["levelled_by_peak"]),
        ([tone((-30, 0.3)), tone((-20, 2))], []),
        ([silence(0.3), silence(2)], []),
    ],
    ids=["stings", "a sting and silence", "one is long enough", "silence"],
)
def test_sounds_that_are_all_too_short_for_a_loudness_say_what_levels_them(tmp_path, sounds, said):
    """As one of them alone does."""
    finishing = Finishing(gates=(("silent", "off"),))
    brought = [gating_blocks(task_for(tmp_path, sound, WAV, finishing=finishing)) for sound in sounds]
    assert [warning.code for warning in joint_warnings(brought)] == said


def test_a_short_member_that_peaks_hold_down_says_so(tmp_path):
    """It can't be as loud as the group's gain would have it."""
    _, finished = made(tmp_path, {"sting": tone((-2, 0.3)), "plain": tone((-35, 5))})
    (sting,) = finished["sting"]
    assert sting.true_peak_dbtp <= -1
    assert "short of its group's gain: peaks" in sting.warnings[0].message


def test_silence_in_a_group_is_never_amplified(tmp_path):
    """Where its gate lets it through."""
    gates = (("silent", "warn"),)
    _, finished = made(tmp_path, {"nothing": (silence(2), Finishing(gates=gates)), "plain": tone((-35, 5))})
    assert measure_file(finished["nothing"][0].path).true_peak_dbtp is None
    assert joint_of(finished) == pytest.approx(-16, abs=0.1)


def test_a_member_that_fails_a_gate_brings_nothing(tmp_path):
    """It is known before anything is finished."""
    with pytest.raises(AudioError, match="silent"):
        gating_blocks(task_for(tmp_path, silence(2), WAV))


def test_blocks_are_small_and_cross_to_another_process(tmp_path):
    """Ten minutes come to 24 kB, and the same bytes each time."""
    path = save(tmp_path / "long.wav", noise(60, rate=8_000, channels=1))
    task = replace(task_for(tmp_path, noise(1), WAV), source=path)
    blocks = gating_blocks(task)
    assert pickle.loads(pickle.dumps(blocks)) == gating_blocks(task) == blocks
    assert len(blocks.powers) == 4 * (600 - 3)
