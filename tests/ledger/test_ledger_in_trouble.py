"""A ledger that can't be trusted is used for nothing: each trouble is one sentence, and nothing is lost by it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import anyio
import pytest
from disks import small_disk
from test_ledger_books import intent

from pipeline.jobs import State
from pipeline.ledger import store
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.schema import VERSION
from pipeline.ledger.store import LedgerError, connect, connect_to_read, log_of, readable_errors
from pipeline.ledger.writing import GroupCommitWriter, InlineWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger of 300 jobs, closed in order."""
    found = tmp_path / "ledger.sqlite3"
    ledger = Ledger(connect(found, durable=False))
    ledger.connection.execute("BEGIN")
    ledger.open_run("game", "real", 1.0)
    for number in range(1, 301):
        ledger.accept(ledger.intend(1, intent(number), 2.0).row, f"job_{number}", 3.0, replay_proven=False)
    ledger.connection.execute("COMMIT")
    ledger.close()
    return found


def overwrite(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def garble_from_page(path: Path, first: int) -> None:
    pages = path.stat().st_size // PAGE
    overwrite(path, first * PAGE, b"\xa5" * PAGE * (pages - first))


def another_programs(path: Path, version: int) -> None:
    path.unlink()
    with sqlite3.connect(path) as other:
        other.executescript(f"CREATE TABLE notes (text); PRAGMA user_version = {version};")
    other.close()


def take_away(path: Path) -> None:
    path.rename(path.with_name("aside"))


def newer(path: Path) -> None:
    with sqlite3.connect(path) as ledger:
        ledger.execute(f"PRAGMA user_version = {VERSION + 1}")
    ledger.close()


def behind_a_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = {
    "its head overwritten": lambda path: overwrite(path, 0, b"\xff" * 100),
    "cut in the middle": lambda path: os.truncate(path, path.stat().st_size // 2),
    "cut off a page": lambda path: os.truncate(path, path.stat().st_size // PAGE * PAGE - 10),
    "emptied": lambda path: os.truncate(path, 0),
}


@pytest.mark.parametrize("opening", [connect, connect_to_read])
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        *((harm, "the ledger is damaged; keep it, and restore a copy") for harm in DAMAGES.values()),
        (newer, "newer version of this program"),
        (lambda path: another_programs(path, 0), "another program's database"),
        (lambda path: another_programs(path, 1), "another program's database"),
        (a_folder, "a link, a folder or a device"),
        (behind_a_link, "a link, a folder or a device"),
        (lambda path: log_of(path).write_bytes(b"garbage" * 1_000), "damaged"),
    ],
    ids=[*DAMAGES, "newer", "another program's, unnumbered", "another program's", "a folder", "a link", "log garbage"],
)
def test_what_is_no_ledger_of_ours_is_refused_and_left_as_it_is(
    path: Path, harm: Callable[[Path], None], said: str, opening: Callable[[Path], object]
) -> None:
    """One sentence that begins with the path, to write and to read alike; not a byte of it is changed."""
    harm(path)
    before = {file: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}
    with pytest.raises(LedgerError, match=said) as caught:
        opening(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert {file: file.read_bytes() for file in before} == before


def test_a_damaged_page_in_the_middle_is_found_before_a_run_writes(path: Path) -> None:
    """Opening reads a page or two; every page is checked, whatever the run would have read of it."""
    pages = path.stat().st_size // PAGE
    assert pages > 15
    for page in range(2, pages):
        whole = path.read_bytes()
        overwrite(path, page * PAGE, b"\xa5" * PAGE)
        with pytest.raises(LedgerError, match="damaged"):
            connect(path)
        path.write_bytes(whole)


@pytest.mark.parametrize(
    "sentence",
    [
        "UPDATE jobs SET state = 'nonsense' WHERE job = 7",
        "UPDATE jobs SET cost_basis = 'guessed' WHERE job = 7",
        "UPDATE jobs SET error = CAST(x'ff00fe' AS TEXT) WHERE job = 7",
        "INSERT INTO assets VALUES ('game', 'a.ogg', 'a', 'h', '[1')",
        "INSERT INTO assets VALUES ('game', 'a.ogg', 'a', 'h', '7')",
    ],
)
def test_a_value_that_no_ledger_of_ours_has_is_damage(path: Path, sentence: str) -> None:
    """A reader is told so in one sentence, and guesses nothing."""
    with sqlite3.connect(path) as ledger:
        ledger.execute(sentence)
    ledger.close()
    connection = connect_to_read(path)
    with pytest.raises(LedgerError, match="the ledger is damaged"), readable_errors(path):
        Ledger(connection).all_jobs()
        Ledger(connection).asset_rows()
    connection.close()


def test_a_torn_end_of_the_log_takes_back_what_was_not_finished_and_no_more(path: Path) -> None:
    """What a power failure leaves: SQLite's own judgement stands, and every whole commit before it."""
    writer = Ledger(connect(path))
    writer.open_run("first", "real", 2.0)
    whole = log_of(path).stat().st_size
    writer.open_run("second", "real", 3.0)
    copy = path.with_name("copy.sqlite3")
    shutil.copy(path, copy)
    shutil.copy(log_of(path), log_of(copy))
    writer.close()
    overwrite(log_of(copy), whole + 30, b"torn")
    ledger = Ledger(connect(copy))
    assert ledger.find_open_run("first", "real") is not None
    assert ledger.find_open_run("second", "real") is None
    ledger.close()


def test_a_ledger_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that ends while it makes one leaves none, and the next makes it."""
    path = tmp_path / "ledger.sqlite3"
    monkeypatch.setattr(store, "MIGRATIONS", ("CREATE TABLE runs (run) STRICT;",))
    with pytest.raises(LedgerError):
        connect(path)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    (tmp_path / ".ledger.sqlite3.part").write_bytes(b"half")  # and of one that was killed
    (tmp_path / ".ledger.sqlite3.part-journal").write_bytes(b"half")
    connect(path).close()
    assert [file.name for file in tmp_path.iterdir()] == ["ledger.sqlite3"]


AS_NOBODY = (
    "import os, sys; from pathlib import Path\n"
    "from pipeline.ledger.store import LedgerError, connect, connect_to_read\n"
    "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
    "for opening in (connect, connect_to_read):\n"
    "    try: opening(Path(sys.argv[1])); print('opened')\n"
    "    except LedgerError as error: print(error)\n"
)


def test_a_ledger_that_must_not_be_read_is_said_so(tmp_path: Path) -> None:
    """Its permissions are named as what to change, to whoever wants to write or read it."""
    if os.name == "nt" or os.geteuid() != 0:
        pytest.skip("only root can become somebody who may not read the ledger")
    path = tmp_path / "ledger.sqlite3"
    connect(path).close()
    path.chmod(0o600)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o555)
    said = subprocess.run([sys.executable, "-c", AS_NOBODY, str(path)], capture_output=True, text=True, check=True)
    lines = said.stdout.splitlines()
    assert [line.startswith(f"{path}: the ledger can't be opened or written there; make it") for line in lines] == [
        True,
        True,
    ], said.stdout


# --- while it is being written --------------------------------------------------------------------------------------


def to_the_brim(ledger: Ledger) -> None:
    """Give SQLite not a page more than it has: what it says then is what it says on a full disk."""
    (pages,) = ledger.connection.execute("PRAGMA page_count").fetchone()
    ledger.connection.execute(f"PRAGMA max_page_count = {pages}")


class TestWriting:
    """The writers, on a real loop."""

    @pytest.fixture
    def anyio_backend(self) -> tuple[str, dict]:
        return "asyncio", {}

    @pytest.fixture(params=[InlineWriter, GroupCommitWriter], ids=["inline", "in groups"])
    def writer(self, request: pytest.FixtureRequest, path: Path):
        opened = request.param(path)
        yield opened
        opened.close()

    @pytest.mark.anyio
    async def test_a_full_disk_fails_everyone_who_writes_with_its_sentence(self, writer, path: Path) -> None:
        """Nobody is told that something was written that was not, and nothing half written stays."""
        await writer.write(to_the_brim)
        said: list[str] = []

        async def write(number: int) -> None:
            try:
                await writer.write(lambda ledger: ledger.intend(1, intent(number), 2.0), durable=True)
            except LedgerError as error:
                said.append(str(error))

        async with anyio.create_task_group() as tasks:
            for number in range(1_001, 1_101):
                tasks.start_soon(write, number)
        jobs = await writer.write(lambda ledger: ledger.all_jobs())
        assert len(jobs) + len(said) == 400
        assert said
        assert set(said) == {f"{path}: the disk is full, so nothing more can be bought safely; make room and run again"}

    @pytest.mark.anyio
    async def test_once_it_has_failed_nothing_more_is_asked_for_and_answers_are_still_written(self, writer) -> None:
        """An intent is refused even where there is room again; the id of a job that had left is recorded."""
        sent = await writer.write(lambda ledger: ledger.intend(1, intent(1_000), 2.0))
        await writer.write(to_the_brim)
        with pytest.raises(LedgerError, match="the disk is full"):
            await writer.write(lambda ledger: [ledger.intend(1, intent(number), 2.0) for number in range(2_000, 2_100)])
        await writer.write(lambda ledger: ledger.connection.execute("PRAGMA max_page_count = 1000000"))
        for asking in (
            lambda ledger: ledger.intend(1, intent(3_000), 2.0),
            lambda ledger: ledger.resend(sent.row, 1, 3.0),
        ):
            with pytest.raises(LedgerError, match="the disk is full"):
                await writer.write(asking)
        job = await writer.write(lambda ledger: ledger.accept(sent.row, "job_x", 3.0, replay_proven=False))
        assert job.state is State.ACCEPTED

    @pytest.mark.anyio
    async def test_a_page_that_is_damaged_while_it_is_open_is_the_same_sentence(self, writer, path: Path) -> None:
        """A later read finds it, inside a change: damage is not taken for a defect of one take."""
        await writer.write(lambda ledger: ledger.connection.execute("PRAGMA cache_size = 0"))
        garble_from_page(path, 10)
        with pytest.raises(LedgerError, match="the ledger is damaged"):
            await writer.write(lambda ledger: ledger.all_jobs())
        with pytest.raises(LedgerError, match="the ledger is damaged"):
            await writer.write(lambda ledger: ledger.intend(1, intent(1_000), 2.0), durable=True)

    @pytest.mark.anyio
    async def test_nonsense_that_is_found_while_writing_stops_the_writing(self, writer) -> None:
        """A job in a state that there is none of is damage, wherever it is met."""
        await writer.write(lambda ledger: ledger.connection.execute("UPDATE jobs SET state = 'nonsense' WHERE job = 1"))
        with pytest.raises(LedgerError, match="the ledger is damaged"):
            await writer.write(lambda ledger: ledger.complete(1, 3.0, None, None))
        with pytest.raises(LedgerError, match="the ledger is damaged"):
            await writer.write(lambda ledger: ledger.complete(9_999, 3.0, None, None))

    @pytest.mark.anyio
    @pytest.mark.parametrize("put", ["nothing", "another one"])
    async def test_a_ledger_that_is_taken_away_is_noticed_before_the_next_write(
        self, writer, path: Path, put: str
    ) -> None:
        """SQLite would write on into a file that nobody will ever find again."""
        take_away(path)
        if put == "another one":
            shutil.copy(path.with_name("aside"), path)
        with pytest.raises(LedgerError, match=r"moved, removed or replaced during the run.*put it back"):
            await writer.write(lambda ledger: ledger.intend(1, intent(1_000), 2.0), durable=True)

    @pytest.mark.anyio
    async def test_a_disk_that_really_is_full_says_so(self, tmp_path: Path) -> None:
        """Making a ledger there, and writing until nothing goes in any more; with room again, all of it is there."""
        with small_disk(tmp_path / "disk", 400) as disk:
            path = disk.folder / "ledger.sqlite3"
            disk.fill()
            with pytest.raises(LedgerError, match="the disk is full"):
                connect(path)
            disk.make_room()
            writer = GroupCommitWriter(path)
            await writer.write(lambda ledger: ledger.open_run("game", "real", 1.0))
            written: list[int] = []

            def one_more(ledger: Ledger) -> int:
                return ledger.intend(1, intent(len(written) + 1), 2.0).key.take

            disk.fill(100_000)
            with pytest.raises(LedgerError, match="the disk is full"):
                while True:
                    written.append(await writer.write(one_more, durable=True))
            writer.close()
            disk.make_room()
            ledger = Ledger(connect(path))
            assert len(written) > 0
            assert [job.key.take for job in ledger.all_jobs()] == written
            ledger.close()

    @pytest.mark.anyio
    async def test_a_disk_that_is_read_only_says_so(self, tmp_path: Path) -> None:
        """To whoever would write; a reader reads it all the same, and makes nothing beside it."""
        with small_disk(tmp_path / "disk", 400) as disk:
            path = disk.folder / "ledger.sqlite3"
            connect(path).close()
            disk.make_read_only()
            with pytest.raises(LedgerError, match="make it and its folder readable and writable"):
                await InlineWriter(path).write(lambda ledger: ledger.open_run("game", "real", 1.0))
            connect_to_read(path).close()
            disk.make_writable()
            assert [file.name for file in disk.folder.iterdir()] == ["ledger.sqlite3"]
