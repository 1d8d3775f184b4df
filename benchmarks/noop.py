"""A run or plan with nothing to do, or with one track changed, beside Python's own start and the peers' no-op.

    make bench-noop

Every figure is of fresh processes that take turns, so that what else the machine does falls on all of them alike; a
ratio is the median of the ratios of each turn. Prints tables, then the figures that docs/build-systems.md promises with
their bounds; the exit status is 1 where one is missed. Peers that are not installed are named, and left out.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import noop_library
from claims import Claim, exit_status, told
from noop_peers import PEERS, prepared

TRACKS = (1_000, 10_000)
QUICK_TURNS = 25
SLOW_TURNS = 5
_SLOW = {"doit": 10_000, "snakemake": 1_000}  # the most targets that each is asked about
_OLD_ENOUGH_S = 2.5  # files that are older are believed by what the file system says of them

_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
_LOAD = (
    "import time, yaml; text = open({!r}).read(); began = time.perf_counter(); yaml.load(text, Loader=yaml.CSafeLoader)"
)
_YAML_ALONE = f"{_LOAD}; print(time.perf_counter() - began)"


@dataclass
class Contender:
    """A command, and what its processes took: wall clock and CPU, in seconds. `says_s`: it prints its own time."""

    name: str
    command: list[str]
    folder: Path
    says_s: bool = False
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def start(self) -> None:
        read, write = os.pipe()
        nowhere = (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)
        out = (os.POSIX_SPAWN_DUP2, write, 1) if self.says_s else (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
        os.chdir(self.folder)
        began = time.perf_counter()
        process = os.posix_spawn(self.command[0], self.command, _ENVIRONMENT, file_actions=[out, nowhere])
        _, status, usage = os.wait4(process, 0)
        wall = time.perf_counter() - began
        os.close(write)
        with os.fdopen(read) as said:
            wall = float(said.read()) if self.says_s else wall
        assert os.waitstatus_to_exitcode(status) == 0, self.command
        self.wall.append(wall)
        self.cpu.append(usage.ru_utime + usage.ru_stime)


def take_turns(contenders: list[Contender], turns: int) -> None:
    """All of them, one after the other, so many times, in an order that turns. The first time does not count."""
    for turn in range(turns + 1):
        for contender in contenders[turn % len(contenders) :] + contenders[: turn % len(contenders)]:
            contender.start()
    for contender in contenders:
        del contender.wall[0], contender.cpu[0]


def ratio(one: Contender, other: Contender) -> float:
    return statistics.median(mine / its for mine, its in zip(one.wall, other.wall, strict=True))


def table(contenders: list[Contender]) -> None:
    rows = [(c.name, f"{statistics.median(c.wall) * 1e3:,.0f}", f"{statistics.median(c.cpu) * 1e3:,.0f}", len(c.wall))
            for c in contenders]  # fmt: skip
    told([("", "ms", "ms of CPU", "turns"), *((*row[:3], str(row[3])) for row in rows)])


def python(folder: Path, name: str, *words: str, says_s: bool = False) -> Contender:
    return Contender(name, [sys.executable, *words], folder, says_s)


def no_op(folder: Path, tracks: int) -> list[Claim]:
    """Nothing to do, on so many targets."""
    words = (noop_library.MANIFEST, "--gateway", "local")
    start = python(folder, "python -c pass", "-c", "pass")
    run = python(folder, "pipeline run", "-m", "pipeline", "run", *words)
    plan = python(folder, "pipeline plan", "-m", "pipeline", "plan", *words)
    quick, slow = [start, run, plan], []
    assets = sorted(path.relative_to(folder / "output") for path in (folder / "output").rglob("*.ogg"))
    assert len(assets) == tracks
    for name in PEERS:
        if tracks > _SLOW.get(name, tracks):
            continue
        home = folder.parent / f"{name}-{tracks}"
        command = prepared(name, home, assets)
        if command is None:
            print(f"skipped: {name} is not installed here")
        else:
            (slow if name in _SLOW else quick).append(Contender(" ".join([name, *command[1:2]]), command, home))
    take_turns(quick, QUICK_TURNS)
    if slow:
        take_turns(slow, SLOW_TURNS)
    print(f"Nothing to do, {tracks:,} targets")
    table(quick + slow)
    claims = []
    if tracks <= TRACKS[0]:
        claims = [
            Claim(f"{one.name}, {tracks:,} tracks: times python -c pass", ratio(one, start), 4.0) for one in (run, plan)
        ]
    else:
        ninja = next((one for one in quick if one.name.startswith("ninja")), None)
        if ninja is None:
            print("skipped: what is held against ninja")
        else:
            claims = [
                Claim(f"{one.name}, {tracks:,} tracks: times ninja", ratio(one, ninja), 1.5) for one in (run, plan)
            ]
    return claims


def one_change(folder: Path, tracks: int) -> list[Claim]:
    """One track of so many has changed: its plan."""
    text = noop_library.manifest_text(tracks, changed=", and one bell")
    (folder / noop_library.MANIFEST).write_text(text)
    start = python(folder, "python -c pass", "-c", "pass")
    load = python(folder, "yaml.safe_load alone", "-c", _YAML_ALONE.format(noop_library.MANIFEST), says_s=True)
    plan = python(folder, "pipeline plan", "-m", "pipeline", "plan", noop_library.MANIFEST, "--gateway", "local")
    contenders = [start, load, plan]
    take_turns(contenders, QUICK_TURNS)
    print(f"One track of {tracks:,} has changed")
    table(contenders)
    bounds = (0.75 * yaml + 60 * one for yaml, one in zip(load.wall, start.wall, strict=True))
    share = statistics.median(mine / bound for mine, bound in zip(plan.wall, bounds, strict=True))
    what = f"pipeline plan, one of {tracks:,} tracks changed: times (0.75 yaml.safe_load + 60 python -c pass)"
    return [Claim(what, share, 1.0)]


def tell_of_sizes(folder: Path) -> None:
    """What the run has left beside audio, and the most memory that it took, its gateway's in the same process."""
    names = (".pipeline/ledger.sqlite3", "output/assets.json", "output/cost-report.json", "output/report.html")
    sizes = (f"{name.rpartition('/')[2]} {(folder / name).stat().st_size / 1e6:,.1f} MB" for name in names)
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{', '.join(sizes)}; made with {peak_bytes / 1e6:,.0f} MB of memory\n", flush=True)


def main() -> int:
    sizes = tuple(int(word.replace(",", "")) for word in sys.argv[1:]) or TRACKS
    folder = Path(tempfile.mkdtemp(prefix="bench-noop-"))
    claims: list[Claim] = []
    try:
        for tracks in sizes:
            library = folder / f"library-{tracks}"
            print(f"making {tracks:,} tracks ...", flush=True)
            noop_library.build(library, tracks)
            tell_of_sizes(library)
            time.sleep(_OLD_ENOUGH_S)
            first = python(library, "", "-m", "pipeline", "run", noop_library.MANIFEST, "--gateway", "local")
            first.start()  # the long way, which leaves the stamp
            claims += no_op(library, tracks)
            if tracks > TRACKS[0]:
                claims += one_change(library, tracks)
    finally:
        os.chdir("/")
        shutil.rmtree(folder, ignore_errors=True)
    return exit_status(claims)


if __name__ == "__main__":
    sys.exit(main())
