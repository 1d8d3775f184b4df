"""Which takes of a track are meant, each at which regeneration, and which of them somebody has chosen. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.fingerprints import judging_fingerprint
from pipeline.jobs import FRUITLESS, PurchaseKey, State
from pipeline.times import moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.jobs import Job
    from pipeline.manifest.tracks import Track
    from pipeline.output import AssetRow
    from pipeline.picks.values import Pick
    from pipeline.planning.plans import Facts, Wishes

_WHOLE_SECONDS_S: Final = 1.0  # a lock's times have no fractions


@dataclass(frozen=True, slots=True)
class Wanted:
    """The takes that a track's plan is about."""

    keys: tuple[PurchaseKey, ...]  # by take
    choice: int | None = None  # the take that somebody chose; None: the first without a failed gate
    on_a_word: frozenset[int] = frozenset()  # the takes that may be paid for again, once in a run
    candidates: frozenset[int] | None = None  # the takes that may be the pick; None: any

    @property
    def versions(self) -> frozenset[tuple[int, int]]:
        return frozenset((key.take, key.regeneration) for key in self.keys)


def wanted_takes(track: Track, fingerprint: str, row: AssetRow | None, facts: Facts, wishes: Wishes) -> Wanted:
    """The takes that the manifest asks for, and those beyond them that are here, were chosen or were granted.

    `row`: one that shows that the track was bought, perhaps another track's with the same words.
    """
    return _Meaning(track, fingerprint, row, facts, wishes).wanted()


def next_regeneration(fingerprint: str, row: AssetRow, facts: Facts) -> int:
    """Of the take that `row` is made of: the number of what would be bought next."""
    known = _known_regenerations(fingerprint, row, facts)
    return max(known[row.provenance.take]) + 1


