"""The reports are written: what the ledger and the index hold, through the report room, into the output folder."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import check_charges, connect_to_read, readable_errors
from pipeline.output import read_row
from pipeline.report.cost_csv import cost_csv
from pipeline.report.cost_json import cost_json
from pipeline.report.cost_markdown import cost_markdown
from pipeline.report.costs import cost_report
from pipeline.report.inputs import CostInput, manifest_facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipeline.clock import Clock
    from pipeline.jobs import Job
    from pipeline.ledger.writing import LedgerWriter
    from pipeline.manifest.tracks import Manifest
    from pipeline.runner.results import RunResult
    from pipeline.workspace import Plan, Workspace

_FILES: Final = {
    "cost-report.json": cost_json,
    "cost-report.csv": cost_csv,
    "cost-report.md": cost_markdown,
}


async def write_reports(
    plan: Plan, workspace: Workspace, writer: LedgerWriter, clock: Clock, result: RunResult
) -> None:
    """Write the reports of a run that has just ended."""
    jobs, since = await writer.write(_books)
    single = len(plan.manifests) == 1
    budget = plan.request.budget_microusd
    given = CostInput(
        manifests={
            part.manifest.name: manifest_facts(part.manifest, budget if single else None) for part in plan.manifests
        },
        jobs=jobs,
        runs=frozenset(part.run for part in result.manifests if part.run is not None),
        rows=[row for row in map(read_row, workspace.output.read_index()) if row is not None],
        results=result.manifests,
        seconds=result.seconds,
        ledger_since=since,
        generated_at=clock.now(),
        cap_microusd=None if single else budget,
    )
    _write(workspace, given)


def rewrite_reports(workspace: Workspace, manifests: Sequence[Manifest], now: float) -> list[Path]:
    """Write the reports again from the ledger and the index: the paths that were written."""
    jobs: Sequence[Job] = ()
    since: float | None = None
    runs: set[int] = set()
    connection = connect_to_read(workspace.ledger_path)
    if connection is not None:
        with closing(connection), readable_errors(workspace.ledger_path):
            check_charges(connection, workspace.ledger_path)
            ledger = Ledger(connection)
            jobs, since = _books(ledger)
            last = (ledger.last_run(manifest.name) for manifest in manifests)
            runs = {run.id for run in last if run is not None}
    index: Sequence[Mapping[str, Any]] = workspace.output.read_index()
    given = CostInput(
        manifests={manifest.name: manifest_facts(manifest) for manifest in manifests},
        jobs=jobs,
        runs=frozenset(runs),
        rows=[row for row in map(read_row, index) if row is not None],
        ledger_since=since,
        generated_at=now,
    )
    return _write(workspace, given)


def reports_are_there(workspace: Workspace) -> bool:
    """Has every report been written at some time?"""
    return all(path.exists() for path in report_paths(workspace))


def report_paths(workspace: Workspace) -> list[Path]:
    """Where the reports stand."""
    return [workspace.output.folder.path(name) for name in _FILES]


def _books(ledger: Ledger) -> tuple[list[Job], float | None]:
    return ledger.all_jobs(), ledger.since()


def _write(workspace: Workspace, given: CostInput) -> list[Path]:
    report = cost_report(given)
    for name, text_of in _FILES.items():
        workspace.output.folder.write(name, text_of(report))
    return report_paths(workspace)
