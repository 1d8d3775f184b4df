"""What files become before any of them is touched: names, and results that have no place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.file_finishing import NoPlace, orders_for
from pipeline.files import Folder
from pipeline.manifest import recording_track

if TYPE_CHECKING:
    from pipeline.manifest.recordings import Words


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.wav", "b.wav", "x/a.wav", "y/A.flac"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(name.encode())


def names(
    *files: str, keys: dict[str, Words] | None = None, folder: str = "out", keep_folders: bool = False
) -> list[str]:
    track = recording_track(keys or {})
    orders = orders_for([Path(file) for file in files], track, Folder(Path(folder)), keep_folders=keep_folders)
    return [order.name for order in orders]


def refusal(*files: str, **more: object) -> str:
    with pytest.raises(NoPlace) as found:
        names(*files, **more)
    return str(found.value)


def test_results_have_their_files_names() -> None:
    """A file that is given twice is finished once, and one that is not there fails later, by itself."""
    assert names("a.wav", "x/b.c.mp3", "a.wav") == ["a", "b.c"]


def test_two_files_of_one_name_are_a_mistake() -> None:
    """Case counts for nothing: on some disks the two would be one."""
    said = refusal("a.wav", "y/A.flac", "b.wav")
    assert said == (
        "a.wav and y/A.flac would both become out/A.ogg: finish them into different folders, or use --keep-folders"
    )


def test_folders_tell_them_apart_where_they_are_kept() -> None:
    """From the working folder on, however a file's path is spelled."""
    assert names("a.wav", "x/a.wav", str(Path.cwd() / "y/A.flac"), keep_folders=True) == ["a", "x/a", "y/A"]
    assert "not below the working folder" in refusal("../a.wav", keep_folders=True)


def test_a_suffix_can_take_another_files_name() -> None:
    """What counts is what each becomes."""
    keys: dict[str, Words] = {"outputs": ["ogg", {"format": "ogg", "suffix": "-low"}]}
    assert "a.wav and a-low.wav would both become out/a-low.ogg" in refusal("a.wav", "a-low.wav", keys=keys)


def test_a_file_that_is_given_is_never_replaced() -> None:
    """Not by its own result, nor another's, nor through a link."""
    assert refusal("a.wav", folder=".", keys={"outputs": ["wav"]}) == (
        "a.wav would become a.wav, and replace a.wav: name another --output"
    )
    Path("out").mkdir()
    Path("out/b.ogg").hardlink_to("a.wav")
    assert "b.wav would become out/b.ogg, and replace a.wav" in refusal("b.wav", "a.wav")
    assert names("b.wav") == ["b"]