class _Meaning:
    """What is known of a track's takes, and what is wished for."""

    def __init__(self, track: Track, fingerprint: str, row: AssetRow | None, facts: Facts, wishes: Wishes) -> None:
        self._track = track
        self._fingerprint = fingerprint
        self._row = row
        self._own = row if row is not None and (row.manifest, row.name) == (track.manifest, track.name) else None
        self._facts = facts
        self._again = fingerprint in wishes.regenerate
        self._reroll = track.name in wishes.reroll
        self._jobs = facts.jobs.get(fingerprint, ())
        self._known = _known_regenerations(fingerprint, row, facts)
        self._granted = self._grants(facts.grants.get(track.manifest, {}))
        self._chosen = self._choice()

    def wanted(self) -> Wanted:
        asked, rerolled = range(1, self._track.takes + 1), self._rerolled()
        beyond = sorted(take for take in self._known.keys() | rerolled if take not in asked)
        keys = [self._key(take) for take in (*asked, *beyond)]
        keys = [key for key in keys if key.take in asked or key.take in rerolled or self._is_of_use(key)]
        on_a_word = rerolled | (frozenset(asked) if self._again else frozenset())
        choice = None if self._chosen is None else self._chosen.take
        candidates = self._newer(keys) if choice is None else frozenset({choice})
        return Wanted(tuple(keys), choice, on_a_word, candidates)

    def _newer(self, keys: Sequence[PurchaseKey]) -> frozenset[int] | None:
        """Where what stands is generated again, what may take its place: nothing that was there beside it before."""
        stands = None if self._own is None else self._own.provenance
        again = stands is not None and any(
            key.take == stands.take and key.regeneration > stands.regeneration for key in keys
        )
        if stands is None or not again:
            return None
        return frozenset(key.take for key in keys if key.regeneration > stands.regeneration or key.take > stands.takes)

    def _rerolled(self) -> frozenset[int]:
        """The takes beyond those that are asked for which the open run was granted, and the one that is wished for.

        The same words, repeated while their run is open, go on with what they were granted.
        """
        granted = frozenset(take for take in self._granted if take > self._track.takes and not self._granted[take])
        return granted or (frozenset({self._next_number}) if self._reroll else frozenset())

    @property
    def _next_number(self) -> int:
        """Of a take beyond all that were asked for or bought."""
        return max([self._track.takes, *self._known]) + 1

    def _grants(self, granted: Mapping[tuple[str, int], int]) -> dict[int, int]:
        """Take -> the regeneration that the open run may buy of it."""
        takes = {*range(1, self._track.takes + 1), *self._known, self._next_number}
        return {take: granted[self._fingerprint, take] for take in takes if (self._fingerprint, take) in granted}

    def _choice(self) -> Pick | None:
        """What somebody chose, unless the takes are generated again since then: they are meant to replace it."""
        lock = self._facts.locks.get(self._track.manifest)
        pick = None if lock is None else lock.track(self._track.name).pick_of(self._fingerprint)
        if pick is None or not pick.chosen or self._again:
            return None
        chosen_at = moment(pick.at) or 0.0
        again = [PurchaseKey(self._fingerprint, *version) for version in self._granted.items() if version[1] > 0]
        return None if any(_arrives_after(chosen_at, key, self._jobs) for key in again) else pick

    def _key(self, take: int) -> PurchaseKey:
        return PurchaseKey(self._fingerprint, take, self._regeneration(take))

    def _regeneration(self, take: int) -> int:
        """Which one is meant: what was chosen, what this run was granted, else what was bought last, else the first."""
        if self._chosen is not None and self._chosen.take == take:
            return self._chosen.regeneration
        if take in self._granted:
            return self._granted[take]
        bought = self._bought(take)
        if not bought:
            return 0
        if self._again and take <= self._track.takes:
            return max(bought) + 1
        return max(bought - self._unfit(take) or bought)

    def _bought(self, take: int) -> frozenset[int]:
        """Its regenerations. Of a take that nothing else knows of, the row counts the one that it has itself."""
        counted = self._row is not None and take <= self._row.provenance.takes
        if not self._known.get(take) and self._row is not None and counted:
            return frozenset({self._row.provenance.regeneration})
        return frozenset(self._known.get(take, ()))

    def _unfit(self, take: int) -> frozenset[int]:
        """The regenerations that failed a gate, as it is still set, where an older one stands."""
        row = self._own
        if row is None or row.provenance.take != take:
            return frozenset()
        judged = judging_fingerprint(self._track, self._facts.steps)
        found = (one for one in row.unfit if one.take == take and one.judging == judged)
        return frozenset(one.regeneration for one in found)

    def _is_of_use(self, key: PurchaseKey) -> bool:
        """Is a take beyond those that are asked for here, chosen, or the one that stands?"""
        if self._chosen is not None and self._chosen.take == key.take:
            return True
        if self._own is not None and self._own.provenance.take == key.take:
            return True
        return any(job.key == key and self._is_own(job) and self._is_here(job) for job in self._jobs)

    def _is_own(self, job: Job) -> bool:
        """Was it bought for this track? Another one with its words may ask for more takes."""
        return (job.intent.manifest, job.intent.track) == (self._track.manifest, self._track.name)

    def _is_here(self, job: Job) -> bool:
        return job.state is State.COLLECTED and job.source in self._facts.held


def _known_regenerations(fingerprint: str, row: AssetRow | None, facts: Facts) -> dict[int, set[int]]:
    """Take -> its regenerations that were bought, by ledger, lock and index."""
    known: defaultdict[int, set[int]] = defaultdict(set)
    for job in facts.jobs.get(fingerprint, ()):
        if job.state not in FRUITLESS:
            known[job.key.take].add(job.key.regeneration)
    for version in facts.named.get(fingerprint, ()):
        known[version.take].add(version.regeneration)
    if row is not None:
        known[row.provenance.take].add(row.provenance.regeneration)
    return dict(known)


def _arrives_after(chosen_at: float, key: PurchaseKey, jobs: Sequence[Job]) -> bool:
    """Is `key` still to come, or did it come after that moment?"""
    came = [job.collected_at for job in jobs if job.key == key and job.collected_at is not None]
    return not came or max(came) > chosen_at + _WHOLE_SECONDS_S
