"""What nothing names any more is found, and removed: orphans' files and sources.

Every step can be the last: what engines keep beside an asset goes before it, files go before their rows, and a source
is written down as pruned before it goes. Whatever a kill leaves, the next prune finds.
"""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.files import FolderError
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import connect_to_read, readable_errors
from pipeline.output import INDEX_NAME, rows_by_path
from pipeline.picks.lockfile import LockFile
from pipeline.planning.prunes import Lies, PruneFacts, Pruning, orphan_rows, prune_of
from pipeline.recordings import recording_hash
from pipeline.renaming import SIDECARS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from pipeline.ledger.writing import LedgerWriter
    from pipeline.manifest.tracks import Manifest
    from pipeline.output import AssetRow
    from pipeline.picks.values import LockedTrack
    from pipeline.planning.prunes import OrphanFate, SourceFate
    from pipeline.workspace import Workspace


def check_output(workspace: Workspace) -> None:
    """Is it the output folder that the ledger is about? A mistyped one must cost nobody a source.

    Raises FolderError where it has no index though assets were recorded, and LedgerError.
    """
    if workspace.output.folder.holds(INDEX_NAME):
        return
    connection = connect_to_read(workspace.ledger_path)
    if connection is None:
        return
    with closing(connection), readable_errors(workspace.ledger_path):
        recorded = Ledger(connection).asset_rows()
    if recorded:
        raise FolderError(
            f"{workspace.output.folder.root}: there is no {INDEX_NAME} in it, so nobody knows what it should hold; "
            "name the folder that runs write to (--output), or run first, which writes it anew"
        )


def find_prunable(workspace: Workspace, manifests: Sequence[Manifest], now: float, *, at_once: bool) -> Pruning:
    """What a prune would remove and keep. Changes nothing. Raises LedgerError and FolderError."""
    given = tuple(manifests)
    facts = PruneFacts(given, now, at_once, locked=sources_that_locks_name(given))
    remembered: list[dict[str, Any]] = []
    connection = connect_to_read(workspace.ledger_path)
    if connection is not None:
        with closing(connection), readable_errors(workspace.ledger_path):
            ledger = Ledger(connection)
            remembered = ledger.asset_rows()
            sources = {source.sha256: source for source in ledger.all_sources()}
            here = {sha for sha, one in sources.items() if workspace.sources.path(sha, one.format).is_file()}
            facts = replace(
                facts,
                jobs=ledger.all_jobs(),
                open_runs=frozenset(run.id for run in ledger.all_runs() if run.closed_at is None),
                sources=sources,
                here=frozenset(here),
            )
    facts = replace(facts, rows=rows_by_path(workspace.output.read_index(), remembered))
    return _found(workspace, facts)


def unknown_sources(workspace: Workspace) -> int:
    """How many source files the ledger does not know: they stay, whoever they were bought for. Raises LedgerError."""
    known: set[str] = set()
    connection = connect_to_read(workspace.ledger_path)
    if connection is not None:
        with closing(connection), readable_errors(workspace.ledger_path):
            known = {source.sha256 for source in Ledger(connection).all_sources()}
    return workspace.sources.unknown(known)


def sources_that_locks_name(manifests: Iterable[Manifest]) -> frozenset[str]:
    """The hashes of what the manifests' locks name for the tracks that there are: every take of them can be picked.

    The entry of a track that is gone goes on proving that it was bought, and keeps nothing. Raises LockMistake, and
    FolderError where a lock can't be read: what it names is then not known.
    """
    entries = [entry for manifest in manifests for entry in _entries(manifest)]
    return frozenset(take.source for entry in entries for one in entry.purchases.values() for take in one.takes)


def _entries(manifest: Manifest) -> Iterator[LockedTrack]:
    lock = LockFile(manifest).read()
    return (lock.track(track.name) for track in manifest.tracks)


def _found(workspace: Workspace, facts: PruneFacts) -> Pruning:
    orphans = {(row.manifest, row.path): row for row in orphan_rows(facts.manifests, facts.rows)}
    prints = {row.paid_fingerprint for row in orphans.values()}
    alike = {at: row for at, row in facts.rows.items() if at not in orphans and row.paid_fingerprint in prints}
    facts = replace(
        facts,
        intact=frozenset(at for at, row in alike.items() if workspace.output.intact(row)),
        lies={at: _lies(workspace, row) for at, row in orphans.items()},
        sidecars={at: tuple(_sidecars(workspace, row)) for at, row in orphans.items()},
        recordings=dict(_recordings(workspace, facts.manifests)) if orphans else {},
    )
    # Only what would go, and what would be all that is left of an orphan, is read through: the rest may be large.
    going = {one.source.sha256 for one in prune_of(facts).sources if one.goes}
    going |= {str(job.source) for job in facts.jobs if job.source in facts.here and job.key.fingerprint in prints}
    sources = [facts.sources[sha256] for sha256 in going]
    damaged = {one.sha256 for one in sources if not workspace.sources.whole(one.sha256, one.format)}
    return prune_of(replace(facts, damaged=frozenset(damaged)))


def _lies(workspace: Workspace, row: AssetRow) -> Lies:
    if workspace.output.intact(row) and not workspace.output.folder.path(row.path).is_symlink():
        return Lies.WHOLE
    return Lies.CHANGED if workspace.output.folder.holds(row.path) else Lies.GONE


def _sidecars(workspace: Workspace, row: AssetRow) -> Iterator[str]:
    paths = (f"{row.path}{sidecar}" for sidecar in SIDECARS)
    return (path for path in paths if workspace.output.folder.holds(path))


def _recordings(workspace: Workspace, manifests: Iterable[Manifest]) -> Iterator[tuple[Path, str]]:
    for path in {track.file for manifest in manifests for track in manifest.tracks if track.file is not None}:
        with suppress(OSError):  # a run says so
            yield path, recording_hash(path, workspace.hashes)


async def prune(workspace: Workspace, pruning: Pruning, ledger: LedgerWriter | None, now: float) -> None:
    """Remove what is to go; whoever calls it holds the folders. Raises LedgerError, FolderError and OSError.

    `ledger`: None where there is none.
    """
    orphans, sources = pruning.going
    for orphan in orphans:
        _remove_orphan(workspace, orphan)
    if orphans:
        await _forget(workspace, orphans, ledger)
    if sources and ledger is not None:
        hashes = [one.source.sha256 for one in sources]
        await ledger.write(lambda books: books.mark_pruned(hashes, now), durable=True)
        _remove_sources(workspace, sources)


def _remove_orphan(workspace: Workspace, orphan: OrphanFate) -> None:
    folder = workspace.output.folder
    if orphan.lies is Lies.WHOLE:
        for path in (*orphan.sidecars, orphan.row.path):
            folder.remove(path)
    folder.remove_empty_above(orphan.row.path)


async def _forget(workspace: Workspace, orphans: Sequence[OrphanFate], ledger: LedgerWriter | None) -> None:
    gone = {(one.row.manifest, one.row.path) for one in orphans}
    index = workspace.output.read_index()
    left = [row for row in index if (row.get("manifest"), row.get("path")) not in gone]
    if left != index:
        workspace.output.write_index(left)
    if ledger is not None:
        await ledger.write(lambda books: books.forget_assets(gone))


def _remove_sources(workspace: Workspace, sources: Iterable[SourceFate]) -> None:
    for one in sources:
        workspace.sources.remove(one.source.sha256, one.source.format)
