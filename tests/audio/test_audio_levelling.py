"""How loud an asset is made, decided from figures alone."""

from __future__ import annotations

import pytest

from pipeline.audio.gates import Finding, find_silence, is_silent, judge
from pipeline.audio.level_warnings import level_warnings
from pipeline.audio.levelling import Aim, Level, first_aim, level_for, next_aim, shortcomings
from pipeline.audio.measurement import Measurement
from pipeline.audio.settings import PRESETS, Loudness
from pipeline.audio.tasks import AudioError
from pipeline.audio.tasks import Warning as AssetWarning

GAME = PRESETS["game"]  # -16 LUFS, -1 dBTP, up to 3 dB limited
LINEAR = Loudness(limit_db=0)
ADVERT = PRESETS["advert-eu"]  # -23 LUFS, -1 dBTP, short-term at most -18


def measured(lufs=-20.0, peak=-10.0, short_term=None, duration_s=30.0):
    return Measurement(
        duration_s=duration_s,
        frames=round(duration_s * 44_100),
        sample_rate=44_100,
        channels=2,
        lufs=lufs,
        max_momentary_lufs=lufs,
        max_short_term_lufs=short_term,
        loudness_range_lu=None,
        true_peak_dbtp=peak,
    )


def level_of(figures, loudness, headroom_db=0.6):
    """What the first aim comes to."""
    sound = measured(**figures)
    aim = first_aim(sound, loudness, headroom_db)
    return aim, level_for(aim, sound)


def corrected(aim, level, delivered, sound, loudness):
    """The aim after a file of `sound` at `level` has measured `delivered`, with the head-room of Vorbis."""
    return next_aim(aim, level, delivered=delivered, measured=sound, loudness=loudness, headroom_db=0.6)


@pytest.mark.parametrize(
    ("figures", "loudness", "headroom_db", "gain_db", "held_by"),
    [
        pytest.param({"lufs": -20, "peak": -10}, LINEAR, 0.6, 4, None, id="louder"),
        pytest.param({"lufs": -9, "peak": 0.5}, LINEAR, 0.6, -7, None, id="quieter"),
        pytest.param({"lufs": -20, "peak": -5}, LINEAR, 0.6, 4, None, id="up to the ceiling itself"),
        pytest.param({"lufs": -20, "peak": -3}, LINEAR, 0.6, 1.4, "peaks", id="held by peaks, with head-room"),
        pytest.param({"lufs": -20, "peak": 2}, LINEAR, 0.0, -3, "peaks", id="quieter than it came"),
        pytest.param({"lufs": -20, "peak": -3}, GAME, 0.6, 4, None, id="within what may be limited"),
        pytest.param({"lufs": -20, "peak": -1}, GAME, 0.6, 2.38, "peaks", id="held where no more may be limited"),
        pytest.param({"lufs": -22, "peak": -9, "short_term": -19}, ADVERT, 0, -1, None, id="short-term within"),
        pytest.param(
            {"lufs": -22, "peak": -9, "short_term": -15},
            ADVERT,
            0,
            -3.05,
            "its loudest 3 seconds",
            id="short-term over",
        ),
    ],
)
def test_peaks_and_the_loudest_seconds_win(figures, loudness, headroom_db, gain_db, held_by):
    """Up or down to the target, and no further than those two may go."""
    _, level = level_of(figures, loudness, headroom_db)
    assert level.gain_db == pytest.approx(gain_db, abs=0.0011)
    assert level.held_by == held_by


@pytest.mark.parametrize(
    ("peak", "loudness", "gain_db"), [(-12, GAME, 6), (-1, GAME, -5), (-12, Loudness(true_peak_dbtp=-9), 2.4)], ids=str
)
def test_what_is_too_short_for_a_loudness_is_levelled_by_its_peak(peak, loudness, gain_db):
    """At -6 dBTP, or below the ceiling where that is lower; never by a loudness it does not have, and not limited."""
    aim, level = level_of({"lufs": None, "peak": peak, "duration_s": 0.3}, loudness)
    assert level.gain_db == pytest.approx(gain_db, abs=0.0011)
    assert (aim.lufs, aim.limit_db) == (None, 0)


