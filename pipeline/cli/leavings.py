"""What a run leaves where all went well: its stamp; for a build system a depfile, and a stamp file of its own."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pipeline.build_systems import check_places, depfile_text, touch, write_depfile
from pipeline.cli.stamping import stamp_of, witness_of
from pipeline.files import FolderError
from pipeline.ledger.store import LedgerError, log_of
from pipeline.locks import HOLDER_NAME, LOCK_NAME
from pipeline.manifest import ManifestMistakes
from pipeline.output import INDEX_NAME
from pipeline.picks.document import LockMistake
from pipeline.picks.lockfile import lock_path
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipeline.noop.taking import Witness
    from pipeline.workspace import Plan


class Leavings:
    """What a run leaves where all went well: its stamp; for a build system a depfile and a stamp file of its own.

    Raises Unwritable, before anything is done, for a place that is taken, and for a path that a depfile can't hold.
    """

    def __init__(self, plan: Plan, witness: Witness, depfile: Path | None, stamp_file: Path | None) -> None:
        self._plan = plan
        self._witness = witness
        self._depfile = depfile
        self._stamp_file = stamp_file
        if depfile is not None or stamp_file is not None:
            check_places(depfile, stamp_file, _own_files(plan))
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
            with suppress(FolderError, LedgerError, LockMistake, ManifestMistakes, OSError):
                plan = Workspace(request.output, request.state, witness.hashes).plan(request)
                stamp_of(plan, witness, beside)
                if plan.nothing_to_do:
                    return witness.taken_ns
        return self._witness.taken_ns


def _own_files(plan: Plan) -> Iterator[Path]:
    """What a run of `plan` reads and writes itself."""
    from pipeline.reporting import report_paths  # noqa: PLC0415 - only where a build system is left something

    workspace = Workspace(plan.request.output, plan.request.state)
    yield workspace.ledger_path
    yield log_of(workspace.ledger_path)
    yield workspace.output.folder.path(INDEX_NAME)
    yield from report_paths(workspace)
    for part in plan.manifests:
        yield part.manifest.path
        yield lock_path(part.manifest.path)
        for track in part.manifest.tracks:
            yield from (workspace.output.folder.path(path) for path in track.asset_paths)
            if track.file is not None:
                yield track.file
    for folder in (workspace.state, workspace.output.folder):
        yield from (folder.path(name) for name in (LOCK_NAME, HOLDER_NAME))
