"""Files appear whole or not at all, never outside of their folder, and one run at a time."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from disks import small_disk

from pipeline.files import Folder, FolderError, sha256_of, trouble
from pipeline.locks import FolderBusy, held
from pipeline.sources import SourceStore

if TYPE_CHECKING:
    from pathlib import Path


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_file_appears_when_its_block_ends_well(tmp_path: Path) -> None:
    """Until then nothing stands under its final name."""
    folder = Folder(tmp_path)
    with folder.writing("a/b.txt") as file:
        file.write(b"whole")
        assert not (tmp_path / "a/b.txt").exists()
    assert names(tmp_path) == ["a/b.txt"]
    assert (tmp_path / "a/b.txt").read_bytes() == b"whole"


def test_a_block_that_fails_leaves_what_stood_there(tmp_path: Path) -> None:
    """The last good file stays, and no half of the new one."""
    folder = Folder(tmp_path)
    folder.write("b.txt", b"good")
    with pytest.raises(ZeroDivisionError), folder.writing("b.txt") as file:
        file.write(b"bad")
        raise ZeroDivisionError
    assert names(tmp_path) == ["b.txt"]
    assert (tmp_path / "b.txt").read_bytes() == b"good"


def test_equal_content_is_not_written_again(tmp_path: Path) -> None:
    """A run with nothing to do rewrites nothing: not even a modification time."""
    folder = Folder(tmp_path)
    assert folder.write("b.txt", b"same") is True
    os.utime(tmp_path / "b.txt", (1, 1))
    assert folder.write("b.txt", b"same") is False
    assert (tmp_path / "b.txt").stat().st_mtime == 1


@pytest.mark.parametrize("content", [b"same", b"other", b"longer"])
def test_a_file_of_the_same_bytes_keeps_its_time(tmp_path: Path, content: bytes) -> None:
    """What was finished again and came out as it was is no news to a build system."""
    folder = Folder(tmp_path / "output")
    folder.write("b.txt", b"same")
    os.utime(tmp_path / "output/b.txt", (1, 1))
    (tmp_path / "made").write_bytes(content)
    assert folder.bring(tmp_path / "made", "b.txt").read_bytes() == content
    assert ((tmp_path / "output/b.txt").stat().st_mtime == 1) is (content == b"same")
    assert names(tmp_path) == ["output/b.txt"]


def test_a_link_to_the_same_bytes_is_replaced(tmp_path: Path) -> None:
    """It is no file of this folder."""
    folder = Folder(tmp_path / "output")
    folder.make()
    (tmp_path / "mine").write_bytes(b"same")
    (tmp_path / "output/b.txt").symlink_to(tmp_path / "mine")
    (tmp_path / "made").write_bytes(b"same")
    folder.bring(tmp_path / "made", "b.txt")
    assert not (tmp_path / "output/b.txt").is_symlink()


def test_what_a_killed_run_left_half_written_is_replaced(tmp_path: Path) -> None:
    """One temporary name for each target: nothing piles up."""
    folder = Folder(tmp_path)
    folder.temporary("b.txt").write_bytes(b"half")
    folder.write("b.txt", b"whole")
    assert names(tmp_path) == ["b.txt"]


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    """Neither a linked folder on the way nor a linked temporary file."""
    outside = tmp_path / "outside"
    outside.mkdir()
    inside = Folder(tmp_path / "inside")
    inside.make()
    (inside.root / "battle").symlink_to(outside)
    with pytest.raises(FolderError, match="leads outside"):
        inside.write("battle/theme.ogg", b"x")
    (inside.root / ".a.ogg.part").symlink_to(outside / "victim")
    inside.write("a.ogg", b"x")
    assert names(outside) == []


def test_a_linked_final_name_is_replaced_not_written_through(tmp_path: Path) -> None:
    """The link's target keeps its content."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    folder = Folder(tmp_path / "inside")
    folder.make()
    (folder.root / "a.ogg").symlink_to(victim)
    folder.write("a.ogg", b"new")
    assert victim.read_bytes() == b"precious"
    assert not (folder.root / "a.ogg").is_symlink()


def test_a_finished_file_is_brought_from_elsewhere(tmp_path: Path) -> None:
    """Moved where it can be; its old name is gone."""
    coming = tmp_path / "work.ogg"
    coming.write_bytes(b"sound")
    folder = Folder(tmp_path / "out")
    folder.make()
    assert folder.bring(coming, "a/b.ogg").read_bytes() == b"sound"
    assert not coming.exists()


def test_a_folder_that_is_a_file_is_said_so(tmp_path: Path) -> None:
    """One sentence, with the path."""
    (tmp_path / "out").write_text("")
    with pytest.raises(FolderError, match="out"):
        Folder(tmp_path / "out").make()


