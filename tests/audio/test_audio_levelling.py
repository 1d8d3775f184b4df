"""How loud an asset is made, decided from figures alone."""

from __future__ import annotations

import pytest

from pipeline.audio.gates import Finding, find_silence, is_silent, judge
from pipeline.audio.levelling import Level, choose_level, corrected, level_warnings
from pipeline.audio.measurement import Measurement
from pipeline.audio.settings import PRESETS, Loudness
from pipeline.audio.tasks import AudioError
from pipeline.audio.tasks import Warning as AssetWarning

GAME = PRESETS["game"]  # -16 LUFS, -1 dBTP
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


@pytest.mark.parametrize(
    ("figures", "loudness", "headroom_db", "gain_db", "held_by"),
    [
        pytest.param({"lufs": -20, "peak": -10}, GAME, 0.6, 4, None, id="louder"),
        pytest.param({"lufs": -9, "peak": 0.5}, GAME, 0.6, -7, None, id="quieter"),
        pytest.param({"lufs": -20, "peak": -5}, GAME, 0.6, 4, None, id="up to the ceiling itself"),
        pytest.param({"lufs": -20, "peak": -3}, GAME, 0.6, 1.4, "peaks", id="held by peaks, with head-room"),
        pytest.param({"lufs": -20, "peak": 2}, GAME, 0.0, -3, "peaks", id="quieter than it came"),
        pytest.param({"lufs": -22, "peak": -9, "short_term": -19}, ADVERT, 0, -1, None, id="short-term within"),
        pytest.param(
            {"lufs": -22, "peak": -9, "short_term": -15},
            ADVERT,
            0,
            -3.05,
            "its loudest 3 seconds",
            id="short-term over",
        ),
        pytest.param({"lufs": -30, "peak": -20}, PRESETS["none"], 0.6, 0, None, id="measured, not changed"),
    ],
)
def test_gain_is_linear_and_peaks_win(figures, loudness, headroom_db, gain_db, held_by):
    """Up or down to the target, and no further than the peaks and the loudest three seconds may go."""
    level = choose_level(measured(**figures), loudness, headroom_db)
    assert level.gain_db == pytest.approx(gain_db, abs=0.0011)
    assert level.held_by == held_by


@pytest.mark.parametrize(
    ("peak", "loudness", "gain_db"), [(-12, GAME, 6), (-1, GAME, -5), (-12, Loudness(true_peak_dbtp=-9), 2.4)], ids=str
)
def test_what_is_too_short_for_a_loudness_is_levelled_by_its_peak(peak, loudness, gain_db):
    """At -6 dBTP, or below the ceiling where that is lower; never by a loudness it does not have."""
    level = choose_level(measured(lufs=None, peak=peak, duration_s=0.3), loudness, 0.6)
    assert level.gain_db == pytest.approx(gain_db, abs=0.0011)
    assert level.lufs is None


@pytest.mark.parametrize("figures", [{"lufs": None, "peak": None}, {"lufs": -65, "peak": -50}])
def test_silence_is_never_amplified(figures):
    """Where the gate lets silence pass, it is left as it is."""
    assert choose_level(measured(**figures), GAME, 0.6).gain_db == 0


def test_gain_comes_in_thousandths_and_never_above_the_bound():
    """The last bits of a measurement, which differ between processors, don't reach the bytes of a file."""
    assert choose_level(measured(lufs=-20.000_000_1), GAME, 0).gain_db == 4.0
    assert choose_level(measured(lufs=-19.999_9), GAME, 0).gain_db == 3.999


@pytest.mark.parametrize(
    ("level", "delivered", "gain_db"),
    [
        pytest.param(Level(4, -16), {"lufs": -16.15, "peak": -2}, 4, id="near enough"),
        pytest.param(Level(4, -16), {"lufs": -16.3, "peak": -2}, 4.3, id="too quiet"),
        pytest.param(Level(4, -16), {"lufs": -15.7, "peak": -2}, 3.7, id="too loud"),
        pytest.param(Level(4, -16), {"lufs": -15.7, "peak": -0.6}, 3.51, id="peaks before loudness"),
        pytest.param(Level(4, -16), {"lufs": -16.5, "peak": -0.9}, 3.84, id="peaks even where it is too quiet"),
        pytest.param(Level(4, -16, None, 0.6), {"lufs": -16.5, "peak": -1.8}, 4.2, id="no louder than peaks have room"),
        pytest.param(Level(4, -16, None, 0.6), {"lufs": -16.5, "peak": -1.5}, 4, id="no room at all"),
        pytest.param(Level(7.8, -16), {"lufs": -17, "peak": -5}, 8, id="no louder than the encoder takes"),
        pytest.param(Level(1, -17, "peaks"), {"lufs": -17.5, "peak": -3}, 1, id="what peaks held is not lifted again"),
        pytest.param(Level(4), {"lufs": None, "peak": -6.3}, 4, id="levelled by its peak"),
    ],
)
def test_a_second_encoding_is_asked_for_only_where_it_mends_something(level, delivered, gain_db):
    """Over the ceiling, or more than 0.2 LU from what was meant, with room to mend it."""
    better = corrected(level, measured(**delivered), GAME, most_gain_db=8)
    assert better.gain_db == pytest.approx(gain_db, abs=0.0011)
    assert (better == level) == (gain_db == level.gain_db)


def test_nothing_is_corrected_where_nothing_was_asked():
    """`none` is measured, not changed, however high its peaks are."""
    assert corrected(Level(0), measured(peak=3), PRESETS["none"], 0) == Level(0)


@pytest.mark.parametrize(
    ("level", "figures", "loudness", "expected"),
    [
        (Level(1, -18.1, "peaks"), {"lufs": -18.1}, GAME, [("loudness_short", "2.1 LU short of -16: peaks")]),
        (
            Level(-3, -25, "its loudest 3 seconds"),
            {"lufs": -25},
            ADVERT,
            [("loudness_short", "2.0 LU short of -23: its loudest 3 seconds")],
        ),
        (Level(1, -16), {"lufs": -16.1}, GAME, []),
        (Level(1, -16), {"lufs": -40, "peak": 1}, PRESETS["none"], []),
        (Level(0), {"lufs": None, "peak": None}, GAME, []),
        (
            Level(6),
            {"lufs": None, "peak": -6, "duration_s": 0.2},
            GAME,
            [("levelled_by_peak", "too short for a loudness: levelled by its true peak, at -6 dBTP")],
        ),
    ],
)
def test_an_asset_says_where_it_is_not_what_was_asked(level, figures, loudness, expected):
    """Each warning is a code for machines and a sentence for people."""
    warnings = level_warnings(measured(**figures), level, loudness)
    assert warnings == tuple(AssetWarning(code, message) for code, message in expected)


def test_a_file_that_stays_over_its_ceiling_says_so():
    """After the last try, that is."""
    (warning,) = level_warnings(measured(lufs=-16, peak=-0.9), Level(1, -16), GAME)
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
