"""What is always looked at the long way, what a stamp is taken of, and what it vouches for."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from changes import CHANGES, FILES
from libraries import KEY, let_a_moment_pass

from pipeline.noop import hashes, looking, stamp
from pipeline.noop.stamp import load, save
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from libraries import Library
    from lives import Lives

PROGRAM = Path(hashes.__file__).parents[1]

#: What the long way has to see, though it may then find nothing to do either.
NOTICED = (
    *(f"{name} {how}" for name in FILES for how in ("deleted", "truncated", "edited", "edited, its time put back")),
    *(f"{name} replaced by as long a one of the same time" for name in FILES),
    *("a lost report", "somebody holds the state folder", "somebody holds the output folder"),
    *("an open run", "an open run in the ledger's log", "a job that is still out", "no state", "another output folder"),
    *(OF_A_MISSING_LOCK := ("a lock file", "a lock that was left behind", "another manifest and its lock")),
)


@pytest.fixture(params=[0, stamp.YOUNG_NS], ids=["sure", "young"])
def age(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are believed by what the file system says, and files that are hashed."""
    monkeypatch.setattr(stamp, "YOUNG_NS", request.param)


@pytest.mark.usefixtures("age")
@pytest.mark.parametrize("name", NOTICED)
def test_what_may_leave_something_to_do_takes_the_long_way(make_library: Callable[[str], Library], name: str) -> None:
    """Any doubt does."""
    library = make_library("local" if name in OF_A_MISSING_LOCK else "real")
    library.at_length("plan", *library.words)
    let_a_moment_pass()
    CHANGES[name](library)
    assert library.at_once("plan", *library.words) is None
    assert library.at_once("run", *library.words) is None


@pytest.mark.parametrize(
    "words",
    [
        ("--regenerate", "menu"),
        ("--new-run",),
        ("--on-finish", "true"),
        ("--webhook-url", "http://127.0.0.1", "--webhook-listen", "127.0.0.1:9"),
        ("--json",),
        ("--verbose",),
    ],
    ids=" ".join,
)
def test_some_words_always_take_the_long_way(library: Library, words: tuple[str, ...]) -> None:
    """What pays again on purpose, starts afresh, listens, or says more than a stamp has kept."""
    library.at_length("plan", *library.words)
    assert library.at_once("run", *library.words, *words) is None
    assert library.at_once("run", *library.words) is not None


