"""What a prune would remove, and what it keeps and why, as people read it; and the same as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.money import as_usd, dollars
from pipeline.planning.prunes import Lies
from pipeline.report.amounts import cost_of
from pipeline.report.terminal import coloured, column_width, hanging
from pipeline.report.text import counted, one_line
from pipeline.times import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.planning.prunes import OrphanFate, Pruning, SourceFate

_WIDTH: Final = 100
_GOES: Final = "-"
_STAYS: Final = "="
_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB")
_STEP: Final = 1000
_SHOWN: Final = 12  # digits of a hash


def prune_lines(pruning: Pruning, unknown: int, *, colour: bool) -> list[str]:
    """One line for all that nothing names: `-` goes, `=` stays, and why; the last line counts.

    `unknown`: source files that the ledger does not know.
    """
    lines = [*_section("output folder", map(_orphan, pruning.orphans), colour=colour)]
    lines += _section("sources", map(_source, pruning.sources), colour=colour)
    for manifest, number in sorted(pruning.elsewhere.items()):
        lines.append(f"  {counted(number, 'source')} of {one_line(manifest)}, which was not given: not looked at")
    if unknown:
        lines.append(f"  {counted(unknown, 'source file')} that the ledger does not know: not looked at")
    return [*lines, *([""] if lines else []), _total(pruning)]


def removed_line(pruning: Pruning) -> str:
    """What a prune has done."""
    orphans, sources = pruning.going
    return f"Removed {_what(len(orphans), len(sources))}, {_size(pruning.size)}."


def _section(title: str, rows: Iterator[tuple[str, str, str, str]], *, colour: bool) -> list[str]:
    drafts = list(rows)
    names, sizes = (column_width(draft[column] for draft in drafts) for column in (1, 2))
    lines = [title] if drafts else []
    for sign, name, size, why in drafts:
        told = hanging(f"  {sign} {name:<{names}}  {size:>{sizes}}  ", why, width=_WIDTH)
        lines += [coloured(sign, line) if colour else line for line in told]
    return lines


def _orphan(fate: OrphanFate) -> tuple[str, str, str, str]:
    if fate.goes and fate.lies is Lies.GONE:
        return _GOES, one_line(fate.row.path), "", "its file is gone: only its row goes"
    sidecars = ", ".join(path.removeprefix(fate.row.path) for path in fate.sidecars)
    beside = f"with {sidecars}" if sidecars and fate.goes else ""
    return _sign(goes=fate.goes), one_line(fate.row.path), _size(fate.row.size), one_line(fate.why) or beside


def _source(fate: SourceFate) -> tuple[str, str, str, str]:
    job, key = fate.job, fate.job.key
    take = "" if key.take == 1 else f" take {key.take}"
    cost, _ = cost_of([job])
    paid = "placeholder" if job.intent.kind == "local" else f"{dollars(cost or 0)} paid"
    name = f"{fate.source.sha256[:_SHOWN]}  {one_line(job.intent.track)}{take}"
    return _sign(goes=fate.goes), name, _size(fate.source.size), one_line(fate.why) or paid


def _sign(*, goes: bool) -> str:
    return _GOES if goes else _STAYS


def _total(pruning: Pruning) -> str:
    orphans, sources = pruning.going
    kept = len(pruning.orphans) + len(pruning.sources) - len(orphans) - len(sources)
    stays = f"; {kept:,} to keep" if kept else ""
    if not orphans and not sources:
        return f"Prune: nothing to remove{stays}."
    return f"Prune: {_what(len(orphans), len(sources))} to remove, {_size(pruning.size)}{stays}."


def _what(orphans: int, sources: int) -> str:
    parts = [counted(orphans, "orphan")] if orphans else []
    parts += [counted(sources, "source")] if sources else []
    return " and ".join(parts) or "nothing"


def _size(size: int) -> str:
    """`742 bytes`, `3.1 MB`."""
    figure, unit = float(size), 0
    while figure >= _STEP and unit < len(_UNITS) - 1:
        figure, unit = figure / _STEP, unit + 1
    return f"{size:,} {_UNITS[0]}" if unit == 0 else f"{figure:.1f} {_UNITS[unit]}"


def prune_document(pruning: Pruning, unknown: int, *, removed: bool) -> dict[str, Any]:
    """The `--json` document of `prune`. `removed`: it has been done, and not only said."""
    orphans, sources = pruning.going
    return {
        "ok": True,
        "exit": 0,
        "error": None,
        "removed": removed,
        "orphans": [_orphan_document(one) for one in pruning.orphans],
        "sources": [_source_document(one) for one in pruning.sources],
        "elsewhere": dict(sorted(pruning.elsewhere.items())),
        "unknown_sources": unknown,
        "totals": {"orphans": len(orphans), "sources": len(sources), "bytes": pruning.size},
    }


def _orphan_document(fate: OrphanFate) -> dict[str, Any]:
    return {
        "manifest": fate.row.manifest,
        "name": fate.row.name,
        "path": fate.row.path,
        "size": fate.row.size,
        "sha256": fate.row.sha256,
        "sidecars": list(fate.sidecars),
        "file": fate.lies.value,
        "goes": fate.goes,
        "why": fate.why or None,
    }


def _source_document(fate: SourceFate) -> dict[str, Any]:
    job = fate.job
    cost, basis = cost_of([job])
    return {
        "manifest": job.intent.manifest,
        "name": job.intent.track,
        "take": job.key.take,
        "regeneration": job.key.regeneration,
        "job_id": job.job_id,
        "sha256": fate.source.sha256,
        "size": fate.source.size,
        "placeholder": job.intent.kind == "local",
        "cost_usd": None if cost is None else as_usd(cost),
        "cost_basis": None if basis is None else basis.value,
        "collected_at": None if job.collected_at is None else timestamp(job.collected_at),
        "goes": fate.goes,
        "why": fate.why or None,
    }
