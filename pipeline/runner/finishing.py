"""Sources become assets: finished by a worker in the state folder, then given their place in the output folder."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.audio.gates import action_of
from pipeline.audio.origin_marks import mark_of
from pipeline.audio.tasks import AudioError, FinishTask, Target, step_name
from pipeline.files import naming
from pipeline.fingerprints import serial_seed
from pipeline.output import AssetRow, Provenance
from pipeline.runner.drawing import drawing_of
from pipeline.runner.events import Notice
from pipeline.runner.finisher import WorkerDied
from pipeline.runner.grouping import Audition, GroupLevel
from pipeline.runner.picking import Picking, usable
from pipeline.runner.results import TakeLost
from pipeline.runner.twins import find_twins
from pipeline.sources import take_path
from pipeline.times import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.audio.origin_marks import OriginMark
    from pipeline.audio.settings import Output
    from pipeline.audio.tasks import FinishedFile, GatingBlocks
    from pipeline.audio.tasks import Step as UserStep
    from pipeline.ledger.ledger import Ledger
    from pipeline.planning.plans import AssetPlan, TrackPlan
    from pipeline.runner.results import TakeResult
    from pipeline.runner.tools import Tools
    from pipeline.runner.twins import Twins

_WORK: Final = "work"


@dataclass(frozen=True, slots=True)
class Finished:
    """What finishing has made of a track: its rows as they stand now, and its takes with what their gates say.

    `error`: why none of its takes is fit to be its pick; its last good assets then stand where they were.
    """

    rows: tuple[AssetRow, ...]
    takes: tuple[TakeResult, ...] = ()
    error: str | None = None
    is_new: bool = True  # False: its assets stand as they were, since its group is what it was


@dataclass(frozen=True, slots=True)
class _Material:
    """A source file, its hash checked: what is finished is what was paid for. `mark`: of one that was generated."""

    path: Path
    sha256: str
    mark: OriginMark | None = None

    def mark_for(self, plan: TrackPlan) -> OriginMark | None:
        """What the track's files are to say of it."""
        return self.mark if plan.track.finishing.mark == "iptc" else None


@dataclass(frozen=True, slots=True)
class _Work:
    """What a track's files are made of, and how."""

    plan: TrackPlan
    source: _Material
    picking: Picking
    level: GroupLevel | None  # of its loudness group


