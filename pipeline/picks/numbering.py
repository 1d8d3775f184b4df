"""Which number a purchase has where two machines have bought under the same one. Pure.

Each machine's ledger numbers what it has bought itself. What the lock says is everybody's: a job that stands in it has
its number there, and one whose number another purchase has there gets the next that is free.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from pipeline.picks.values import LockedTake, Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.jobs import Job
    from pipeline.picks.values import Lock


def two_of_one_number(takes: Sequence[LockedTake]) -> tuple[LockedTake, LockedTake] | None:
    """The first two that are different purchases and have one number and generation, if there are any."""
    if len({take.version for take in takes}) == len(takes):
        return None
    found: defaultdict[Version, list[LockedTake]] = defaultdict(list)
    for take in takes:
        found[take.version].append(take)
    pairs = (pair for same in found.values() for pair in combinations(same, 2))
    return next((pair for pair in pairs if (pair[0].job_id, pair[0].source) != (pair[1].job_id, pair[1].source)), None)


def next_number(takes: Iterable[LockedTake]) -> int:
    """The next that is free among these."""
    return max((take.take for take in takes), default=0) + 1


def version_among(takes: Sequence[LockedTake], job: Job) -> Version:
    """The number and generation under which `job`, which came home, stands or is to stand among a lock's `takes`."""
    own = Version(job.key.take, job.key.regeneration)
    there = [take.version for take in takes if _is_purchase(take, job)]
    if own in there:
        return own
    if there:
        return there[0]
    return Version(next_number(takes), 0) if any(take.version == own for take in takes) else own


def _is_purchase(take: LockedTake, job: Job) -> bool:
    if take.job_id is None or job.job_id is None:
        return take.source == job.source
    is_own = take.version == (job.key.take, job.key.regeneration)
    return take.job_id == job.job_id and (is_own or take.source == job.source)


def takes_locked(locks: Iterable[Lock]) -> dict[str, list[LockedTake]]:
    """Paid fingerprint -> the takes that were bought under it, whatever the track was called then."""
    found: defaultdict[str, list[LockedTake]] = defaultdict(list)
    for lock in locks:
        for track in lock.tracks.values():
            for fingerprint, purchase in track.purchases.items():
                found[fingerprint].extend(purchase.takes)
    return found


def as_locked(jobs: Iterable[Job], takes: Mapping[str, Sequence[LockedTake]]) -> list[Job]:
    """`jobs`, those that came home under the numbers that a lock gives them; `takes`: its, by paid fingerprint."""
    known = {fingerprint: list(found) for fingerprint, found in takes.items()}
    return [_as_locked(job, known.get(job.key.fingerprint, [])) for job in jobs]


def _as_locked(job: Job, takes: list[LockedTake]) -> Job:
    if not takes or job.source is None or job.collected_at is None:
        return job
    version = version_among(takes, job)
    if version == (job.key.take, job.key.regeneration):
        return job
    takes.append(LockedTake(*version, job.source, "", job.job_id))
    return replace(job, intent=replace(job.intent, key=job.key._replace(**version._asdict())))