def test_a_version_is_not_answered_for_by_another(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor one user for another, nor one Python."""
    library.at_length("plan", *library.words)
    for name, value in (
        ("pipeline.cli.at_once.VERSION", "9.9.9"),
        ("sys.hexversion", 1),
        ("os.geteuid", lambda: 12345),
        ("pipeline.__file__", "/elsewhere/pipeline/__init__.py"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(name, value)
            assert library.at_once("plan", *library.words) is None
    assert library.at_once("plan", *library.words) is not None


@pytest.mark.usefixtures("whole_program")
def test_another_program_of_the_same_version_is_noticed(library: Library, tmp_path: Path) -> None:
    """Whoever works on the program itself does not count its version up at each step."""
    copy = tmp_path / "program"
    shutil.copytree(PROGRAM, copy / "pipeline")
    with mock.patch("pipeline.__file__", str(copy / "pipeline/__init__.py")):
        library.at_length("plan", *library.words)
        assert library.at_once("plan", *library.words) is not None
        let_a_moment_pass()
        with (copy / "pipeline/planning/decisions.py").open("a") as file:
            file.write("\n")
        assert library.at_once("plan", *library.words) is None


@pytest.mark.parametrize("command", ["plan", "run"])
def test_nothing_is_imported_that_a_start_with_nothing_to_do_does_not_need(library: Library, command: str) -> None:
    """The rooms of sound, network, tables and words are for those who have something to do."""
    library.at_length("plan", *library.words)
    unneeded = (
        "numpy httpx starlette uvicorn pydub soundfile pydantic yaml click anyio asyncio sqlite3 json filelock tqdm"
    )
    unneeded += " re typing pathlib contextlib dataclasses hashlib argparse pipeline.workspace pipeline.cli.app"
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1))\n"
        "from pipeline.__main__ import main\n"
        "try: main()\n"
        "except SystemExit as ended: assert not ended.code\n"
        f"print([name for name in {unneeded.split()!r} if name in sys.modules])"
    )
    # Without `site`: an editable installation may bring modules of its own.
    start = [sys.executable, "-I", "-S", "-c", program, str(PROGRAM.parent), command, *library.words]
    said = subprocess.run(start, cwd=library.folder, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "[]"
    assert "4 to keep" in said.stdout + said.stderr


def test_an_ongoing_run_is_never_answered_for(library: Library) -> None:
    """It holds the folders: another one is told so, and does not say that nothing is to be done."""
    library.at_length("plan", *library.words)
    with Workspace(library.folder / "output", library.folder / ".pipeline").locked():
        assert library.at_once("run", *library.words) is None
        assert library.at_length("run", *library.words).status == 5
    assert library.at_once("run", *library.words) is not None


def test_a_run_that_could_not_lock_its_folders_is_not_answered_for(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would have said so. A plan needs no lock."""
    library.at_length("plan", *library.words)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert library.at_once("run", *library.words) is None
    assert library.at_once("plan", *library.words) is not None


def test_a_ledger_that_appears_is_noticed(library: Library) -> None:
    """What the output folder proved without one may be otherwise with it."""
    ledger = library.folder / FILES["ledger"]
    ledger.rename(library.folder / "ledger")
    library.at_length("plan", *library.words)
    assert library.at_once("plan", *library.words) is not None
    (library.folder / "ledger").rename(ledger)
    assert library.at_once("plan", *library.words) is None


def test_a_source_that_comes_back_is_noticed(make_library: Callable[[str], Library]) -> None:
    """A local run leaves a real asset as it is while its source is gone; with it, it would finish it again."""
    library = make_library("real")
    sources = library.folder / ".pipeline/sources"
    sources.rename(library.folder / "lost")
    CHANGES["another loudness"](library)
    words = ("demo.yaml", "--gateway", "local", "--only", "menu")
    assert "a local run leaves it" in library.at_length("plan", *words).stdout
    assert library.at_once("plan", *words) is not None
    (library.folder / "lost").rename(sources)
    assert library.at_once("plan", *words) is None
    assert library.at_length("plan", *words, "--detailed-exitcode").status == 10


def test_an_obstacle_that_goes_away_is_no_surprise(library: Library) -> None:
    """Where one is in the way, no stamp is taken: without it there may be something to do."""
    CHANGES["a link out of the output folder"](library)
    assert library.at_length("plan", *library.words, "--detailed-exitcode").status == 0
    assert not library.stamps.exists()


def test_a_plan_that_time_alone_may_change_is_good_until_then(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a clock that was put back is not believed either."""
    made = Workspace.plan

    def until(self: Workspace, *given: Any) -> Any:
        import dataclasses

        return dataclasses.replace(made(self, *given), good_until=time.time() + 3600)

    monkeypatch.setattr(Workspace, "plan", until)
    library.at_length("plan", *library.words)
    assert library.at_once("plan", *library.words) is not None
    now_ns = time.time_ns()
    for hours, answered in ((0.9, True), (1.1, False), (-0.1, False)):
        with mock.patch.object(time, "time_ns", lambda hours=hours: now_ns + int(hours * 3600e9)):
            assert (library.at_once("plan", *library.words) is not None) is answered


def test_a_pick_that_has_grown_old_takes_the_long_way(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stamp is good until `refresh` is over; then plan and `--json` say what is to be bought, and why."""
    manifest = library.folder / "demo.yaml"
    manifest.write_text(manifest.read_text().replace("takes: 2}", "takes: 2, refresh: 1d}"))
    assert library.at_length("plan", *library.words, "--detailed-exitcode").status == 0
    assert library.at_once("plan", *library.words) is not None
    now = time.time()
    for hours, is_old in ((23, False), (25, True)):
        monkeypatch.setattr(time, "time", lambda hours=hours: now + hours * 3600)
        monkeypatch.setattr(time, "time_ns", lambda hours=hours: int((now + hours * 3600) * 1e9))
        assert (library.at_once("plan", *library.words) is None) is is_old
    assert library.at_length("plan", *library.words, "--detailed-exitcode").status == 10
    said = library.at_length("plan", *library.words).stdout
    assert "+ menu           1 x 2 s  placeholder  older than 1d, generated 25 hours ago" in said
    (menu, *others) = json.loads(library.at_length("plan", *library.words, "--json").stdout)["tracks"]
    assert (menu["status"], menu["why"]) == ("planned", "older than 1d, generated 25 hours ago")
    assert {track["status"] for track in others} == {"kept"}


# --- taking a stamp ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("age")
@pytest.mark.parametrize("name", FILES)
def test_what_changes_while_a_plan_is_made_is_noticed(
    make_library: Callable[[str], Library], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The plan may have seen it before, or after: no stamp is taken, or only of what it was."""
    library = make_library("real")
    made = Workspace.plan

    def plan(self: Workspace, *given: Any) -> Any:
        found = made(self, *given)
        let_a_moment_pass()
        CHANGES[f"{name} edited, its time put back"](library)
        return found

    monkeypatch.setattr(Workspace, "plan", plan)
    library.at_length("plan", *library.words)
    assert library.at_once("plan", *library.words) is None
    assert library.stamps.exists() is (name not in ("manifest", "lock", "index", "ledger", "old.wav"))


def test_a_plan_makes_no_folder_for_its_stamp(library: Library) -> None:
    """It leaves no trace where nothing was ever run."""
    shutil.rmtree(library.folder / ".pipeline")
    assert library.at_length("plan", *library.words, "--detailed-exitcode").status == 0
    assert not (library.folder / ".pipeline").exists()


def test_a_stamp_that_cant_be_kept_is_no_fault(library: Library) -> None:
    """What was asked for is said all the same."""
    library.stamps.write_text("a file")
    assert library.at_length("plan", *library.words).status == 0
    assert library.at_once("plan", *library.words) is None


def test_a_stamp_holds_no_key(make_library: Callable[[str], Library]) -> None:
    """Nor anything made of it: the same stamp answers whatever the key is."""
    library = make_library("real")
    library.at_length("plan", *library.words)
    (path,) = library.stamps.iterdir()
    content = path.read_bytes()
    assert KEY.encode() not in content
    library.environment["AIGATEWAY_API_KEY"] = "sk-aig-another"
    assert library.at_once("run", *library.words) is not None
    library.at_length("plan", *library.words)
    assert [other.name for other in library.stamps.iterdir()] == [path.name]


def test_two_sets_of_words_do_not_take_turns(library: Library) -> None:
    """Each has its stamp, and there are never many."""
    library.at_length("plan", *library.words)
    for number in range(20):
        library.at_length("plan", *library.words, "--only", "battle/*", "--budget", str(number))
    assert len(list(library.stamps.iterdir())) == 16
    library.at_length("plan", *library.words)
    assert library.at_once("plan", *library.words) is not None
    assert library.at_once("plan", *library.words, "--only", "battle/*", "--budget", "19") is not None


def test_what_a_killed_start_left_half_written_is_removed(library: Library) -> None:
    """Once it is old: another process may be at it."""
    library.stamps.mkdir()
    for name, age_s in ((".old.1.part", 3600), (".new.2.part", 0)):
        (library.stamps / name).touch()
        os.utime(library.stamps / name, (time.time() - age_s,) * 2)
    library.at_length("plan", *library.words)
    assert {path.name for path in library.stamps.iterdir() if path.name.startswith(".")} == {".new.2.part"}


# --- vouching for files -----------------------------------------------------------------------------------------------


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of the files that are hashed the long way."""
    found: list[str] = []
    before = hashes._hashed

    def watched(path: Any) -> Any:
        found.append(Path(path).name)
        return before(path)

    monkeypatch.setattr(hashes, "_hashed", watched)
    return found


@pytest.mark.usefixtures("nothing_is_young")
def test_the_long_way_hashes_only_what_has_changed(library: Library, hashed: list[str]) -> None:
    """Also for other words, and though the manifest is another: so a plan after a small change is fast."""
    library.at_length("plan", *library.words)
    assert {"menu.wav", "dragon.wav", "theme.wav"} <= set(hashed)
    let_a_moment_pass()
    CHANGES["a comment in the manifest"](library)
    hashed.clear()
    library.at_length("plan", *library.words)
    assert set(hashed) == {"demo.yaml"}
    let_a_moment_pass()
    CHANGES["menu.wav edited, its time put back"](library)
    hashed.clear()
    assert library.at_length("plan", *library.words, "--only", "**", "--detailed-exitcode").status == 10
    assert set(hashed) == {"menu.wav"}


def test_what_is_young_is_hashed_again(library: Library, hashed: list[str]) -> None:
    """What the file system says of it proves nothing yet."""
    library.at_length("plan", *library.words)
    hashed.clear()
    library.at_length("plan", *library.words)
    assert {"menu.wav", "dragon.wav", "theme.wav"} <= set(hashed)


@pytest.mark.long
@pytest.mark.usefixtures("nothing_is_young")
def test_check_takes_no_stamps_word(library: Library, lives: Lives) -> None:
    """It hashes and measures everything, whatever a stamp says of it."""
    library.at_length("plan", *library.words)
    (path,) = library.stamps.iterdir()
    let_a_moment_pass()
    CHANGES["menu.wav edited"](library)
    menu = library.folder / "output/menu.wav"
    forged = load(str(library.folder / ".pipeline"), path.name)
    forged.sure.stats[forged.sure.paths.index("menu.wav")] = stamp.status_of(menu.stat())
    save(forged, str(library.folder / ".pipeline"))
    assert library.at_once("plan", *library.words) is not None
    checked = lives.live(library.folder, "check", "demo.yaml")
    assert checked.status == 1
    assert re.search("menu.wav.*changed since it was made", checked.stdout)


def test_a_renewed_stamp_forgets_nothing(library: Library) -> None:
    """After any file was hashed, it knows of as many as before, and they are sure once they are old enough."""
    library.at_length("plan", *library.words)
    (path,) = library.stamps.iterdir()
    before = load(str(library.folder / ".pipeline"), path.name)
    held = looking.still_holds(
        before, *(str(library.folder / name) for name in ("output", ".pipeline")), time.time_ns()
    )
    assert held is not before
    known = [{*one.sure.paths, *one.young.paths} for one in (before, held)]
    assert known[0] == known[1]
    later = time.time_ns() + 10 * stamp.YOUNG_NS
    held = looking.still_holds(held, *(str(library.folder / name) for name in ("output", ".pipeline")), later)
    assert (held.young.paths, set(held.sure.paths)) == ([], known[0])


@pytest.mark.usefixtures("nothing_is_young")
def test_a_shards_stamp_says_nothing_of_the_rest(library: Library) -> None:
    """What is missing is missing in one shard: the other has nothing to do, and that is all that its stamp says."""
    let_a_moment_pass()
    with (library.folder / "demo.yaml").open("a") as manifest:
        manifest.write("  more: {prompt: more}\n")
    plans = {shard: (*library.words, "--shard", shard) for shard in ("1/2", "2/2")}
    missing, idle = sorted(plans, key=lambda one: "+ more" not in library.at_length("plan", *plans[one]).stdout)
    assert library.at_once("plan", *plans[missing]) is None
    assert library.at_once("plan", *library.words) is None
    told = library.at_once("run", *plans[idle])
    assert told is not None
    assert re.match(rf"shard {idle[0]} of 2: \d of 5 tracks\n", told.stdout)
    assert library.at_once("plan", *library.words, "--shard", f"{idle[0]}/3") is None