@pytest.mark.parametrize(
    ("figures", "loudness"),
    [({"lufs": None, "peak": None}, GAME), ({"lufs": -65, "peak": -50}, GAME), ({}, PRESETS["none"])],
    ids=["digital silence", "faint", "measured, not changed"],
)
def test_what_is_left_alone_has_no_aim(figures, loudness):
    """Silence that a gate lets pass is never amplified, and `none` changes nothing."""
    assert first_aim(measured(**figures), loudness, 0.6) is None
    assert corrected(None, Level(0.0), measured(peak=3), measured(), loudness) is None
    assert level_warnings(measured(lufs=-40, peak=1), None, Level(0.0), 0.0, loudness) == ()


def test_gain_comes_in_thousandths_and_never_above_the_bound():
    """The last bits of a measurement, which differ between processors, don't reach the bytes of a file."""
    assert level_of({"lufs": -20.000_000_1}, GAME)[1].gain_db == 4.0
    assert level_of({"lufs": -19.999_9}, GAME)[1].gain_db == 3.999


@pytest.mark.parametrize(
    ("before", "delivered", "lufs", "ceiling"),
    [
        pytest.param({}, {"lufs": -16.15, "peak": -6}, -16, -1, id="near enough"),
        pytest.param({}, {"lufs": -16.3, "peak": -6}, -15.7, -1.6, id="too quiet"),
        pytest.param({}, {"lufs": -15.7, "peak": -6}, -16.3, -1.6, id="too loud"),
        pytest.param({"peak": -5}, {"lufs": -16.1, "peak": -0.6}, -15.9, -1.51, id="a peak over the ceiling"),
        pytest.param({"peak": -5}, {"lufs": -16.5, "peak": -1.2}, -15.5, -1, id="no higher than it was"),
        pytest.param({"peak": -6.5}, {"lufs": -16.5, "peak": -2}, -15.5, -2.1, id="what the encoder adds is known now"),
        pytest.param({"peak": -6.5}, {"lufs": -20, "peak": -7}, -12, 0, id="no higher than an encoder takes"),
        pytest.param({"peak": 0}, {"lufs": -17.35, "peak": -2.39}, -16, -0.4685, id="what peaks held is lifted again"),
        pytest.param({"peak": 0}, {"lufs": -17.5, "peak": -1.2}, -16, -1.6, id="where there is room"),
        pytest.param({"peak": 0}, {"lufs": -16.15, "peak": -3}, -16, -1.6, id="and it is short of its target"),
        pytest.param({"peak": 0}, {"lufs": -17.5, "peak": -0.9}, -16, -1.765, id="and lowered further"),
        pytest.param({"lufs": None, "duration_s": 0.2}, {"lufs": None, "peak": -6.3}, None, -6, id="by its peak"),
    ],
)
def test_a_second_encoding_is_asked_for_only_where_it_mends_something(before, delivered, lufs, ceiling):
    """Over the ceiling, or more than 0.2 LU from the target while nothing holds it, or what holds it has room."""
    sound = measured(**before)
    aim, level = level_of(before, GAME)
    better = corrected(aim, level, measured(**delivered), sound, GAME)
    assert (better.lufs, better.ceiling_dbtp) == (pytest.approx(lufs), pytest.approx(ceiling, abs=0.0011))
    assert (better == aim) == ((lufs, ceiling) == (aim.lufs, aim.ceiling_dbtp))


def test_the_loudest_seconds_are_lowered_by_what_they_were_over():
    """And a little more, so that a third encoding is rare."""
    sound = measured(lufs=-22, peak=-9, short_term=-15)
    aim = first_aim(sound, ADVERT, 0)
    better = corrected(aim, level_for(aim, sound), measured(lufs=-25, short_term=-17.9), sound, ADVERT)
    assert better.short_term_lufs == pytest.approx(aim.short_term_lufs - 0.165)