class TrackFinisher:
    """Makes a track's assets from the sources of its takes."""

    def __init__(self, tools: Tools, steps: Sequence[UserStep] = ()) -> None:
        self._tools = tools
        self._steps = tuple(steps)
        self._step_names = tuple(map(step_name, steps))
        self._delivered: dict[tuple[str, str], tuple[AssetRow, ...]] = {}

    def standing(self, plan: TrackPlan) -> tuple[AssetRow, ...]:
        """The track's rows as its files stand now, wherever its finishing was stopped."""
        return self._delivered.get((plan.track.manifest, plan.track.name), plan.rows)

    def forget(self, plan: TrackPlan) -> None:
        """The track has its result: how its files stood on the way there is of no more use."""
        self._delivered.pop((plan.track.manifest, plan.track.name), None)

    async def finish(self, plan: TrackPlan, takes: Sequence[TakeResult], level: GroupLevel | None = None) -> Finished:
        """Finish the pick into the output folder and the other takes into the state folder; `level`: its group's.

        The pick is the one that stands, else the first take without a failed gate. Raises TakeLost where its pick has
        no source, WorkerDied, FolderError and OSError where finishing fails, and AudioError for a recording; its last
        good assets then stand where they were.
        """
        if plan.rejoins and not _wanted(plan, plan.pick, level):
            return Finished(plan.rows, tuple(takes), is_new=False)
        if plan.track.file is not None:
            return Finished(await self._finish_recording(plan, level))
        picking = Picking(plan, takes, await self._find_twins(plan, takes), self._step_names)
        pick, rows = plan.pick, plan.rows
        if pick is None or pick in picking.unfit or _wanted(plan, pick, level):
            pick, rows = await self._finish_first_fit(plan, picking, level)
        if pick is None:
            return Finished(tuple(map(picking.told_in_vain, plan.rows)), picking.takes, picking.why_nothing_is_fit)
        picking.fail_twins(pick)
        for take in picking.usable:
            if take.plan.number != pick:
                await self._finish_beside(plan, take, picking, level)
        for warning in picking.warnings:
            self._tools.observe(Notice(f"{plan.track.name}: {warning.message}"))
        return Finished(tuple(map(picking.told, rows)), picking.takes)

    async def audition(self, plan: TrackPlan, takes: Sequence[TakeResult]) -> Audition:
        """What a member brings to its group: the first take that passes its gates, or the recording.

        Raises TakeLost, WorkerDied and OSError, and AudioError for a recording.
        """
        if plan.track.file is not None:
            return Audition(blocks=await self._gating_blocks(plan, _recording(plan)))
        picking = Picking(plan, takes)
        for candidate in picking.candidates:
            try:
                blocks = await self._gating_blocks(plan, self._source(candidate))
            except AudioError as error:
                picking.fail(candidate.plan.number, str(error))
            else:
                return Audition(picking.takes, candidate.plan.number, blocks)
        return Audition(picking.takes)

    async def _gating_blocks(self, plan: TrackPlan, source: _Material) -> GatingBlocks:
        return await self._tools.finisher.gating_blocks(self._task(plan, source))

    async def _find_twins(self, plan: TrackPlan, takes: Sequence[TakeResult]) -> tuple[Twins, ...]:
        if action_of("twin", plan.track.finishing.gates) == "off":
            return ()
        jobs = {take.plan.number: take.job for take in usable(takes)}
        paths = {
            number: str(Path.cwd() / self._tools.sources.path(job.source, job.intent.source_format))
            for number, job in jobs.items()
            if job is not None and job.source is not None
        }
        return await find_twins(self._tools.finisher, paths)

    async def _finish_first_fit(
        self, plan: TrackPlan, picking: Picking, level: GroupLevel | None
    ) -> tuple[int | None, tuple[AssetRow, ...]]:
        """Make the assets of the first take that passes its gates, and give its number."""
        candidates = picking.candidates
        if not candidates and not picking.is_hopeless:
            raise TakeLost(next((take.error for take in picking.takes if take.error), "its source is missing"))
        for candidate in candidates:
            try:
                return candidate.plan.number, await self._finish_pick(plan, candidate, picking, level)
            except AudioError as error:
                picking.fail(candidate.plan.number, str(error))
        return None, plan.rows

    async def _finish_recording(self, plan: TrackPlan, level: GroupLevel | None) -> tuple[AssetRow, ...]:
        provenance = Provenance("file", date=timestamp(self._tools.clock.now()))
        wanted = _wanted(plan, None, level)
        return await self._deliver(wanted, _Work(plan, _recording(plan), Picking(plan), level), provenance)

    async def _finish_pick(
        self, plan: TrackPlan, pick: TakeResult, picking: Picking, level: GroupLevel | None
    ) -> tuple[AssetRow, ...]:
        source = self._source(pick)
        assert pick.job is not None  # noqa: S101 - `_source` has checked it
        provenance = Provenance(
            "generated",
            model=plan.track.model,
            prompt=plan.track.prompt,
            lyrics=plan.track.lyrics or None,
            job_id=pick.job.job_id,
            take=pick.plan.number,
            takes=picking.highest,
            regeneration=pick.plan.key.regeneration,
            date=timestamp(pick.job.collected_at or self._tools.clock.now()),
            duration=float(plan.track.duration_s),
            refine_lyrics=plan.track.refine_lyrics,
            source_format=plan.track.source_format,
        )
        wanted = _wanted(plan, pick.plan.number, level)
        return await self._deliver(wanted, _Work(plan, source, picking, level), provenance)

    async def _finish_beside(
        self, plan: TrackPlan, take: TakeResult, picking: Picking, level: GroupLevel | None
    ) -> None:
        """A take that is not the pick: finished alike, so that it can be heard and compared, if its gates let it."""
        work = _Work(plan, self._source(take), picking, level)
        with self._workplace(plan, take.plan.number) as folder:
            try:
                finished = await self._run(work, plan.track.outputs, folder)
            except AudioError as error:
                picking.fail(take.plan.number, str(error))
                return
            drawings = []
            for output, file in zip(plan.track.outputs, finished, strict=True):
                path = take_path(plan.track, take.plan.number, output)
                self._tools.state.bring(folder / file.path, path)
                drawings.append(drawing_of(plan.track.manifest, path, file))
            kept = [drawing for drawing in drawings if drawing is not None]
            if kept:
                await self._tools.ledger.write(lambda ledger: ledger.keep_drawings(kept))

    def _source(self, take: TakeResult) -> _Material:
        job = take.job
        if job is None or job.source is None:
            raise TakeLost("its source is missing")
        audio_format = job.intent.source_format
        if not self._tools.sources.whole(job.source, audio_format):
            self._tools.sources.discard(job.source, audio_format)
            raise TakeLost("its source was damaged on disk; the next run fetches it again while the gateway has it")
        mark = mark_of(job.intent.model, job.job_id, placeholder=job.intent.kind == "local")
        return _Material(self._tools.sources.path(job.source, audio_format), job.source, mark)

    async def _deliver(self, wanted: Sequence[AssetPlan], work: _Work, provenance: Provenance) -> tuple[AssetRow, ...]:
        plan = work.plan
        replaced = {path for asset in wanted for path in (asset.path, asset.output.intro_path(plan.track.name))}
        rows = {row.path: row for row in plan.rows if row.path not in replaced}
        with self._workplace(plan, provenance.take) as folder:
            finished = await self._run(work, [asset.output for asset in wanted], folder)
            made = list(_delivered(work, wanted, finished, provenance))
            # On the books before they stand: a file that no row names is nobody's, and would be left alone.
            documents = [row.document() for row, _ in made]
            drawings = [one for row, file in made if (one := drawing_of(row.manifest, row.path, file)) is not None]

            def on_the_books(ledger: Ledger) -> None:
                ledger.add_assets(documents)
                ledger.keep_drawings(drawings)

            await self._tools.ledger.write(on_the_books)
            for row, file in made:
                self._tools.output.folder.bring(folder / file.path, row.path)
                self._note_delivered(plan, row)
                rows[row.path] = row
        return tuple(rows[path] for path in plan.track.asset_paths if path in rows)

    def _note_delivered(self, plan: TrackPlan, row: AssetRow) -> None:
        """A file has taken its place: whatever becomes of the rest, the index has to name it."""
        others = (other for other in self.standing(plan) if other.path != row.path)
        self._delivered[plan.track.manifest, plan.track.name] = (*others, row)

    async def _run(self, work: _Work, outputs: Sequence[Output], folder: Path) -> tuple[FinishedFile, ...]:
        plan = work.plan
        targets = tuple(_target(plan, output, folder / str(number)) for number, output in enumerate(outputs))
        gain_db = None if work.level is None else work.level.joined.gain_db
        with naming(folder):  # a worker's full disk names no file
            return await self._tools.finisher.finish(self._task(plan, work.source, targets, gain_db))

    def _task(
        self, plan: TrackPlan, source: _Material, targets: tuple[Target, ...] = (), gain_db: float | None = None
    ) -> FinishTask:
        mark = source.mark_for(plan)
        return FinishTask(
            source=str(Path.cwd() / source.path),
            finishing=plan.track.finishing,
            targets=targets,
            serial_seed=serial_seed(plan.track, source.sha256),
            metadata=(("TITLE", plan.track.name), *(() if mark is None else mark.fields)),
            steps=self._steps,
            asked_s=plan.track.asked_s,
            gain_db=gain_db,
        )

    @contextmanager
    def _workplace(self, plan: TrackPlan, take: int) -> Iterator[Path]:
        """A folder in the state folder for one worker's files, gone afterwards."""
        name = hashlib.sha256(f"{plan.track.manifest}\0{plan.track.name}\0{take}".encode()).hexdigest()[:24]
        folder = self._tools.state.path(f"{_WORK}/{name}").absolute()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


