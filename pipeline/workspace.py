"""The two folders a run works in, and the plan that follows from what they hold."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from pipeline.claims import adopted, obstacles, unmakeable
from pipeline.collector import collector_paused
from pipeline.files import Folder, FolderError
from pipeline.jobs import State
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import connect_to_read, readable_errors
from pipeline.locks import held
from pipeline.noop.hashes import Hashes
from pipeline.output import OutputFolder, rows_by_path
from pipeline.picks.lockfile import LockFiles
from pipeline.picks.numbering import as_locked, takes_locked
from pipeline.picks.pinning import is_complete
from pipeline.picks.proving import rows_proven
from pipeline.picks.values import takes_named
from pipeline.planning.decisions import plan_manifest
from pipeline.planning.plans import TO_COME, Action, Facts, Step, estimate_of
from pipeline.recordings import hashes_of_recordings
from pipeline.renaming import find_moves
from pipeline.sources import SourceStore
from pipeline.stored import Stored, ask_stores, stores_to_ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pipeline.claims import Rows
    from pipeline.jobs import Job
    from pipeline.ledger.records import Source
    from pipeline.plan_request import PlanRequest
    from pipeline.planning.plans import ManifestPlan
    from pipeline.store_choice import StoreChoice
    from pipeline.stored import Stores

LEDGER_NAME: Final = "ledger.sqlite3"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do, and the request that it answers."""

    request: PlanRequest
    manifests: tuple[ManifestPlan, ...]
    index: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)  # the index's rows as they stand
    index_complete: bool = True  # False: rows are known that the index lacks, or has of another file
    lock_complete: bool = True  # False: something is known that a lock lacks
    committed: Mapping[str, int] = field(default_factory=dict)  # by manifest, what its open run binds, micro-dollars
    facts: Facts | None = field(default=None, repr=False, compare=False)  # what it was decided from
    good_until: float | None = None  # when time alone may change it, in seconds since 1970; None: it never does
    stores: Mapping[str, StoreChoice] = field(default_factory=dict)  # by manifest: those that could be asked
    store_trouble: str | None = None  # why another could not be

    @property
    def nothing_to_do(self) -> bool:
        return self.index_complete and self.lock_complete and all(plan.nothing_to_do for plan in self.manifests)

    @property
    def asks_a_gateway(self) -> bool:
        """Is anything to be bought, asked for or fetched?"""
        takes = (take for part in self.manifests for track in part.tracks for take in track.takes)
        return any(part.strays for part in self.manifests) or any(take.step in TO_COME for take in takes)

    @property
    def estimate_microusd(self) -> int:
        """What the plan would commit to, each purchase once."""
        return estimate_of(self.manifests)


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What a ledger knows: rows of the index, jobs, and of each manifest's open run its grants and what it binds."""

    rows: Sequence[Mapping[str, Any]] = ()
    jobs: Sequence[Job] = ()
    outstanding: Sequence[Job] = ()
    grants: Mapping[str, Mapping[tuple[str, int], int]] = field(default_factory=dict)
    committed: Mapping[str, int] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    shared: Mapping[str, frozenset[int]] = field(default_factory=dict)