@pytest.mark.parametrize(("short_term", "moved"), [(-18.5, 0.375), (-18.2, 0.0)], ids=["room", "hardly any"])
def test_the_loudest_seconds_are_lifted_where_the_file_leaves_room(short_term, moved):
    """An encoder took off more than was in the way."""
    sound = measured(lufs=-22, peak=-9, short_term=-15)
    aim = first_aim(sound, ADVERT, 0)
    better = corrected(aim, level_for(aim, sound), measured(lufs=-25, short_term=short_term), sound, ADVERT)
    assert better.short_term_lufs == pytest.approx(aim.short_term_lufs + moved)
    assert (better == aim) == (moved == 0)


def test_the_best_try_is_the_one_nearest_to_what_was_asked():
    """Ceilings come first, then the loudness."""
    tries = [measured(lufs=-16, peak=-0.9), measured(lufs=-17, peak=-1.2), measured(lufs=-16.5, peak=-1), measured()]
    assert sorted(tries, key=lambda one: shortcomings(one, GAME)) == [tries[2], tries[1], tries[3], tries[0]]
    assert shortcomings(measured(lufs=None, peak=-6), GAME) == (0, 0)


@pytest.mark.parametrize(
    ("held_by", "figures", "limited_db", "loudness", "expected"),
    [
        ("peaks", {"lufs": -18.1}, 0.0, GAME, [("loudness_short", "2.1 LU short of -16: peaks")]),
        (
            "its loudest 3 seconds",
            {"lufs": -25},
            0.0,
            ADVERT,
            [("loudness_short", "2.0 LU short of -23: its loudest 3 seconds")],
        ),
        (None, {"lufs": -16.1}, 1.0, GAME, []),
        (None, {"lufs": -16}, 1.26, GAME, [("limited", "up to 1.3 dB taken off its peaks")]),
    ],
)
def test_an_asset_says_where_it_is_not_what_was_asked(held_by, figures, limited_db, loudness, expected):
    """Each warning is a code for machines and a sentence for people."""
    aim = Aim(loudness.target_lufs, loudness.true_peak_dbtp)
    warnings = level_warnings(measured(**figures), aim, Level(1.0, held_by), limited_db, loudness)
    assert warnings == tuple(AssetWarning(code, message) for code, message in expected)


def test_an_asset_says_that_its_peak_has_levelled_it():
    """Below 400 ms there was nothing else to go by; where even that is silent there is nothing to say."""
    warnings = level_warnings(measured(lufs=None, peak=-6, duration_s=0.2), Aim(None, -6), Level(6), 0.0, GAME)
    text = "too short for a loudness: levelled by its true peak, at -6 dBTP"
    assert warnings == (AssetWarning("levelled_by_peak", text),)


def test_a_file_that_stays_over_its_ceiling_says_so():
    """After the last try, that is."""
    (warning,) = level_warnings(measured(lufs=-16, peak=-0.9), Aim(-16, -1), Level(1), 0.0, GAME)
    assert (warning.code, warning.message[:29]) == ("over_ceiling", "peaks 0.10 dB over the ceilin")


@pytest.mark.parametrize(
    ("figures", "silent"),
    [
        ({"lufs": -59, "peak": -50}, False),
        ({"lufs": -61, "peak": -50}, True),
        ({"lufs": None, "peak": None}, True),
        ({"lufs": None, "peak": -20, "duration_s": 0.2}, False),
        ({"lufs": None, "peak": -61, "duration_s": 0.2}, True),
    ],
)
def test_silence_is_what_nothing_in_reaches_minus_60(figures, silent):
    """By loudness, and by the peak where there is no loudness."""
    assert is_silent(measured(**figures)) == silent
    assert bool(find_silence(measured(**figures))) == silent


def test_a_gate_fails_warns_or_is_off():
    """As the manifest says, and by default silence fails."""
    finding = Finding("silent", "nothing in it is above -60 LUFS")
    with pytest.raises(AudioError, match=r"^silent: nothing in it is above -60 LUFS$"):
        judge([finding], ())
    assert judge([finding], (("silent", "warn"),)) == (AssetWarning("silent", finding.message),)
    assert judge([finding], (("silent", "off"),)) == ()
    assert judge([], ()) == ()
