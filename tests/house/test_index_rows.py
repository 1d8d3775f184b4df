"""A row of the index that anybody may have edited: sound, or it proves nothing."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.output import AssetRow, Provenance, read_row

SOUND = AssetRow(
    "game", "menu", "menu.ogg", "ogg", 1, "s", 30.0, 44_100, 2, -16.0, None, 3.0, -1.0, None, (),
    placeholder=False, paid_fingerprint="p", finishing_fingerprint="f", provenance=Provenance("generated"),
).document()  # fmt: skip


def test_a_sound_row_is_read_as_it_was_written() -> None:
    """And a key that a newer version wrote is no reason against it."""
    row = read_row(SOUND | {"waveform": [1, 2, 3]})
    assert row is not None
    assert row.document() == SOUND


@pytest.mark.parametrize(
    "edit",
    [
        {"provenance": []}, {"provenance": None}, {"provenance": {}}, {"duration": "NaN"}, {"duration": float("nan")},
        {"warnings": "x"}, {"warnings": [1]}, {"warnings": None}, {"lufs": [1]}, {"lufs": float("nan")},
        {"true_peak_dbtp": "\x1b[31m"}, {"channels": 10**30}, {"channels": True}, {"size": -1}, {"placeholder": "no"},
        {"format": 7}, {"loop": "all"}, {"path": None}, {"sha256": 3},
    ],
    ids=str,
)  # fmt: skip
def test_a_row_with_a_value_of_another_kind_proves_nothing(edit: dict[str, Any]) -> None:
    """No traceback, and nothing kept on its word."""
    assert read_row(SOUND | edit) is None


@pytest.mark.parametrize("key", sorted(set(SOUND) - {"limited_db"}))
def test_a_row_that_lacks_something_proves_nothing(key: str) -> None:
    """Whatever it is."""
    assert read_row({name: value for name, value in SOUND.items() if name != key}) is None
