"""Every trouble with a folder, the disk or the ledger ends a run with one sentence and exit 5, and nothing is lost.

What was paid for, the ledger, the last good assets and the index stand as they were, and once the trouble is gone the
same words go on with it and buy nothing twice.
"""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from boundaries import BOUNDARIES, watched
from worlds import HEAD, World, error, is_media, is_poll, is_submit, status

from pipeline.files import FolderError
from pipeline.jobs import State
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import LedgerError

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from boundaries import When

pytestmark = pytest.mark.anyio

THREE = "".join(f"  t{number}: {{prompt: piece {number}}}\n" for number in range(3))
ONE = "  menu: {prompt: calm menu}\n"
#: Where a file or the ledger is written. A POST is not, and its troubles are the gateway's.
WRITES = tuple(name for name in BOUNDARIES if name != "POST")
#: One of each that writes: the ledger, a download, a finisher, and the output folder.
WRITERS = ("intent", "download", "finish", "asset rename", "index")


class Refusal:
    """From the `nth` time on that the run reaches `boundary`, the system refuses with `code` until it is `over`."""

    def __init__(self, boundary: str, code: int, nth: int = 1) -> None:
        self.boundary = boundary
        self.code = code
        self.left = nth
        self.refused = 0

    def __call__(self, name: str, when: When) -> None:
        if (name, when) != (self.boundary, "before"):
            return
        self.left -= 1
        if self.left <= 0:
            self.refused += 1
            raise OSError(self.code, os.strerror(self.code), "/disk/file")


async def ended(world: World, tracks: str = THREE, **options: object) -> tuple[int, str]:
    """The exit status of a run, and the sentence that it stopped with."""
    try:
        result = await world.run(tracks, **options)
    except (FolderError, LedgerError) as stopped:  # the command line makes 5 of these
        return 5, str(stopped)
    return result.exit, "" if result.stop is None else result.stop.message


def one_sentence(text: str) -> bool:
    return bool(text) and "\n" not in text and "Traceback" not in text and "defect" not in text


@pytest.mark.parametrize(
    ("boundary", "code", "remedy", "nth"),
    [
        *(pytest.param(name, errno.ENOSPC, "make room there", 1, id=f"{name}, full") for name in WRITES),
        *(pytest.param(name, errno.ENOSPC, "make room there", 2, id=f"{name}, full at the second") for name in WRITES),
        *(pytest.param(name, errno.EROFS, "make it writable", 1, id=f"{name}, read-only") for name in WRITERS),
    ],
)
async def test_a_disk_that_refuses_ends_the_run_and_the_next_goes_on(
    world: World, boundary: str, code: int, remedy: str, nth: int
) -> None:
    """Wherever it happens: one sentence, exit 5, and afterwards every asset is there and paid for once."""
    refusal = Refusal(boundary, code, nth)
    with watched(refusal):
        exit_status, sentence = await ended(world)
    if refusal.refused:  # an index is written once a run
        assert exit_status == 5
        assert one_sentence(sentence)
        assert remedy in sentence
        assert os.strerror(code).lower() in sentence
    else:
        assert (exit_status, boundary, nth) == (0, boundary, 2)
    assert await ended(world) == (0, "")
    assert sorted(world.index) == ["t0.wav", "t1.wav", "t2.wav"]
    assert len(world.app.state.gateway.books.jobs) == 3
    assert [job.state for job in world.jobs] == [State.COLLECTED] * 3
    assert world.report["to_date"]["billed_usd"] == pytest.approx(0.006)


@pytest.mark.parametrize("boundary", ["finish", "asset on the books", "asset rename", "index", "report"])
async def test_the_last_good_asset_and_its_row_stand(world: World, boundary: str) -> None:
    """A finishing that a full disk ends leaves what stood there, or the new one whole, and never pays for it again."""
    await world.run(ONE)
    before = (world.output / "menu.wav").read_bytes()
    louder = HEAD.replace("outputs: [wav]", "outputs: [wav], loudness: {target: -20}")
    with watched(Refusal(boundary, errno.ENOSPC)):
        exit_status, sentence = await ended(world, ONE, head=louder)
    assert (exit_status, one_sentence(sentence)) == (5, True)
    late = boundary in ("index", "report")
    assert ((world.output / "menu.wav").read_bytes() != before) is late
    assert "menu.wav" in world.index
    assert await ended(world, ONE, head=louder) == (0, "")
    assert (world.output / "menu.wav").read_bytes() != before
    assert len(world.network.submits) == 1