def test_a_folder_that_is_moved_away_is_not_made_again_behind_the_runs_back(tmp_path: Path) -> None:
    """What is put there would be missed in the one that was meant, and lie under nobody's lock."""
    folder = Folder(tmp_path / "out")
    folder.make()
    folder.write("a.ogg", b"x")
    folder.root.rename(tmp_path / "aside")
    for stands in (False, True):
        if stands:
            folder.root.mkdir()
        with pytest.raises(FolderError, match="moved, removed or replaced during the run; put it back"):
            folder.write("b.ogg", b"x")
    assert names(tmp_path) == ["aside/a.ogg"]


def test_a_full_disk_is_told_with_the_name_of_the_file(tmp_path: Path) -> None:
    """The system names none where a write fails; the last good file stays, and no half of the new one."""
    with small_disk(tmp_path / "disk", 64) as disk:
        folder = Folder(disk.folder)
        folder.write("a.ogg", b"good")
        coming = tmp_path / "coming.ogg"
        coming.write_bytes(bytes(100_000))
        for writing in (
            lambda: folder.write("a.ogg", bytes(100_000)),
            lambda: folder.bring(coming, "a.ogg"),
        ):
            with pytest.raises(OSError, match="No space left") as caught:
                writing()
            assert trouble(caught.value) == (
                f"{disk.folder}/.a.ogg.part: no space left on device; "
                "nothing that was paid for is lost: make room there, and run again"
            )
            assert (names(disk.folder), coming.exists()) == (["a.ogg"], True)
        assert folder.path("a.ogg").read_bytes() == b"good"


def test_a_read_only_disk_is_told_with_the_name_of_the_file(tmp_path: Path) -> None:
    """The last good file stays."""
    with small_disk(tmp_path / "disk", 64) as disk:
        folder = Folder(disk.folder)
        folder.write("a.ogg", b"good")
        disk.make_read_only()
        with pytest.raises(OSError, match="Read-only") as caught:
            folder.write("a.ogg", b"new")
        assert trouble(caught.value).startswith(f"{disk.folder}/.a.ogg.part: read-only file system; ")
        assert "make it writable, and run again" in trouble(caught.value)
        with (
            pytest.raises(FolderError, match=r"can't be locked \(read-only file system\); make it writable"),
            held(disk.folder),
        ):
            pass
        assert names(disk.folder) == ["a.ogg"]


class TestSources:
    """What was paid for, kept unaltered."""

    def test_a_source_is_kept_under_its_own_hash(self, tmp_path: Path) -> None:
        """It is hashed while it streams, and found again whole."""
        store = SourceStore(Folder(tmp_path))
        with store.receive("1.wav") as incoming:
            incoming.write(b"so")
            incoming.write(b"und")
            incoming.finish()
            sha256 = store.keep(incoming, "wav")
        assert sha256 == sha256_of(store.path(sha256, "wav"))
        assert store.whole(sha256, "wav")
        assert store.holds(sha256, "wav", 5)

    def test_a_download_that_waits_for_its_turn_holds_no_file(self, tmp_path: Path) -> None:
        """Thousands may wait, and a process is often allowed no more than 1,024 files."""
        store = SourceStore(Folder(tmp_path))
        with store.receive("1.wav") as incoming:
            assert not incoming.path.exists()
            incoming.write(b"sound")
            assert incoming.path.exists()

    def test_a_download_that_is_not_kept_leaves_nothing(self, tmp_path: Path) -> None:
        """Whatever went wrong."""
        store = SourceStore(Folder(tmp_path))
        with pytest.raises(ZeroDivisionError), store.receive("1.wav") as incoming:
            incoming.write(b"half")
            raise ZeroDivisionError
        assert names(tmp_path) == []

    def test_a_download_that_fills_the_disk_gives_it_back(self, tmp_path: Path) -> None:
        """The half of it is removed, though the disk refuses its last bytes a second time."""
        with small_disk(tmp_path / "disk", 64) as disk:
            store = SourceStore(Folder(disk.folder))
            with pytest.raises(OSError, match="No space left") as caught, store.receive("1.wav") as incoming:
                for _ in range(100):
                    incoming.write(bytes(1_000))
                incoming.finish()
            assert caught.value.filename == f"{disk.folder}/sources/incoming/.1.wav.part"
            assert names(disk.folder) == []

    @pytest.mark.parametrize("stands", ["a folder", "a link to nothing", "half of it"])
    def test_what_is_no_file_with_its_content_is_not_held(self, tmp_path: Path, stands: str) -> None:
        """A source that can't be read, or is not all there, is not taken for one."""
        store = SourceStore(Folder(tmp_path))
        with store.receive("1.wav") as incoming:
            incoming.write(b"sound")
            incoming.finish()
            sha256 = store.keep(incoming, "wav")
        path = store.path(sha256, "wav")
        path.unlink()
        if stands == "a folder":
            path.mkdir()
        elif stands == "half of it":
            path.write_bytes(b"so")
        else:
            path.symlink_to(tmp_path / "nothing")
        assert not store.holds(sha256, "wav", 5)
        assert not store.whole(sha256, "wav")

    def test_a_folder_in_a_sources_place_is_a_sentence(self, tmp_path: Path) -> None:
        """It is not removed, since only a person can have made it; the gateway still has the audio."""
        store = SourceStore(Folder(tmp_path))
        with store.receive("1.wav") as incoming:
            incoming.write(b"sound")
            incoming.finish()
            store.path(incoming.sha256, "wav").mkdir(parents=True)
            with pytest.raises(IsADirectoryError) as caught:
                store.keep(incoming, "wav")
        assert "move away what stands there" in trouble(caught.value)

    def test_a_damaged_source_is_noticed(self, tmp_path: Path) -> None:
        """Its hash no longer fits, though its size does."""
        store = SourceStore(Folder(tmp_path))
        with store.receive("1.wav") as incoming:
            incoming.write(b"sound")
            incoming.finish()
            sha256 = store.keep(incoming, "wav")
        store.path(sha256, "wav").write_bytes(b"round")
        assert store.holds(sha256, "wav", 5)
        assert not store.whole(sha256, "wav")


