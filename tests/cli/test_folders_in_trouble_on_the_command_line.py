"""The real program with a disk, a folder or a ledger in trouble: exit 5, one sentence, its document, nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from disks import small_disk
from programs import MANIFEST, Served, pipeline, program

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

RUN = ("run", "demo.yaml", "--gateway", "local", "--json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "demo.yaml").write_text(MANIFEST)
    return tmp_path


@pytest.fixture(scope="module")
def one_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run leaves: not to be changed."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "demo.yaml").write_text(MANIFEST)
    ended = pipeline(folder, *RUN)
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.fixture
def finished(one_run: Path, tmp_path: Path) -> Path:
    """A folder in which everything was made, of one's own."""
    return Path(shutil.copytree(one_run, tmp_path / "finished"))


def the_sentence(ended: subprocess.CompletedProcess[str]) -> str:
    """The one sentence that the program ended with: to the person and, where that was asked for, in the document."""
    assert ended.returncode == 5, ended.stderr
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
    finished: Path, harm: Callable[[Path], object], said: str
) -> None:
    """Sources, assets, index and reports stand as they were."""
    harm(finished)
    before = content(finished)
    assert said in the_sentence(pipeline(finished, *RUN))
    assert content(finished) == before


def test_a_page_that_nobody_reads_is_found_before_anything_is_bought(finished: Path) -> None:
    """A plan has no need of the list of charges; a run trusts no part of such a ledger. Put back, it goes on."""
    whole = ledger_of(finished).read_bytes()
    with closing(sqlite3.connect(ledger_of(finished))) as ledger:
        (page,) = ledger.execute("SELECT rootpage FROM sqlite_master WHERE name = 'charges'").fetchone()
    overwrite(ledger_of(finished), (page - 1) * 4096, 4096)
    assert pipeline(finished, "plan", "demo.yaml", "--gateway", "local").returncode == 0
    before = content(finished)
    assert "the ledger is damaged" in the_sentence(pipeline(finished, *RUN, "--regenerate", "menu"))
    assert content(finished) == before
    ledger_of(finished).write_bytes(whole)
    again = pipeline(finished, *RUN)
    assert (again.returncode, json.loads(again.stdout)["totals"]["kept"]) == (0, 3), again.stderr


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
    ended = program(folder, sys.executable, "-c", WITHOUT_LOCKS, *RUN)
    assert "its file system has no locks, so two runs could buy the same" in the_sentence(ended)


@pytest.mark.parametrize("option", ["--state", "--output"])
@pytest.mark.parametrize("there", [True, False], ids=["there", "to be made"])
def test_a_read_only_folder_is_one_sentence(finished: Path, option: str, *, there: bool) -> None:
    """Said before anything is sent; made writable, the same words go on."""
    with small_disk(finished.with_name("disk"), 4_000) as disk:
        kept = finished / (".pipeline" if option == "--state" else "output")
        place = disk.folder / "place"
        if there:
            shutil.copytree(kept, place)
        disk.make_read_only()
        words = (*RUN, option, str(place))
        sentence = the_sentence(pipeline(finished, *words))
        assert sentence.startswith(f"{place}")
        assert "read-only file system" in sentence
        assert "writable" in sentence
        disk.make_writable()
        again = pipeline(finished, *words)
        assert again.returncode == 0, again.stderr


@pytest.fixture
def served(folder: Path) -> Iterator[Served]:
    """A gateway that writes down its jobs."""
    gateway = Served(folder, "--latency", "0.3", "--rpm", "0", "--state", "gateway")
    yield gateway
    gateway.stop()


def jobs_made(folder: Path) -> int:
    """How many jobs the gateway has ever made, from its own books."""
    lines = (folder / "gateway/jobs.jsonl").read_text().splitlines()
    return len({json.loads(line)["id"] for line in lines})


@pytest.mark.parametrize(
    ("option", "kilobytes"),
    [("--state", 0), ("--state", 100), ("--state", 600), ("--output", 4)],
    ids=["state, from the start", "state, at the ledger", "state, at a source", "output"],
)
def test_a_disk_that_fills_up_ends_the_run_and_with_room_the_next_goes_on(
    folder: Path, served: Served, option: str, kilobytes: int
) -> None:
    """A real file system with so much left: exit 5, one sentence; then all is there, each piece paid for once."""
    with small_disk(folder / "disk", 8_000) as disk:
        words = ("run", "demo.yaml", "--gateway", served.url, "--json", option, "disk/place")
        disk.fill(kilobytes * 1_000)
        sentence = the_sentence(pipeline(folder, *words, AIGATEWAY_API_KEY="sk-aig-1"))
        assert "the disk is full" in sentence or "no space left on device" in sentence
        assert "make room" in sentence
        disk.make_room()
        again = pipeline(folder, *words, AIGATEWAY_API_KEY="sk-aig-1")
        assert again.returncode == 0, again.stderr
        totals = json.loads(again.stdout)["totals"]
        assert (totals["billed_usd"], jobs_made(folder)) == (pytest.approx(0.006), 3)


LIMITED = """\
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
from pipeline.__main__ import main
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="there are no such limits")
@pytest.mark.parametrize("limit", [20_000, 150_000], ids=["the ledger", "a source"])
def test_a_file_that_may_grow_no_more_is_one_sentence(folder: Path, served: Served, limit: int) -> None:
    """As with a quota: the ledger can't be made, or a source is too long; without it, everything comes home."""
    words = ("run", "demo.yaml", "--gateway", served.url, "--json")
    ended = program(folder, sys.executable, "-c", LIMITED, str(limit), *words, AIGATEWAY_API_KEY="sk-aig-1")
    the_sentence(ended)
    again = pipeline(folder, *words, AIGATEWAY_API_KEY="sk-aig-1")
    assert again.returncode == 0, again.stderr
    assert jobs_made(folder) == 3
