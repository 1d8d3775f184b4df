"""The real program with a disk, a folder or a ledger in trouble: exit 5, one sentence, its document, nothing lost.

It finishes audio inline, but where the full disk is the one that a worker process writes to.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from disks import small_disk
from lives import Ended
from programs import MANIFEST, program
from quick_gateway import quick_gateway

from pipeline.local_gateway.composition import CannedComposer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lives import Lives

    from pipeline.local_gateway.serving import LocalGatewayThread

KEY = {"AIGATEWAY_API_KEY": "sk-aig-1"}


@dataclass(frozen=True)
class Buyer:
    """Somebody who runs the manifest in a folder, again and again, against one gateway."""

    lives: Lives
    gateway: LocalGatewayThread
    folder: Path

    def run(self, *words: str, **how: Any) -> Ended:
        """`pipeline run demo.yaml --json WORDS`; `how`: as in `Lives.live`."""
        return self.does("run", "--json", *words, **how)

    def does(self, command: str, *words: str, **how: Any) -> Ended:
        where = ("--gateway", self.gateway.base_url)
        return self.lives.live(self.folder, command, "demo.yaml", *where, *words, **KEY, **how)

    @property
    def bought(self) -> int:
        """How many jobs the gateway has ever made, by its own books."""
        return len(self.gateway.app.state.gateway.books.jobs)


@pytest.fixture
def buyer(folder: Path, lives: Lives) -> Iterator[Buyer]:
    """Nothing was bought yet. A source has 768,000 bytes, more than the ledger and its log."""
    with quick_gateway(composer=CannedComposer(sample_rate=192_000)) as gateway:
        yield Buyer(lives, gateway, folder)


@pytest.fixture(scope="module")
def one_run(tmp_path_factory: pytest.TempPathFactory, lives: Lives) -> Iterator[Buyer]:
    """Everything was made: not to be changed."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "demo.yaml").write_text(MANIFEST)
    with quick_gateway() as gateway:
        buyer = Buyer(lives, gateway, folder)
        ended = buyer.run()
        assert ended.status == 0, ended.stderr
        yield buyer


@pytest.fixture
def finished(one_run: Buyer, tmp_path: Path) -> Buyer:
    """A folder in which everything was made, of one's own."""
    return replace(one_run, folder=Path(shutil.copytree(one_run.folder, tmp_path / "finished")))


def the_sentence(ended: Ended) -> str:
    """The one sentence that the program ended with: to the person and, where that was asked for, in the document."""
    assert ended.status == 5, ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout
    told = [line for line in ended.stderr.splitlines() if line.startswith("pipeline: ")]
    stopped = [line for line in ended.stderr.splitlines() if line.startswith("Stopped:")]
    assert len(told) + len(stopped) == 1, ended.stderr
    document = json.loads(ended.stdout)
    assert (document["ok"], document["exit"]) == (False, 5)
    sentence = document["error"]
    last = "Stopped:" if stopped else "pipeline:"
    words = " ".join(ended.stderr.split())  # the end of a run is told in lines of 80
    assert f"{last} {sentence}" in words
    assert not [line for line in ended.stderr.splitlines() if line.startswith("! ")], "said once for each track too"
    assert "\n" not in sentence
    return sentence


def content(folder: Path) -> dict[str, bytes]:
    """Everything that was paid for or is worth keeping."""
    kept = [path for part in ("output", ".pipeline/sources") for path in (folder / part).rglob("*")]
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in kept
        if path.is_file() and not path.name.startswith(".pipeline.lock")
    }


def ledger_of(folder: Path) -> Path:
    return folder / ".pipeline" / "ledger.sqlite3"


def change(folder: Path, sentence: str) -> None:
    with closing(sqlite3.connect(ledger_of(folder))) as ledger:
        ledger.execute(sentence)
        ledger.commit()


def overwrite(path: Path, at: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * length)