HOLD = """
import sys; from pathlib import Path; from pipeline.locks import held
with held(Path(sys.argv[1])):
    print("held", flush=True); sys.stdin.read()
"""


class TestLocks:
    """One run at a time."""

    @pytest.fixture
    def other_run(self, tmp_path: Path):
        """Another process that holds the folder until its standard input ends."""
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()

    def test_the_second_run_is_told_who_holds_the_folder(self, tmp_path: Path, other_run: subprocess.Popen) -> None:
        """Process, machine and since when."""
        with pytest.raises(FolderBusy, match=f"process {other_run.pid} on"), held(tmp_path):
            pass

    def test_a_killed_holder_holds_nothing(self, tmp_path: Path, other_run: subprocess.Popen) -> None:
        """The kernel frees what a dead process held."""
        other_run.kill()
        other_run.wait()
        with held(tmp_path):
            pass

    def test_waiting_is_said_and_ends_with_the_holder(self, tmp_path: Path, other_run: subprocess.Popen) -> None:
        """`--wait` gets the folder as soon as it is free."""
        said = []

        def say(sentence: str) -> None:
            said.append(sentence)
            other_run.stdin.close()

        with held(tmp_path, wait=True, say=say):
            assert "waiting for it to end" in said[0]

    def test_a_holder_that_wrote_nonsense_is_still_a_holder(self, tmp_path: Path, other_run: subprocess.Popen) -> None:
        """The lock is the operating system's; the note beside it is only for the message."""
        assert other_run.poll() is None
        (tmp_path / ".pipeline.lock-holder").write_text(json.dumps(["nonsense"]))
        with pytest.raises(FolderBusy, match="did not say who"), held(tmp_path):
            pass

    @pytest.mark.skipif(os.name == "nt", reason="these are the locks of Unix")
    @pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP], ids=errno.errorcode.get)
    @pytest.mark.parametrize("wait", [False, True])
    def test_a_file_system_without_locks_is_said_so(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, *, wait: bool
    ) -> None:
        """Neither waited for nor replaced by a file whose existence is the lock: a kill would leave that one behind."""
        import fcntl

        def refusing(*_: object) -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(fcntl, "flock", refusing)
        with pytest.raises(FolderError, match="its file system has no locks"), held(tmp_path, wait=wait):
            pytest.fail("two runs could be in here")

    @pytest.mark.skipif(os.name == "nt", reason="Windows answers otherwise")
    @pytest.mark.parametrize("stands", ["a folder", "a link"])
    def test_a_lock_that_is_no_plain_file_is_said_so(self, tmp_path: Path, stands: str) -> None:
        """The sentence names it; what a link leads to is neither made nor locked."""
        lock = tmp_path / ".pipeline.lock"
        if stands == "a folder":
            lock.mkdir()
        else:
            lock.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(FolderError, match="move away what stands there") as caught, held(tmp_path):
            pass
        assert str(caught.value).startswith(f"{lock}: it can't be locked (")
        assert not (tmp_path / "elsewhere").exists()
