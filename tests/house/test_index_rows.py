"""A row of the index that anybody may have edited: sound, or it proves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.files import Folder, FolderError
from pipeline.output import AssetRow, OutputFolder, Provenance, read_row

if TYPE_CHECKING:
    from pathlib import Path

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
        {"format": 7}, {"loop": "all"}, {"loop": {}}, {"loop": {"start": "x", "end": 9}},
        {"loop": {"start": 5, "end": 5}},
        {"loop": {"start": 0, "end": 10**400}}, {"duration": 10**400}, {"lufs": 1e300},
        {"duration": -1.0}, {"path": None}, {"sha256": 3},
        {"provenance": {"kind": "generated", "duration": "long"}}, {"provenance": {"kind": "file", "refine_lyrics": 1}},
    ],
    ids=str,
)  # fmt: skip
def test_a_row_with_a_value_of_another_kind_proves_nothing(edit: dict[str, Any]) -> None:
    """No traceback, and nothing kept on its word."""
    assert read_row(SOUND | edit) is None


GROUP = {"name": "battle", "target_lufs": -16.0, "gain_db": -3.214, "members": {"menu": "3f2a", "map": None}}


def test_a_group_is_read_as_it_was_written() -> None:
    """With who was left out of it."""
    row = read_row(SOUND | {"group": GROUP | {"later": 1}})
    assert row is not None
    assert row.document() == SOUND | {"group": GROUP}


@pytest.mark.parametrize(
    "group",
    [
        "battle", [], {}, GROUP | {"name": 3}, GROUP | {"target_lufs": None}, GROUP | {"gain_db": float("nan")},
        GROUP | {"members": ["menu"]}, GROUP | {"members": {"menu": 3}},
    ],
    ids=str,
)  # fmt: skip
def test_a_group_that_is_none_is_as_good_as_no_group(group: Any) -> None:
    """The row proves what it proved; the asset is levelled again."""
    row = read_row(SOUND | {"group": group})
    assert row is not None
    assert row.group is None


@pytest.mark.parametrize("settings", ["loud", [], 3], ids=str)
def test_settings_that_are_none_only_leave_unsaid_what_changed(settings: Any) -> None:
    """The fingerprint beside them proves what it proved."""
    row = read_row(SOUND | {"settings": settings})
    assert row is not None
    assert row.settings is None


LATER = {"limited_db", "group", "settings", "unfit", "mark", "source_marks"}  # keys that older versions did not write


@pytest.mark.parametrize("key", sorted(set(SOUND) - LATER))
def test_a_row_that_lacks_something_proves_nothing(key: str) -> None:
    """Whatever it is."""
    assert read_row({name: value for name, value in SOUND.items() if name != key}) is None


UNFIT = {"take": 1, "regeneration": 1, "judging": "3f2a", "why": "silent: nothing in it"}


def test_takes_that_failed_a_gate_are_read_as_they_were_written() -> None:
    """And one that is none is passed over: that take is judged again."""
    odd = [
        "x",
        {},
        UNFIT | {"take": "1"},
        UNFIT | {"regeneration": True},
        UNFIT | {"judging": None},
        UNFIT | {"why": 3},
    ]
    row = read_row(SOUND | {"unfit": [*odd, UNFIT | {"later": 1}]})
    assert row is not None
    assert row.document() == SOUND | {"unfit": [UNFIT]}
    assert read_row(SOUND | {"unfit": "all"}) is not None


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"{\n nonsense", r" \(line 2, column 2\)"),
        (b"[]", ""),
        (b"{}", ""),
        (b'{"version": "x", "assets": []}', ""),
        (b"\xff\xfe\x00", ""),
        (b"[" * 100_000, ""),
        (rb'{"version": 1, "assets": [{"name": "a\ud800"}]}', ""),
    ],
    ids=[
        "no JSON",
        "a list",
        "without a version",
        "a version of another kind",
        "no text",
        "nested without end",
        "half a character",
    ],
)
def test_an_index_that_is_none_is_told_in_our_own_words(tmp_path: Path, content: bytes, where: str) -> None:
    """What it is, where, and what to do: nothing of what Python says about it."""
    (tmp_path / "assets.json").write_bytes(content)
    said = rf"assets\.json: this is no index as runs write it{where}; restore it from version control, or remove it to"
    with pytest.raises(FolderError, match=f"^.*{said} have it made again$"):
        OutputFolder(Folder(tmp_path)).read_index()
