"""docs/money.md held against the evidence: while a life is lived, when it is over, and in the end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from canned_finisher import source_of
from scenarios import PRICE_USD, AtSignal

from pipeline.jobs import Commitment, State
from pipeline.picks.lockfile import LockFile
from pipeline.planning.plans import Action
from pipeline.planning.refreshing import BETWEEN_TRIES_S
from pipeline.planning.takes import RESEND_WITHIN_S
from pipeline.runner.events import Event, TakeFailed
from pipeline.runner.results import EXIT_MONEY, EXIT_TRACKS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from evidence import Evidence
    from roads import Road
    from scenarios import End, Scenario

    from pipeline.clock import Clock
    from pipeline.jobs import Job
    from pipeline.local_gateway.jobs import Job as GatewayJob
    from pipeline.manifest.tracks import Manifest, Track
    from pipeline.runner.control import Control
    from pipeline.runner.results import RunResult
    from pipeline.workspace import Plan

_INTERVAL_S: Final = 3.0  # between two polls of a job: the manifest's, by default
_STOPPED_WITHIN_S: Final = 3.0
_FRUITLESS: Final = (State.FAILED, State.CANCELLED, State.EXPIRED)


class NotKept(AssertionError):
    """A promise was not kept. Its text says which."""


class Promises:
    """Watches over one seed."""

    def __init__(self, scenario: Scenario, manifest: Manifest, evidence: Evidence, road: Road, clock: Clock) -> None:
        self._scenario = scenario
        self._manifest = manifest
        self._evidence = evidence
        self._road = road
        self._clock = clock
        self._control: Control | None = None
        self._given_up: set[str] = set()  # the prompts of takes that this life does not ask for any more
        self._most_takes: dict[str, int] = {}  # by prompt, where more than the manifest asks for were wished for
        self.broken: list[str] = []

    def must(self, kept: bool, otherwise: str) -> None:
        """Raise NotKept, and remember it: inside of the program's own calls it might be taken for an error there."""
        if not kept:
            self.broken.append(otherwise)
            raise NotKept(otherwise)

    # --- while a life is lived --------------------------------------------------------------------------------------

    def begin_life(self, control: Control) -> None:
        self._control = control
        self._given_up = set()
        for job in self._evidence.jobs():
            late = self._clock.now() - job.intended_at > RESEND_WITHIN_S
            if job.state in (State.UNKNOWN, State.INTENDED) and (late or not self._scenario.resend_unknown):
                self._given_up.add(json.loads(job.intent.body)["prompt"])

    def plan(self, plan: Plan) -> None:
        """What a life means to do: of a track that is blocked nothing is asked for."""
        tracks = (track for part in plan.manifests for track in part.tracks if track.action is Action.BLOCKED)
        self._given_up |= {track.track.prompt or "" for track in tracks}

    def observe(self, event: Event) -> None:
        """What the run itself says."""
        if isinstance(event, TakeFailed):
            self._given_up |= {track.prompt or "" for track in self._manifest.tracks if track.name == event.track}

    def submit_leaves(self) -> None:
        """Its intent is on the books, and all that is bound is within the budget."""
        assert self._evidence.writer is not None
        ledger = self._evidence.writer.ledger
        run = ledger.find_open_run(self._manifest.name, "real")
        jobs = [] if run is None else ledger.jobs_of(run.id)
        self.must(any(job.state is State.INTENDED for job in jobs), "a submit left without an intent on the books")
        assert run is not None
        bound = sum((job.commitment for job in jobs), Commitment()).total
        budget = self._scenario.budget_usd
        limit = 2 * ledger.asked_microusd(run.id) if budget is None else round(budget * 1_000_000)
        self.must(bound <= limit, f"{bound} micro-dollars were bound of {limit} when a submit left")

    def poll_leaves(self, job_id: str) -> None:
        """The job's id is on the books."""
        assert self._evidence.writer is not None
        ledger = self._evidence.writer.ledger
        known = ledger.connection.execute("SELECT 1 FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
        self.must(known is not None, f"job {job_id} was asked about before its id was on the books")

    def submit_cancelled(self) -> None:
        """Somebody stopped waiting for a POST's answer: only an interrupt may do that."""
        is_interrupted = self._control is not None and self._control.interrupted
        self.must(is_interrupted, "a POST that had left was cancelled, and nobody had interrupted the run")

    def job_may_be_made(self, key: str) -> None:
        """Never more jobs in flight than asked, of those that we can know of; one under `key` may just have begun.

        A job that nobody here knows of, is overdue, or was given up holds no slot.
        """
        now = self._clock.now()
        known = {job_id for (job_id,) in self._evidence.rows("SELECT job_id FROM jobs")}
        known |= {job.id for job in [job for job in self._evidence.made() if job.idempotency_key == key][-1:]}
        in_flight = [
            job
            for job in self._evidence.gateway.unfinished
            if now - job.created_at < self._scenario.job_timeout_s and (job.id in known or self._is_sought(job))
        ]
        limit = self._scenario.concurrency
        self.must(len(in_flight) <= limit, f"{len(in_flight)} jobs in flight, {limit} allowed")

    def _is_sought(self, job: GatewayJob) -> bool:
        """Is it unknown, and asked for again under its key, which finds it?"""
        return self._scenario.idempotency and job.piece.prompt not in self._given_up

    # --- when a life is over ----------------------------------------------------------------------------------------

    def life_over(self, result: RunResult | None, end: End, seconds: float, *, asks: bool = True) -> None:
        """`result` None: it died. `asks`: it was a run, which asks for what is still to come."""
        if self.broken:
            raise NotKept(self.broken[0])
        self._files_are_whole()
        self._charges_are_seen()
        if result is None:
            return
        self._nothing_is_a_defect(result)
        assert self._control is not None
        if isinstance(end, AtSignal) and self._control.interrupted:
            ended_s = seconds - end.after_s
            self.must(ended_s <= _STOPPED_WITHIN_S, f"an interrupted run took {ended_s:.1f} s to end")
            self.must(result.exit == end.exit, f"an interrupted run gave exit status {result.exit}")
        elif asks and result.exit in (0, EXIT_TRACKS, EXIT_MONEY):
            self._nothing_paid_is_left(result)

    def _nothing_is_a_defect(self, result: RunResult) -> None:
        """No error is one of the program's own, which one take's end would hide."""
        said = [track.error or "" for track in result.tracks] + [job.error or "" for job in self._evidence.jobs()]
        for error in said:
            is_defect = "defect of this program" in error or "the answer could not be read (" in error
            self.must(not is_defect, error)

    def _files_are_whole(self) -> None:
        for path in self._evidence.delivered():
            content = path.read_bytes()
            if path.suffix == ".wav":
                self.must(source_of(content) is not None, f"{path.name} is not whole")
            elif path.suffix == ".json":
                self.must(_is_json(content), f"{path.name} is not whole")
        for path in self._evidence.sources():
            content = path.read_bytes()
            declared = int.from_bytes(content[4:8], "little") + 8
            self.must(declared == len(content), f"the source {path.name} is not whole")

    def _charges_are_seen(self) -> None:
        """What the gateway charged is never more than what we say it may have.

        A piece that came out longer than asked costs more than its estimate, which nobody can know before its bill.
        """
        bound, charged = self._evidence.bound(), self._evidence.charged_microusd
        longer = 0
        if bound.reserved or bound.unknown:
            asked = [(job.charged_microusd, round(job.asked_s * PRICE_USD * 1e6)) for job in self._evidence.made()]
            longer = sum(max(0, charge - estimate) for charge, estimate in asked)
        said = bound.total + longer
        self.must(charged <= said, f"the gateway charged {charged} micro-dollars, the books know of {said}")

    def _nothing_paid_is_left(self, result: RunResult) -> None:
        """A process that came to its end has fetched what is paid for, or says why not."""
        takes = [take for manifest in result.manifests for track in manifest.tracks for take in track.takes]
        takes += [take for manifest in result.manifests for take in manifest.strays]
        stated = {take.job.row for take in takes if take.job is not None and take.error}
        for job in self._evidence.jobs():
            if job.state in (State.ACCEPTED, State.COMPLETED):
                what = f"job {job.job_id} is {job.state}, and the run ended without a word of it"
                self.must(job.row in stated, what)
            if job.state is State.ACCEPTED:
                overdue = self._clock.now() - (job.accepted_at or 0.0) >= self._scenario.job_timeout_s
                self.must(overdue, f"job {job.job_id} was left before its time was over")

    # --- when nothing goes wrong any more ---------------------------------------------------------------------------

    def at_rest(self, result: RunResult) -> None:
        """Every track is an asset, or a stated failure."""
        for track in result.tracks:
            paths = [self._evidence.output / path for path in track.plan.track.asset_paths]
            name = track.plan.track.name
            if track.status in ("generated", "finished", "kept"):
                there = all(path.is_file() for path in paths)
                self.must(there, f"{name} is {track.status}, but its asset is not there")
                self._is_of_its_prompt(track.plan.track.prompt, paths[0])
            else:
                self.must(track.status in ("failed", "planned") and bool(track.error), f"{name}: {track.status}")
                held = track.status == "failed" or result.exit == EXIT_MONEY
                self.must(held, f"{name} is held back for no reason: {track.error}")
        self._has_one_gain(result)
        shortest = self._road.shortest_poll_gap_s
        self.must(shortest >= _INTERVAL_S - 1e-6, f"two polls of a job within {shortest:.2f} s")

    def _has_one_gain(self, result: RunResult) -> None:
        """Whoever failed in between and came later, what stands of a group fits together."""
        groups = [row.group for track in result.tracks for row in track.rows]
        gains = {group.gain_db for group in groups if group is not None}
        self.must(len(gains) == self._scenario.grouped or not groups, f"a group stands at the gains {sorted(gains)}")
        self.must(self._scenario.grouped == all(groups) or not groups, "an asset stands apart from its group")

    def _is_of_its_prompt(self, prompt: str | None, asset: Path) -> None:
        source = source_of(asset.read_bytes())
        makers = {job.job_id for job in self._evidence.jobs() if job.source == source}
        prompts = {job.piece.prompt for job in self._evidence.made() if job.id in makers}
        self.must(prompt in prompts, f"{asset.name} was made of {prompts or 'nothing'}, not of {prompt!r}")

    def nothing_was_done(self, before: dict[str, tuple[int, bytes]], submits: int) -> None:
        """A closed run was repeated: there were so many submits, and such files, before."""
        self.must(self._evidence.snapshot() == before, "a run with nothing to do rewrote something")
        self.must(self._road.requests["submit"] == submits, "a closed run submitted something when it was repeated")

    # --- in the end -------------------------------------------------------------------------------------------------

    def in_the_end(self) -> None:
        """At the gateway's own books: no job that nobody asked for, no cent unseen."""
        for key, own in self._evidence.by_purchase():
            keys = {job.intent.idempotency_key for job in own}
            made = [job for job in self._evidence.made() if job.idempotency_key in keys]
            fruitless = sum(job.state in _FRUITLESS for job in own)
            unproven = 0 if self._scenario.idempotency else sum(self._unproven(job) for job in own)
            text = f"{len(made)} jobs were made for take {key.take} of {own[0].intent.track}, "
            text += f"after {fruitless} that brought nothing and {unproven} unproven answers"
            self.must(len(made) <= 1 + fruitless + unproven, text)
            prompt = json.loads(own[0].intent.body)["prompt"]
            most = bool(self._scenario.regenerate) + self._most_tries(prompt)
            self.must(key.regeneration <= most, f"regenerated {key.regeneration} times")
            most = self._most_takes.get(prompt) or max(
                track.takes for track in self._manifest.tracks if track.prompt == prompt
            )
            self.must(key.take <= most, f"{own[0].intent.track} has a take {key.take}, of {most}")
        bodies = {(job.intent.idempotency_key, job.intent.body) for job in self._evidence.jobs()}
        self.must(len(bodies) == len({key for key, _ in bodies}), "a key stands for two bodies")
        self._sums_agree()

    def rerolls_begin(self) -> None:
        """From now on one more take of the first track is wished for, once."""
        first = self._manifest.tracks[0]
        asked = [track.takes for track in self._manifest.tracks if track.prompt == first.prompt]
        self._most_takes[first.prompt or ""] = max(asked) + 1

    def was_chosen(self, track: Track, take: int, submits: int) -> None:
        """Somebody has chosen a take, however often they died of it: its source is what stands, and it cost nothing."""
        asset = self._evidence.output / track.asset_paths[0]
        source = source_of(asset.read_bytes()) if asset.is_file() else None
        made_of = [job.key.take for job in self._evidence.jobs() if job.source == source]
        self.must(take in made_of, f"take {take} of {track.name} was chosen, and {made_of or 'nothing'} stands")
        picks = LockFile(self._manifest).read().track(track.name).picks
        self.must(bool(picks) and picks[-1].take == take and picks[-1].chosen, f"the lock does not say so: {picks}")
        self.must(self._road.requests["submit"] == submits, "choosing has submitted something")

    def still_there(self, stood: Iterable[Path]) -> None:
        """What stood before it was generated again, or what took its place."""
        gone = [path.name for path in stood if not path.is_file()]
        self.must(not gone, f"generating again has lost {gone}")

    def _most_tries(self, prompt: str) -> int:
        """How often what has this prompt may have been refreshed: once a night."""
        if not self._scenario.refresh or prompt != self._manifest.tracks[0].prompt:
            return 0
        began = min(job.intended_at for job in self._evidence.jobs())
        return int((self._clock.now() - began) // BETWEEN_TRIES_S)

    def a_clone_buys_nothing(self, plan: Plan) -> None:
        """`plan` is of whoever has manifest, lock and output folder, and neither ledger nor sources."""
        home = [job for job in self._evidence.jobs() if job.state is State.COLLECTED]
        again = {job.key for job in home} & {key for part in plan.manifests for key in part.purchases()}
        self.must(not again, f"a clone would buy again what came home: {sorted(again)}")
        tracks = LockFile(self._manifest).read().tracks.values()
        named = {take.source for track in tracks for one in track.purchases.values() for take in one.takes}
        missing = {job.source for job in home} - named
        self.must(not missing, f"the lock does not name {missing}")

    def _unproven(self, job: Job) -> int:
        """Sendings that may each have made a job: without an answer, or with one that was not written down."""
        sendings = self._road.sendings[job.intent.idempotency_key]
        written = 1 if job.job_id is not None else 0
        return sendings.nothing + max(0, sendings.ids - written)

    def _was_answered(self, job: Job) -> bool:
        """Did each intent of it leave, and bring home an answer that proves something?"""
        sendings = self._road.sendings[job.intent.idempotency_key]
        ended = job.state in (State.COLLECTED, State.FAILED, State.REFUSED)
        return ended and not self._unproven(job) and sendings.all == job.sends

    def _sums_agree(self) -> None:
        """Where every answer arrived, or nothing is in doubt any more, what is billed is what was charged."""
        jobs, bound, charged = self._evidence.jobs(), self._evidence.bound(), self._evidence.charged_microusd
        self._charges_are_seen()
        if all(map(self._was_answered, jobs)) or not (bound.unknown or bound.reserved):
            what = f"every answer arrived, but {bound} is not the {charged} micro-dollars that were charged"
            self.must((bound.billed, bound.unknown) == (charged, 0), what)
        charges = sum(amount for (amount,) in self._evidence.rows("SELECT amount_microusd FROM charges"))
        self.must(charges == bound.billed, "the charges do not add up to what is billed")


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True