FINISHING_ERRORS: Final = (TakeLost, AudioError, WorkerDied)


def _wanted(plan: TrackPlan, pick: int | None, level: GroupLevel | None) -> list[AssetPlan]:
    """The assets that are to be made: those that are not as they should be, for themselves or for their group."""
    if pick != plan.pick:
        return list(plan.assets)
    rows = {row.path: row for row in plan.rows}
    return [
        asset
        for asset in plan.assets
        if not asset.keep or (level is not None and not level.holds(rows.get(asset.path)))
    ]


def _recording(plan: TrackPlan) -> _Material:
    assert plan.track.file is not None  # noqa: S101 - the callers' case
    return _Material(plan.track.file, plan.paid_fingerprint.removeprefix("file:"))


def _target(plan: TrackPlan, output: Output, stem: Path) -> Target:
    intro = f"{stem}.intro.{output.extension}" if plan.track.finishing.splits_intro else None
    return Target(output, f"{stem}.{output.extension}", intro)


def _delivered(
    work: _Work, wanted: Sequence[AssetPlan], finished: Sequence[FinishedFile], provenance: Provenance
) -> Iterator[tuple[AssetRow, FinishedFile]]:
    """The rows of what was made: each asset, and the intro that was split off it."""
    for asset, file in zip(wanted, finished, strict=True):
        yield _row(work, asset, asset.path, file, provenance), file
        if file.intro is not None:
            path = asset.output.intro_path(work.plan.track.name)
            yield _row(work, asset, path, file.intro, provenance), file.intro


def _row(work: _Work, asset: AssetPlan, path: str, file: FinishedFile, provenance: Provenance) -> AssetRow:
    plan = work.plan
    of_group = () if work.level is None or path != asset.path else work.level.warnings
    mark = work.source.mark_for(plan)
    row = AssetRow(
        manifest=plan.track.manifest,
        name=plan.track.name,
        path=path,
        format=file.format,
        size=file.size,
        sha256=file.sha256,
        duration=round(file.duration_s, 6),
        sample_rate=file.sample_rate,
        channels=file.channels,
        lufs=rounded(file.lufs),
        max_short_term_lufs=rounded(file.max_short_term_lufs),
        loudness_range=rounded(file.loudness_range_lu),
        true_peak_dbtp=rounded(file.true_peak_dbtp),
        loop=None if file.loop is None else {"start": file.loop[0], "end": file.loop[1]},
        warnings=tuple({"code": warning.code, "message": warning.message} for warning in (*file.warnings, *of_group)),
        placeholder=plan.placeholder,
        paid_fingerprint=plan.paid_fingerprint,
        finishing_fingerprint=asset.finishing_fingerprint,
        limited_db=round(file.limited_db, 2),
        provenance=provenance,
        group=None if work.level is None else work.level.joined,
        settings=asset.settings,
        mark=None if mark is None else mark.digital_source_type,
        source_marks=file.source_marks,
    )
    return work.picking.told(row)


def rounded(figure: float | None) -> float | None:
    """A figure as the index has it."""
    return None if figure is None else round(figure, 2)
