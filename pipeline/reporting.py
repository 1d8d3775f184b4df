"""The reports are written: what the ledger and the index hold, through the report room, into the output folder."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pipeline.audio.waveform import unpacked
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import check_charges, connect_to_read, readable_errors
from pipeline.output import readable
from pipeline.report.cost_csv import cost_csv
from pipeline.report.cost_json import cost_json
from pipeline.report.cost_markdown import cost_markdown
from pipeline.report.costs import cost_report
from pipeline.report.inputs import CostInput, manifest_facts
from pipeline.report.page.inputs import PageInput, TrackFinishing
from pipeline.runner.budgets import budget_of, cap_of
from pipeline.runner.drawing import first_files

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from pipeline.audio.waveform import Waveform
    from pipeline.clock import Clock
    from pipeline.jobs import Job
    from pipeline.ledger.writing import LedgerWriter
    from pipeline.manifest.tracks import Manifest
    from pipeline.output import AssetRow
    from pipeline.report.costs import CostReport
    from pipeline.runner.results import RunResult
    from pipeline.workspace import Plan, Workspace


PAGE_NAME: Final = "report.html"
_COSTS_JSON: Final = "cost-report.json"
_COSTS_CSV: Final = "cost-report.csv"
_COSTS_MARKDOWN: Final = "cost-report.md"


@dataclass(frozen=True, slots=True)
class _Books:
    """What the ledger tells the reports. `runs`: those that they are about."""

    jobs: Sequence[Job] = ()
    since: float | None = None
    runs: frozenset[int] = frozenset()
    waveforms: Mapping[str, Waveform] = field(default_factory=dict)
    starts: Sequence[float] = ()
    finishings: Sequence[TrackFinishing] = ()


async def write_reports(
    plan: Plan,
    workspace: Workspace,
    result: RunResult,
    rows: Sequence[AssetRow],
    *,
    writer: LedgerWriter,
    clock: Clock,
) -> None:
    """Write the reports of a run that has just ended; `rows`: the index's as they now stand."""
    runs = {part.plan.manifest.name: part.run for part in result.manifests if part.run is not None}
    had = {take.job.row: take.job for track in result.tracks for take in track.takes if take.job is not None}
    books = await writer.write(lambda ledger: _read(ledger, runs, rows, had))
    given = CostInput(
        manifests={part.manifest.name: manifest_facts(part.manifest, budget_of(plan, part)) for part in plan.manifests},
        jobs=books.jobs,
        runs=books.runs,
        rows=rows,
        results=result.manifests,
        seconds=result.seconds,
        ledger_since=books.since,
        generated_at=clock.now(),
        cap_microusd=cap_of(plan),
    )
    _write(workspace, given, books, [part.manifest for part in plan.manifests])


def rewrite_reports(
    workspace: Workspace, manifests: Sequence[Manifest], now: float, drawn: Mapping[str, Waveform] | None = None
) -> list[Path]:
    """Write the reports again from the ledger and the index: the paths that were written.

    `drawn`: waveforms that the ledger does not have, by the SHA-256 of their files.
    """
    given, books = _from_disk(workspace, manifests, now)
    return _write(workspace, given, books, manifests, drawn)


def page_input(workspace: Workspace, manifests: Sequence[Manifest], now: float, *, review: bool = False) -> PageInput:
    """What the page is made of as ledger and index stand; `review`: for `pipeline review`."""
    given, books = _from_disk(workspace, manifests, now)
    return _page_input(given, cost_report(given), books, manifests, review=review)


def undrawn(workspace: Workspace, manifests: Iterable[Manifest]) -> list[AssetRow]:
    """Of each track of these manifests the first file, where nothing was drawn of it yet."""
    own = {(track.manifest, path) for one in manifests for track in one.tracks for path in track.asset_paths}
    rows = [row for row in readable(workspace.output.read_index()) if (row.manifest, row.path) in own]
    known: Collection[str] = ()
    connection = connect_to_read(workspace.ledger_path)
    if connection is not None:
        with closing(connection), readable_errors(workspace.ledger_path):
            known = Ledger(connection).drawings(row.sha256 for row in rows)
    return [row for row in first_files(rows) if row.sha256 not in known]


def reports_are_there(workspace: Workspace) -> bool:
    """Has every report been written at some time?"""
    return all(path.exists() for path in report_paths(workspace))


def report_paths(workspace: Workspace) -> list[Path]:
    """Where the reports stand."""
    return [workspace.output.folder.path(name) for name in (_COSTS_JSON, _COSTS_CSV, _COSTS_MARKDOWN, PAGE_NAME)]


def _from_disk(workspace: Workspace, manifests: Sequence[Manifest], now: float) -> tuple[CostInput, _Books]:
    rows = readable(workspace.output.read_index())
    books = _Books()
    connection = connect_to_read(workspace.ledger_path)
    if connection is not None:
        with closing(connection), readable_errors(workspace.ledger_path):
            check_charges(connection, workspace.ledger_path)
            ledger = Ledger(connection)
            last = {manifest.name: ledger.last_run(manifest.name) for manifest in manifests}
            books = _read(ledger, {name: run.id for name, run in last.items() if run is not None}, rows, {})
    given = CostInput(
        manifests={manifest.name: manifest_facts(manifest) for manifest in manifests},
        jobs=books.jobs,
        runs=books.runs,
        rows=rows,
        ledger_since=books.since,
        generated_at=now,
    )
    return given, books


def _read(ledger: Ledger, runs: Mapping[str, int], rows: Iterable[AssetRow], had: Mapping[int, Job]) -> _Books:
    """`runs`: by manifest. `had`: jobs as they are known already, so that a long run's end need not hold them twice."""
    drawings = ledger.drawings(row.sha256 for row in rows)
    read = {sha256: unpacked(drawing.waveform) for sha256, drawing in drawings.items()}
    return _Books(
        jobs=[same if (same := had.get(job.row, job)) == job else job for job in ledger.each_job()],
        since=ledger.since(),
        runs=frozenset(runs.values()),
        waveforms={sha256: waveform for sha256, waveform in read.items() if waveform is not None},
        starts=sorted({at for run in runs.values() for at in ledger.starts_of(run)}),
        finishings=[
            TrackFinishing(manifest, one.track, one.began_at, one.ended_at)
            for manifest, run in runs.items()
            for one in ledger.finishings_of(run)
        ],
    )


def _page_input(
    given: CostInput,
    report: CostReport,
    books: _Books,
    manifests: Iterable[Manifest],
    drawn: Mapping[str, Waveform] | None = None,
    *,
    review: bool = False,
) -> PageInput:
    return PageInput(
        costs=given,
        report=report,
        tracks=[track for manifest in manifests for track in manifest.tracks],
        waveforms={**(drawn or {}), **books.waveforms},
        starts=books.starts,
        finishings=books.finishings,
        review=review,
    )


def _write(
    workspace: Workspace,
    given: CostInput,
    books: _Books,
    manifests: Sequence[Manifest],
    drawn: Mapping[str, Waveform] | None = None,
) -> list[Path]:
    from pipeline.report.page.rendering import page_pieces  # noqa: PLC0415 - only where a page is written

    report = cost_report(given)
    folder = workspace.output.folder
    folder.write_pieces(_COSTS_JSON, cost_json(report))
    folder.write_pieces(_COSTS_CSV, cost_csv(report))
    folder.write(_COSTS_MARKDOWN, cost_markdown(report))
    folder.write_pieces(PAGE_NAME, page_pieces(_page_input(given, report, books, manifests, drawn)))
    return report_paths(workspace)
