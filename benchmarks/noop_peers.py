"""The same targets for make, ninja, doit and snakemake: the library's assets, each of a source and the manifest.

Each peer is built once, in a folder of its own, so that all that is left for it is to find out that nothing is to do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from noop_library import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_BIN = Path(sys.executable).parent

DODO = """\
from pathlib import Path

def task_asset():
    for target in Path("targets.txt").read_text().split():
        source = target.replace("output/", "sources/").replace(".ogg", ".wav")
        files = {"file_dep": [source, "%s"], "targets": [target]}
        yield {"name": target, "actions": [(Path(target).touch, [])], **files}
"""
SNAKEFILE = """\
from pathlib import Path

rule all:
    input: Path("targets.txt").read_text().split()

rule asset:
    input: "sources/{name}.wav", "%s"
    output: "output/{name}.ogg"
    shell: "touch {output}"
"""


def prepared(name: str, folder: Path, assets: Sequence[Path]) -> list[str] | None:
    """The peer's command with nothing to do, to be started in `folder`; None where the peer is not installed."""
    program = shutil.which(name, path=f"{_BIN}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        return None
    folder.mkdir()
    (folder / MANIFEST).write_text("as old as the files that are made of it, or older\n")
    targets = [f"output/{asset.as_posix()}" for asset in assets]
    (folder / "targets.txt").write_text("\n".join(targets))
    for file in (*map(_source, targets), *targets):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    first, again = _FORMS[name](program, folder, targets)
    # Once as it is, and once more: the first may have had something to write down.
    for command in (first, again):
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return again


def _source(target: str) -> str:
    return target.replace("output/", "sources/").replace(".ogg", ".wav")


def _make(program: str, folder: Path, targets: Sequence[str]) -> tuple[list[str], list[str]]:
    rule = f"all: $(TARGETS)\n$(TARGETS): output/%.ogg: sources/%.wav {MANIFEST}\n\ttouch $@\n"
    (folder / "Makefile").write_text(f"TARGETS := {' '.join(targets)}\n{rule}")
    return [program, "-r"], [program, "-r"]


def _ninja(program: str, folder: Path, targets: Sequence[str]) -> tuple[list[str], list[str]]:
    builds = "".join(f"build {target}: asset {_source(target)} {MANIFEST}\n" for target in targets)
    (folder / "build.ninja").write_text(f"rule asset\n  command = touch $out\n{builds}")
    return [program], [program]


def _doit(program: str, folder: Path, targets: Sequence[str]) -> tuple[list[str], list[str]]:  # noqa: ARG001 - as the others
    (folder / "dodo.py").write_text(DODO % MANIFEST)
    return [program], [program]


def _snakemake(program: str, folder: Path, targets: Sequence[str]) -> tuple[list[str], list[str]]:  # noqa: ARG001 - as the others
    (folder / "Snakefile").write_text(SNAKEFILE % MANIFEST)
    usual = [program, "--cores", "1", "--quiet", "all"]
    return [*usual, "--touch"], usual


_FORMS: dict[str, Callable[[str, Path, Sequence[str]], tuple[list[str], list[str]]]] = {
    "make": _make,
    "ninja": _ninja,
    "doit": _doit,
    "snakemake": _snakemake,
}
PEERS = tuple(_FORMS)
