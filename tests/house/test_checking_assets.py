"""What `check` finds wrong with an asset that is there and whole."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from pipeline.audio.settings import PRESETS, Finishing, Output
from pipeline.checking import faults
from pipeline.manifest.tracks import Place, Track
from pipeline.output import AssetRow, JoinedGroup


@dataclass
class Measured:
    duration_s: float = 30.0
    lufs: float | None = -16.0
    max_short_term_lufs: float | None = -14.0
    true_peak_dbtp: float | None = -1.0


def track(preset: str = "game") -> Track:
    finishing = Finishing(loudness=PRESETS[preset])
    return Track("game", "menu", Place("game.yaml", 1, 1), finishing, (Output(),), prompt="x")


def row(audio_format: str = "ogg", *warnings: str) -> AssetRow:
    return AssetRow(
        "game", "menu", f"menu.{audio_format}", audio_format, 1, "s", 30.0, 44_100, 2, -16.0, -14.0, 3.0, -1.0, None,
        tuple({"code": code, "message": ""} for code in warnings), placeholder=False, paid_fingerprint="p",
        finishing_fingerprint="f",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("preset", "asset", "measured", "said"),
    [
        ("game", row(), Measured(), ""),
        ("game", row(), Measured(lufs=-16.19), ""),
        ("game", row("wav"), Measured(lufs=-16.19), "-16.19 LUFS, its target is -16"),
        ("game", row(), Measured(lufs=-15.7), "-15.70 LUFS"),
        ("game", row(), Measured(lufs=-18.0), "-18.00 LUFS"),
        ("game", row("ogg", "loudness_short"), Measured(lufs=-18.0), ""),
        ("game", row("ogg", "loudness_short"), Measured(lufs=-15.0), "-15.00 LUFS"),
        ("game", row(), Measured(true_peak_dbtp=-0.8), "true peak -0.80 dBTP, over its ceiling of -1"),
        ("game", row(), Measured(true_peak_dbtp=-0.95), ""),
        ("game", row(), Measured(duration_s=29.0), "29.000 s long, 30.000 s in the index"),
        ("game", row(), Measured(lufs=None, true_peak_dbtp=None), ""),
        ("none", row(), Measured(lufs=-3.0, true_peak_dbtp=1.0), ""),
        ("advert-eu", row(), Measured(lufs=-23.4, max_short_term_lufs=-18.4), ""),
        ("advert-eu", row(), Measured(lufs=-23.0, max_short_term_lufs=-17.0), "short-term loudness up to -17.00 LUFS"),
    ],
)
def test_an_asset_is_held_against_its_manifest(preset: str, asset: AssetRow, measured: Measured, said: str) -> None:
    """Loudness within its format's tolerance, peaks under their ceiling, the length that the index says."""
    found = "; ".join(faults(track(preset), asset, measured))
    assert found.startswith(said) if said else found == ""


def test_a_member_of_a_group_is_held_against_what_its_gain_has_made_it() -> None:
    """Only the group as a whole has the manifest's target; the ceilings are each member's own."""
    softer = replace(row(), lufs=-21.5, group=JoinedGroup("battle", -16.0, -3.0, {"menu": "a"}))
    assert list(faults(track(), softer, Measured(lufs=-21.5))) == []
    assert list(faults(track(), softer, Measured(lufs=-16.0))) == ["-16.00 LUFS, its target is -21.5"]
    (over,) = faults(track(), softer, Measured(lufs=-21.5, true_peak_dbtp=0.0))
    assert "over its ceiling" in over
