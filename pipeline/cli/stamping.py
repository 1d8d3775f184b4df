"""What `run` and `plan` leave for the next of their kind: a stamp, where there was nothing left to do."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from pipeline.build_systems import depfile_text, touch, write_depfile
from pipeline.cli.at_once import stamp_key
from pipeline.cli.terminal import printable
from pipeline.entry import unchanged
from pipeline.files import FolderError
from pipeline.ledger.store import LedgerError
from pipeline.manifest import ManifestMistakes
from pipeline.noop.taking import Witness
from pipeline.noop.words import read
from pipeline.picks.lockfile import lock_path
from pipeline.report.plan_text import plan_lines, summary_lines
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pipeline.workspace import Plan


def witness_of(manifests: Sequence[Path], output: Path, state: Path, before: Witness | None = None) -> Witness:
    """Whoever sees what this process's plan is made from. To be called before anything of it is read."""
    asked = read(sys.argv[1:])
    key = None if asked is None else stamp_key(asked, os.environ)
    return Witness(key, manifests, output, state, before)


def stamp_of(plan: Plan, witness: Witness, beside: Iterable[Path] = ()) -> None:
    """Leave a stamp of `plan` if it found nothing to do."""
    if plan.nothing_to_do:
        witness.stamp(plan, _texts(plan), beside)


class Leavings:
    """What a run leaves where all went well: its stamp; for a build system a depfile and a stamp file of its own.

    Raises Unwritable, before anything is done, for a path that a depfile can't hold.
    """

    def __init__(self, plan: Plan, witness: Witness, depfile: Path | None, stamp_file: Path | None) -> None:
        self._plan = plan
        self._witness = witness
        self._depfile = depfile
        self._stamp_file = stamp_file
        self._depfile_text()

    def leave(self) -> None:
        """To be called with the folders still locked. Raises FolderError and OSError."""
        if self._depfile is not None:
            write_depfile(self._depfile, self._depfile_text())
        beside = [] if self._depfile is None else [self._depfile]
        if self._plan.nothing_to_do:
            stamp_of(self._plan, self._witness, beside)
            began_ns = self._witness.taken_ns
        else:
            began_ns = self._stamp_anew(beside)
        if self._stamp_file is not None:
            touch(self._stamp_file, began_ns)

    def _depfile_text(self) -> str:
        if self._depfile is None:
            return ""
        locks = [lock_path(part.manifest.path) for part in self._plan.manifests]
        return depfile_text(self._plan, locks, self._stamp_file)

    def _stamp_anew(self, beside: Sequence[Path]) -> int:
        """Leave a stamp after a run that did something, if a plan made anew finds nothing left to do.

        The time, in nanoseconds, since when all that decides is as it is. What keeps that plan from being made is no
        fault of the run: the next start meets it, and says it.
        """
        request = self._plan.request
        manifests = [part.manifest.path for part in self._plan.manifests]
        witness = witness_of(manifests, request.output, request.state, self._witness)
        if witness.saw_the_same(self._witness):
            with suppress(FolderError, LedgerError, ManifestMistakes, OSError):
                plan = Workspace(request.output, request.state, witness.hashes).plan(request)
                stamp_of(plan, witness, beside)
                if plan.nothing_to_do:
                    return witness.taken_ns
        return self._witness.taken_ns


def _texts(plan: Plan) -> tuple[str, str, str]:
    """What is printed where there is nothing to do: the plan, the plan in colour, and the end of a run."""
    plain, coloured = (plan_lines(plan.manifests, plan.request.kind, colour=colour) for colour in (False, True))
    return _text(plain), _text(coloured), _text(printable(line) for line in summary_lines(unchanged(plan)))


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
