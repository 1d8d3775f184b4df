"""The house's arrows: who may import whom, read from the code itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "pipeline"
NETWORK = ("httpx", "httpcore", "starlette", "uvicorn", "socket", "ssl", "http", "urllib.request", "anyio")
LEDGER = ("pipeline.ledger", "sqlite3")
REAL_TIME = ("anyio.to_thread", "anyio.to_process", "anyio.from_thread")


@dataclass
class Seen:
    """What is said in a file: the modules that it imports, at its head or in a function, and all that it names."""

    imports: set[str] = field(default_factory=set)
    for_types: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)


@cache
def seen_in(path: Path) -> Seen:
    """Each file is read once for all tests."""
    seen = Seen()

    def visit(node: ast.AST, imports: set[str]) -> None:
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                imports = seen.for_types
            case ast.Import():
                imports.update(alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module)):
                imports.add(module)
                imports.update(f"{module}.{alias.name}" for alias in node.names)
            case ast.Attribute():
                seen.attributes.add(node.attr)
            case ast.Call(func=ast.Name(id=name)):
                seen.called.add(name)
        for child in ast.iter_child_nodes(node):
            visit(child, imports)

    visit(ast.parse(path.read_text(encoding="utf-8")), seen.imports)
    return seen


def imports_of(path: Path, *, for_types: bool = False) -> set[str]:
    """Every module that the file at `path` imports, at its head or inside a function; for its types only if asked."""
    seen = seen_in(path)
    return seen.imports | seen.for_types if for_types else seen.imports


def files_of(room: str) -> list[Path]:
    folder = PACKAGE / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def touches(imported: set[str], forbidden: tuple[str, ...]) -> set[str]:
    return {name for name in imported for room in forbidden if name == room or name.startswith(room + ".")}


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        ("manifest", (*NETWORK, *LEDGER, "pipeline.gateway", "pipeline.runner", "pipeline.output")),
        ("planning", (*NETWORK, *LEDGER, "pipeline.gateway", "pipeline.runner")),
        ("pace", (*NETWORK, *LEDGER, "pipeline.gateway", "pipeline.runner", "pipeline.manifest", "pipeline.planning")),
        ("audio", (*NETWORK, *LEDGER, "pipeline.gateway", "pipeline.runner", "pipeline.manifest")),
        ("report", (*NETWORK, *LEDGER, "pipeline.gateway")),
        ("gateway", (*LEDGER, "pipeline.files", "pipeline.output", "pipeline.runner", "pathlib", "os", "io")),
        ("ledger", ("pipeline.gateway", "pipeline.runner", "pipeline.manifest", "pipeline.audio", "httpx")),
        (
            "review",
            ("pipeline.cli", "pipeline.local_gateway", "pipeline.gateway", "httpx"),
        ),
        (
            "webhooks",
            (*LEDGER, "pipeline.cli", "pipeline.local_gateway", "pipeline.gateway", "pipeline.manifest", "httpx"),
        ),
        ("store", (*LEDGER, "pipeline.cli", "pipeline.gateway", "pipeline.runner", "pipeline.manifest", "httpx")),
        (
            "farm",
            (*LEDGER, "pipeline.cli", "pipeline.gateway", "pipeline.manifest", "pipeline.store", "httpx"),
        ),
        ("local_gateway", ("pipeline.gateway", "pipeline.ledger", "pipeline.runner", "pipeline.manifest", "httpx")),
    ],
)
def test_a_room_imports_nothing_that_it_must_not_know(room: str, forbidden: tuple[str, ...]) -> None:
    """Data flows one way: no network and no ledger where decisions are pure, no files where requests are sent."""
    broken = {str(path.name): touches(imports_of(path), forbidden) for path in files_of(room)}
    assert {name: names for name, names in broken.items() if names} == {}


def test_httpx_is_imported_in_one_room() -> None:
    """Elsewhere it is at most named for types."""
    found = {path for path in PACKAGE.rglob("*.py") if touches(imports_of(path), ("httpx", "httpcore"))}
    assert {path.relative_to(PACKAGE).parts[0] for path in found} == {"gateway"}


def test_extras_are_imported_in_one_room_each() -> None:
    """And there only once somebody has asked for what they bring."""
    rooms = {("obstore", "boto3"): "store", ("dask", "distributed"): "farm"}
    for extras, room in rooms.items():
        found = {path for path in PACKAGE.rglob("*.py") if touches(imports_of(path, for_types=True), extras)}
        assert {path.relative_to(PACKAGE).parts[0] for path in found} == {room}


def test_the_farm_is_known_to_whoever_starts_a_run() -> None:
    """The runner has a finisher, and never learns whose; where there is no farm, nothing of it is imported."""
    found = {path for path in PACKAGE.rglob("*.py") if touches(imports_of(path, for_types=True), ("pipeline.farm",))}
    rooms = {path.relative_to(PACKAGE).parts[0] for path in found}
    assert rooms == {"farm", "entry.py", "cli"}


def test_nobody_imports_the_command_line() -> None:
    """But for the two lines that start it."""
    found = {path for path in PACKAGE.rglob("*.py") if touches(imports_of(path, for_types=True), ("pipeline.cli",))}
    assert {path.relative_to(PACKAGE).parts[0] for path in found} <= {"cli", "__main__.py"}


def test_only_the_real_halves_work_in_real_time() -> None:
    """Threads and worker processes are jumped over by a virtual clock: the runner is handed them from outside."""
    watched = [path for path in PACKAGE.rglob("*.py") if "local_gateway" not in path.parts and "cli" not in path.parts]
    found = {path.relative_to(PACKAGE).as_posix() for path in watched if touches(imports_of(path), REAL_TIME)}
    farm = {"farm/connecting.py", "farm/finisher.py", "farm/standing.py"}
    assert found == {"ledger/writing.py", "store/engine.py", "workers.py", *farm}


def test_the_environment_and_the_terminal_belong_to_the_command_line() -> None:
    """No other room reads os.environ or prints."""
    watched = [path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] != "cli"]
    for path in watched:
        seen = seen_in(path)
        assert not {"environ", "getenv"} & seen.attributes, path
        assert "print" not in seen.called, path


def test_a_start_with_nothing_to_do_imports_nothing_before_it_knows() -> None:
    """What looks at a stamp brings a checksum, a hash and itself: not even click, typing or pathlib.

    Whatever it does without being imported for it is in tests/noop/test_noop_noticed.py.
    """
    program = (
        "import os, sys, time; before = set(sys.modules); sys.path.insert(0, sys.argv[1])\n"
        "from pipeline.cli.at_once import answered\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    command = [sys.executable, "-I", "-S", "-c", program, PACKAGE.parent]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    own = "pipeline pipeline.cli pipeline.cli.at_once pipeline.cli.colour pipeline.version"
    noop = "pipeline.noop pipeline.noop.looking pipeline.noop.stamp pipeline.noop.words"
    assert set(answer.stdout.split()) - {"__future__", "binascii", "_sha2", "_sha256"} == {*own.split(), *noop.split()}


def test_importing_the_package_costs_nothing_heavy() -> None:
    """`import pipeline` brings neither numpy nor httpx nor pydantic: commands import what they need."""
    heavy = "numpy httpx pydantic starlette uvicorn yaml soundfile pydub anyio click"
    program = f"import sys, pipeline; print([name for name in {heavy.split()!r} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