class Workspace:
    """The state folder and the output folder. Raises FolderError where they are one.

    `hashes`: what looks at files, and may know some of them already. `stores`: how teams' stores are reached.
    """

    def __init__(self, output: Path, state: Path, hashes: Hashes | None = None, stores: Stores | None = None) -> None:
        if os.path.realpath(output) == os.path.realpath(state):
            raise FolderError(f"{output}: the output folder can't be the state folder too; name another with --state")
        self.state = Folder(state.absolute())
        self.hashes = hashes or Hashes()
        self.output = OutputFolder(Folder(output.absolute()), self.hashes)
        self.sources = SourceStore(self.state)
        self.ledger_path = self.state.path(LEDGER_NAME)
        self.locks = LockFiles()
        self._stores = stores

    @property
    def stores(self) -> Stores:
        """How teams' stores are reached."""
        if self._stores is None:
            from pipeline.store.asking import RealStores  # noqa: PLC0415 - only where there is a store

            self._stores = RealStores()
        return self._stores

    @contextmanager
    def locked(self, *, wait: bool = False, say: Callable[[str], None] = lambda _: None) -> Iterator[None]:
        """Make both folders and hold them. Raises FolderBusy and FolderError."""
        self.state.make()
        self.output.folder.make()
        with held(self.state.root, wait=wait, say=say), held(self.output.folder.root, wait=wait, say=say):
            yield

    def plan(self, request: PlanRequest, now: float | None = None) -> Plan:
        """What a run would do. Changes nothing, and asks a team's store what it has of what would be bought.

        Raises NothingMatches, ManifestMistakes for a recording that is not there, LockMistake, LedgerError,
        FolderError, and NoStore where one is required and can't be asked.
        """
        request.check()
        with collector_paused():
            index = self.output.read_index()
            plan = self.plan_by(request, index, now=now)
            asked = {} if request.free else stores_to_ask(plan)
            if not asked:
                return plan
            found = ask_stores(asked, request.stores, self.stores)
            return self.plan_by(request, index, now=now, stored=found)

    def plan_by(
        self,
        request: PlanRequest,
        index: Sequence[Mapping[str, Any]],
        *,
        is_all: bool = False,
        now: float | None = None,
        stored: Stored | None = None,
    ) -> Plan:
        """`plan`, by these rows of the index. `is_all`: they are all that is of concern, whatever the ledger remembers.

        `stored`: what stores have of what would be bought without.

        Raises what `plan` does.
        """
        standing = rows_by_path(index)
        facts = self._facts(request, standing, time.time() if now is None else now, is_all=is_all)
        stored = stored or Stored()
        facts = replace(facts, stored=stored.known.records, spoilt=stored.known.spoilt)
        wishes = request.wishes
        plans = tuple(plan_manifest(manifest, facts, wishes) for manifest in request.manifests)
        damaged = self._damaged(plans)
        if damaged:
            facts = replace(facts, held=facts.held - damaged)
            plans = tuple(plan_manifest(manifest, facts, wishes) for manifest in request.manifests)
        refreshes = [track.refresh_at for plan in plans for track in plan.tracks if track.refresh_at is not None]
        return Plan(
            request,
            plans,
            tuple(index),
            all(at in standing and standing[at].sha256 == facts.rows[at].sha256 for at in facts.intact),
            all(is_complete(facts.locks[plan.manifest.name], plan) for plan in plans),
            facts.committed,
            facts,
            good_until=min(refreshes, default=None),
            stores={name: one for name, one in request.stores.items() if name not in stored.silent},
            store_trouble=stored.trouble,
        )

    def _facts(self, request: PlanRequest, standing: Rows, now: float, *, is_all: bool) -> Facts:
        locks = self.locks.read(request.manifests)
        locks = {name: lock.with_choices(request.choices_of(name)) for name, lock in locks.items()}
        books = self._remembered(request, None if is_all else standing)
        planned = list(request.paths())
        rows = adopted(self._laid_here(books.rows, request) | standing, request.tracks(), request.names)
        intact = {at for at in planned if at in rows and self.output.intact(rows[at])}
        here = frozenset(sha for sha, one in books.sources.items() if self.sources.holds(sha, one.format, one.size))
        recordings = hashes_of_recordings(request.tracks(), self.hashes)
        in_the_way = obstacles(self.output.folder, planned, rows, intact)
        moves = {
            one.name: find_moves(self.output, one, rows, recordings, obstacles=in_the_way, meant=request.meant)
            for one in request.manifests
        }
        arriving = {(move.new.manifest, move.new.path) for found in moves.values() for move in found}
        unproven = [at for at in planned if at not in intact and at not in arriving]
        proven = rows_proven(request.tracks(), locks, unproven, self.output.folder) if unproven else {}
        return Facts(
            kind=request.kind,
            now=now,
            origin=request.gateway.origin,
            jobs=_by_fingerprint(as_locked(books.jobs, takes_locked(locks.values()))),
            outstanding=books.outstanding,
            held=here,
            lost=frozenset((sha, one.format) for sha, one in books.sources.items() if sha not in here),
            pruned={sha: one.pruned_at for sha, one in books.sources.items() if one.pruned_at is not None},
            rows=rows | proven,
            intact=frozenset(intact | proven.keys()),
            obstacles=unmakeable(request.tracks())
            | {at: why for at, why in in_the_way.items() if at not in arriving and at not in proven},
            grants=books.grants,
            open_runs=frozenset(books.grants),
            committed=books.committed,
            steps=request.steps,
            recordings=recordings,
            moves=moves,
            locks=locks,
            named=takes_named(locks.values()),
            shared=books.shared,
        )

    def _remembered(self, request: PlanRequest, standing: Rows | None) -> _Remembered:
        """What the ledger knows of what the plan is about, nothing where there is none.

        `standing`: the rows of the index, which are not asked for again. None: no row is asked for.
        """
        connection = connect_to_read(self.ledger_path)
        stores = {name: one.address for name, one in request.stores.items() if not one.read_only}
        if connection is None:
            return _Remembered(shared=dict.fromkeys(stores, frozenset()))
        with closing(connection), readable_errors(self.ledger_path):
            ledger = Ledger(connection)
            jobs = ledger.jobs_for(request.fingerprints())
            runs = {} if request.new_run else _open_runs(ledger, request)
            return _Remembered(
                rows=[] if standing is None else ledger.asset_rows(beside=standing),
                jobs=jobs,
                outstanding=ledger.uncollected(),
                grants={name: ledger.grants(run) for name, run in runs.items()},
                committed={
                    name: sum(job.commitment.total for job in ledger.jobs_of(run)) for name, run in runs.items()
                },
                sources=ledger.sources(
                    job.source for job in jobs if job.state is State.COLLECTED and job.source is not None
                ),
                shared={name: ledger.shared_with(address) for name, address in stores.items()},
            )

    def _laid_here(self, remembered: Sequence[Mapping[str, Any]], request: PlanRequest) -> Rows:
        """What the ledger remembers and the index lacks, as far as it may be about this output folder.

        One ledger may serve several. A file that is something else is no run's by the word of such a row; and where
        there is none, the row tells what a given manifest has bought, and of another one nothing.
        """
        rows = rows_by_path(remembered)
        return {
            at: row
            for at, row in rows.items()
            if self.output.intact(row) or (row.manifest in request.names and not self.output.folder.holds(row.path))
        }

    def _damaged(self, plans: Iterable[ManifestPlan]) -> frozenset[str]:
        """The sources that are to be finished and are not what was recorded: they are fetched again, as if gone."""
        active = (track for plan in plans for track in plan.tracks if track.action in (Action.FINISH, Action.GENERATE))
        jobs = [take.job for track in active for take in track.takes if take.step is Step.HAVE and take.job is not None]
        formats = {job.source: job.intent.source_format for job in jobs if job.source is not None}
        return frozenset(sha for sha, audio_format in formats.items() if not self.sources.whole(sha, audio_format))


def _open_runs(ledger: Ledger, request: PlanRequest) -> dict[str, int]:
    """Manifest -> its open run."""
    runs = {one.name: ledger.find_open_run(one.name, request.kind) for one in request.manifests}
    return {name: run.id for name, run in runs.items() if run is not None}


def _by_fingerprint(jobs: Iterable[Job]) -> Mapping[str, Sequence[Job]]:
    found: defaultdict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        found[job.key.fingerprint].append(job)
    return found
