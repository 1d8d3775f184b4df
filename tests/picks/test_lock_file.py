"""A lock beside its manifest: read, changed whole or not at all, and never mistaken for another's."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from disks import small_disk
from lock_factories import lock, pick, track

from pipeline.files import FolderError
from pipeline.manifest.tracks import GatewaySettings, Manifest
from pipeline.picks.document import LockMistake, lock_text, read_lock
from pipeline.picks.lockfile import LockFile, lock_path
from pipeline.picks.values import Lock, LockedTrack


def manifest(folder: Path, name: str = "game", file: str = "game.yaml") -> Manifest:
    (folder / file).touch()
    return Manifest(folder / file, name, GatewaySettings(), None, ())


def add(_: LockedTrack) -> LockedTrack:
    return track()


@pytest.mark.parametrize(
    ("file", "beside"),
    [("ad-jingles.yaml", "ad-jingles.lock.json"), ("a.b.yml", "a.b.lock.json"), ("plain", "plain.lock.json")],
)
def test_it_lies_beside_its_manifest(file: str, beside: str) -> None:
    """Two manifests in one folder have two locks."""
    assert lock_path(Path("manifests") / file) == Path("manifests") / beside


def test_without_a_file_it_says_nothing(tmp_path: Path) -> None:
    """And reading makes none."""
    assert LockFile(manifest(tmp_path)).read() == Lock("game")
    assert [path.name for path in tmp_path.iterdir()] == ["game.yaml"]


def test_a_change_is_written_once(tmp_path: Path) -> None:
    """The same change again leaves the file alone, and so does one that changes nothing."""
    file = LockFile(manifest(tmp_path))
    assert file.update({"menu": add}) is True
    os.utime(file.path, (1, 1))
    assert file.update({"menu": add}) is False
    assert LockFile(manifest(tmp_path)).update({"menu": lambda entry: entry}) is False
    assert file.path.stat().st_mtime == 1
    assert read_lock(file.path.read_bytes(), "") == lock()


def test_nothing_to_say_makes_no_file(tmp_path: Path) -> None:
    """A project without a purchase has no lock."""
    file = LockFile(manifest(tmp_path))
    assert file.update({"menu": lambda entry: entry}) is False
    assert not file.path.exists()


def test_what_came_meanwhile_is_kept(tmp_path: Path) -> None:
    """Somebody else's entries, and what version control brought, are read before each change."""
    mine, theirs = LockFile(manifest(tmp_path)), LockFile(manifest(tmp_path))
    mine.read()
    theirs.update({"credits": add})
    mine.update({"menu": add})
    assert set(LockFile(manifest(tmp_path)).read().tracks) == {"credits", "menu"}
    mine.update({"menu": lambda entry: replace(entry, picks=(*entry.picks, pick(2)))})
    assert len(theirs.read().track("menu").picks) == 2


def test_a_manifest_that_is_called_otherwise_keeps_its_lock(tmp_path: Path) -> None:
    """What counts are the purchases; the name is corrected with the next change."""
    LockFile(manifest(tmp_path)).update({"menu": add})
    renamed = LockFile(manifest(tmp_path, "skyhaven"))
    assert renamed.read().track("menu") == track()
    renamed.update({})
    assert LockFile(manifest(tmp_path, "skyhaven")).read().manifest == "skyhaven"


def test_a_lock_under_its_manifests_old_file_name_is_not_left_behind(tmp_path: Path) -> None:
    """Without it all of it would be bought again: one sentence says which file is to be renamed."""
    LockFile(manifest(tmp_path)).update({"menu": add})
    (tmp_path / "game.yaml").rename(tmp_path / "skyhaven.yaml")
    with pytest.raises(LockMistake, match=r"game\.lock\.json: .*rename it to skyhaven\.lock\.json"):
        LockFile(manifest(tmp_path, "game", "skyhaven.yaml")).read()
    (tmp_path / "game.lock.json").rename(tmp_path / "skyhaven.lock.json")
    assert LockFile(manifest(tmp_path, "game", "skyhaven.yaml")).read().track("menu") == track()


def test_a_stranger_without_its_manifest_is_nobodys_business(tmp_path: Path) -> None:
    """Other programs have lock files too."""
    (tmp_path / "composer.lock.json").write_text("{")
    (tmp_path / "film.lock.json").write_bytes(lock_text(Lock("film")))
    assert LockFile(manifest(tmp_path)).read() == Lock("game")


def test_one_that_cant_be_read_as_one_is_not_replaced(tmp_path: Path) -> None:
    """A conflict that comes up during a run keeps its content."""
    file = LockFile(manifest(tmp_path))
    file.path.write_bytes(b"<<<<<<< HEAD\n")
    with pytest.raises(LockMistake):
        file.update({"menu": add})
    assert file.path.read_bytes() == b"<<<<<<< HEAD\n"


def test_what_is_no_plain_file_is_told(tmp_path: Path) -> None:
    """A folder, a pipe or a device in its place: it is not the disk's fault, and can be moved away."""
    file = LockFile(manifest(tmp_path))
    file.path.mkdir()
    with pytest.raises(FolderError, match=r"game\.lock\.json: this is a folder, and no lock: move it away, restore"):
        file.read()
    file.path.rmdir()
    os.mkfifo(file.path)
    with pytest.raises(FolderError, match=r"game\.lock\.json: this is a pipe or a device, and no lock"):
        file.read()


def test_a_pipe_beside_it_is_waited_for_by_nobody(tmp_path: Path) -> None:
    """Looking for a lock that was left behind reads plain files only."""
    os.mkfifo(tmp_path / "composer.lock.json")
    assert LockFile(manifest(tmp_path)).read() == Lock("game")


def test_a_link_that_leads_nowhere_is_no_missing_lock(tmp_path: Path) -> None:
    """What it leads to names what was bought: it is neither bought again, nor is the link replaced by a file."""
    file = LockFile(manifest(tmp_path))
    file.path.symlink_to("elsewhere/game.lock.json")
    with pytest.raises(FolderError, match=r"game\.lock\.json: this is a link to elsewhere/game\.lock\.json, where no"):
        file.update({"menu": add})
    assert file.path.is_symlink()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/game.lock.json").write_bytes(lock_text(lock()))
    assert file.read() == lock()


def test_it_is_known_beforehand_whether_it_can_be_written(tmp_path: Path) -> None:
    """Before anything is bought; trying leaves no trace."""
    with small_disk(tmp_path / "disk", 64) as disk:
        file = LockFile(manifest(disk.folder))
        file.check_writable()
        assert [path.name for path in disk.folder.iterdir()] == ["game.yaml"]
        disk.make_read_only()
        with pytest.raises(FolderError, match=r"game\.lock\.json: .*can't be written there \(read-only.*nothing is"):
            file.check_writable()


def test_a_full_disk_leaves_the_lock_as_it_was(tmp_path: Path) -> None:
    """Whole, and no half of the new one beside it."""
    with small_disk(tmp_path / "disk", 64) as disk:
        file = LockFile(manifest(disk.folder))
        file.update({"menu": add})
        before = file.path.read_bytes()
        many = {f"track {number}": add for number in range(100)}
        with pytest.raises(OSError, match="No space left"):
            file.update(many)
        assert file.path.read_bytes() == before
        assert {path.name for path in disk.folder.iterdir()} == {"game.yaml", "game.lock.json"}