def replace_by_folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def replace_by_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def another_programs(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE notes (text)")


TROUBLES: dict[str, tuple[Callable[[Path], object], str]] = {
    "head overwritten": (lambda folder: overwrite(ledger_of(folder), 0, 64), "the ledger is damaged"),
    "cut short": (lambda folder: os.truncate(ledger_of(folder), 8192), "the ledger is damaged"),
    "emptied": (lambda folder: os.truncate(ledger_of(folder), 0), "the ledger is damaged"),
    "log is garbage": (
        lambda folder: ledger_of(folder).with_name("ledger.sqlite3-wal").write_bytes(b"garbage" * 999),
        "the ledger is damaged",
    ),
    "nonsense in it": (
        lambda folder: change(folder, "UPDATE jobs SET state = 'nonsense' WHERE job = 1"),
        "the ledger is damaged",
    ),
    "newer": (lambda folder: change(folder, "PRAGMA user_version = 99"), "from a newer version of this program"),
    "another program's": (lambda folder: another_programs(ledger_of(folder)), "another program's database"),
    "a folder": (lambda folder: replace_by_folder(ledger_of(folder)), "a link, a folder or a device"),
    "a link": (lambda folder: replace_by_link(ledger_of(folder)), "a link, a folder or a device"),
    "lock is a folder": (
        lambda folder: replace_by_folder(folder / ".pipeline/.pipeline.lock"),
        "can't be locked (is a directory); move away what stands there",
    ),
    "lock is a link": (
        lambda folder: replace_by_link(folder / "output/.pipeline.lock"),
        "can't be locked (too many levels of symbolic links); move away what stands there",
    ),
    "index is a folder": (
        lambda folder: replace_by_folder(folder / "output/assets.json"),
        "assets.json: is a directory; nothing that was paid for is lost: move away what stands there",
    ),
}


@pytest.mark.parametrize(("harm", "said"), TROUBLES.values(), ids=TROUBLES)
def test_a_trouble_that_is_there_at_the_start_is_one_sentence(
    finished: Buyer, harm: Callable[[Path], object], said: str
) -> None:
    """Sources, assets, index and reports stand as they were."""
    harm(finished.folder)
    before = content(finished.folder)
    assert said in the_sentence(finished.run())
    assert content(finished.folder) == before


def test_a_page_that_nobody_reads_is_found_before_anything_is_bought(finished: Buyer) -> None:
    """A plan has no need of the list of charges; a run trusts no part of such a ledger. Put back, it goes on."""
    ledger_path, bought = ledger_of(finished.folder), finished.bought
    whole = ledger_path.read_bytes()
    with closing(sqlite3.connect(ledger_path)) as ledger:
        (page,) = ledger.execute("SELECT rootpage FROM sqlite_master WHERE name = 'charges'").fetchone()
    overwrite(ledger_path, (page - 1) * 4096, 4096)
    assert finished.does("plan").status == 0
    before = content(finished.folder)
    assert "the ledger is damaged" in the_sentence(finished.run("--regenerate", "menu"))
    assert (content(finished.folder), finished.bought) == (before, bought)
    ledger_path.write_bytes(whole)
    again = finished.run()
    assert (again.status, json.loads(again.stdout)["totals"]["kept"]) == (0, 3), again.stderr


WITHOUT_LOCKS = """\
import errno, fcntl, os, sys
def flock(*_): raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
fcntl.flock = flock
from pipeline.__main__ import main
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="these are the locks of Unix")
def test_a_folder_without_locks_is_one_sentence(folder: Path) -> None:
    """As on some network disks: nothing is bought where two runs could buy the same."""
    words = ("run", "demo.yaml", "--gateway", "local", "--json")
    ended = program(folder, sys.executable, "-c", WITHOUT_LOCKS, *words)
    said = Ended(ended.returncode, 0, ended.stdout, ended.stderr)
    assert "its file system has no locks, so two runs could buy the same" in the_sentence(said)


@pytest.mark.parametrize("option", ["--state", "--output"])
@pytest.mark.parametrize("there", [True, False], ids=["there", "to be made"])
def test_a_read_only_folder_is_one_sentence(finished: Buyer, option: str, *, there: bool) -> None:
    """Said before anything is sent; made writable, the same words go on."""
    with small_disk(finished.folder.with_name("disk"), 4_000) as disk:
        kept = finished.folder / (".pipeline" if option == "--state" else "output")
        place = disk.folder / "place"
        if there:
            shutil.copytree(kept, place)
        disk.make_read_only()
        sentence = the_sentence(finished.run(option, str(place)))
        assert sentence.startswith(f"{place}")
        assert "read-only file system" in sentence
        assert "writable" in sentence
        disk.make_writable()
        again = finished.run(option, str(place))
        assert again.status == 0, again.stderr


@pytest.mark.long
@pytest.mark.parametrize(
    ("option", "kilobytes", "only", "where"),
    [
        pytest.param("--state", 0, "**", "/ledger.sqlite3", id="state, from the start"),
        pytest.param("--state", 100, "**", "/ledger.sqlite3", id="state, at the ledger"),
        # With several pieces, what is left by one may be too little for the ledger first.
        pytest.param("--state", 600, "menu", "/sources/incoming/", id="state, at a source"),
        pytest.param("--output", 4, "**", ".wav.part", id="output"),
    ],
)
def test_a_disk_that_fills_up_ends_the_run_and_with_room_the_next_goes_on(
    buyer: Buyer, option: str, kilobytes: int, only: str, where: str
) -> None:
    """A real file system with so much left: exit 5, one sentence; then all is there, each piece paid for once."""
    with small_disk(buyer.folder / "disk", 8_000) as disk:
        disk.fill(kilobytes * 1_000)
        workers = option == "--output"
        sentence = the_sentence(buyer.run(option, "disk/place", "--only", only, workers=workers))
        assert "the disk is full" in sentence or "no space left on device" in sentence
        assert "make room" in sentence
        assert where in sentence
        disk.make_room()
        again = buyer.run(option, "disk/place")
        assert again.status == 0, again.stderr
        assert (json.loads(again.stdout)["totals"]["billed_usd"], buyer.bought) == (pytest.approx(0.006), 3)


@pytest.mark.parametrize(
    ("limit", "where"),
    [
        pytest.param(20_000, "/ledger.sqlite3", id="the ledger"),
        pytest.param(300_000, "/sources/incoming/", id="a source"),
    ],
)
def test_a_file_that_may_grow_no_more_is_one_sentence(buyer: Buyer, limit: int, where: str) -> None:
    """As with a quota: the ledger can't be made, or a source is too long; without it, everything comes home."""
    assert where in the_sentence(buyer.run(file_bytes=limit))
    again = buyer.run()
    assert again.status == 0, again.stderr
    assert buyer.bought == 3