async def test_a_ledger_that_fills_up_in_the_middle_of_a_run_buys_nothing_more(world: World) -> None:
    """SQLite's own word for a full disk, inside of a transaction: not a defect of one take while others go on."""
    opening = Ledger.open_run

    def to_the_brim(ledger: Ledger, *words: object) -> object:
        opened = opening(ledger, *words)
        (pages,) = ledger.connection.execute("PRAGMA page_count").fetchone()
        ledger.connection.execute(f"PRAGMA max_page_count = {pages + 1}")
        return opened

    many = "".join(f"  t{number}: {{prompt: {'la ' * 400} {number}}}\n" for number in range(20))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "open_run", to_the_brim)
        exit_status, sentence = await ended(world, many)
    sent = len(world.network.submits)
    assert (exit_status, sent < 20) == (5, True)
    assert sentence.endswith("the disk is full, so nothing more can be bought safely; make room and run again")
    assert await ended(world, many) == (0, "")
    assert len(world.app.state.gateway.books.jobs) == 20


def to_jobs(world: World, sentence: str) -> None:
    import sqlite3

    ledger = sqlite3.connect(world.state / "ledger.sqlite3", timeout=0)
    ledger.execute(sentence)
    ledger.commit()
    ledger.close()


async def test_a_ledger_that_is_damaged_during_a_run_ends_it(world: World) -> None:
    """A state that there is none of appears behind the run's back: it stops, and sends nothing more."""

    def once_submitted(request: httpx.Request) -> None:
        if is_poll(request):
            to_jobs(world, "UPDATE jobs SET state = 'nonsense' WHERE state = 'accepted'")

    world.network.before.append(once_submitted)
    exit_status, sentence = await ended(world, concurrency=2)
    assert (exit_status, len(world.network.submits)) == (5, 2)
    assert "the ledger is damaged; keep it, and restore a copy" in sentence
    world.network.before.clear()
    assert (await ended(world))[0] == 5  # and never starts on it
    assert len(world.network.submits) == 2
    to_jobs(world, "UPDATE jobs SET state = 'accepted' WHERE state = 'nonsense'")
    assert await ended(world) == (0, "")
    assert len(world.app.state.gateway.books.jobs) == 3


@pytest.mark.parametrize("put", ["nothing", "an empty folder"])
@pytest.mark.parametrize("which", ["state", "output"])
@pytest.mark.parametrize("when", [is_submit, is_poll, is_media], ids=["at a submit", "at a poll", "at a download"])
async def test_a_folder_that_is_taken_away_during_a_run_ends_it(
    world: World, which: str, put: str, when: Callable[[httpx.Request], bool]
) -> None:
    """One sentence that says to put it back, and nothing is made in its place; once it is back, nothing is lost."""
    folder, aside = world.folder / which, world.folder / "aside"
    sent: list[int] = []

    def take_away(request: httpx.Request) -> None:
        if when(request) and not aside.exists():
            folder.rename(aside)
            sent.append(len(world.network.submits))
            if put == "an empty folder":
                folder.mkdir()

    world.network.before.append(take_away)
    exit_status, sentence = await ended(world, concurrency=1)
    assert (exit_status, one_sentence(sentence)) == (5, True)
    assert "put it back, and run again" in sentence
    assert not folder.exists() or list(folder.iterdir()) == []
    if which == "state":
        assert [len(world.network.submits)] == sent
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)
    world.network.before.clear()
    assert await ended(world) == (0, "")
    assert len(world.app.state.gateway.books.jobs) == 3
    assert sorted(world.index) == ["t0.wav", "t1.wav", "t2.wav"]


async def test_a_file_in_the_place_of_the_output_folder_is_a_sentence(world: World) -> None:
    """It is left alone, and moving it away is all there is to do."""
    world.output.write_text("mine")
    exit_status, sentence = await ended(world)
    assert (exit_status, world.network.submits) == (5, [])
    assert sentence.startswith(f"{world.output}/assets.json: not a directory; ")
    assert "move away what stands there, and run again" in sentence
    assert world.output.read_text() == "mine"
    world.output.unlink()
    assert await ended(world) == (0, "")


@pytest.mark.parametrize("stands", ["a folder", "half of it", "a link to nothing"])
async def test_a_source_that_is_no_longer_one_is_downloaded_again_and_not_bought(world: World, stands: str) -> None:
    """Paid for once, and the gateway still has it."""
    await world.run(ONE)
    (source,) = (path for path in (world.state / "sources").rglob("*.wav"))
    content = source.read_bytes()
    source.unlink()
    if stands == "a folder":
        source.mkdir()
    elif stands == "half of it":
        source.write_bytes(content[: len(content) // 2])
    else:
        source.symlink_to(world.folder / "nothing")
    louder = HEAD.replace("outputs: [wav]", "outputs: [wav], loudness: {target: -20}")
    result = await world.run(ONE, head=louder)
    if stands == "a folder":
        assert result.exit == 5
        assert "move away what stands there, and run again" in result.stop.message
        source.rmdir()
        result = await world.run(ONE, head=louder)
    assert (result.exit, status(result), error(result)) == (0, "generated", "")
    assert source.read_bytes() == content
    assert len(world.network.submits) == 1
