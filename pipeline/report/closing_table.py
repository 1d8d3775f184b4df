"""What became of each track that a run was about, as a table of at most 80 columns: what failed stands first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.money import dollars
from pipeline.report.file_tables import NOTHING, WIDTH, tenths
from pipeline.report.text import counted, one_line
from pipeline.report.widths import display_width, padded, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.jobs import PurchaseKey
    from pipeline.output import AssetRow
    from pipeline.runner.results import RunResult, TakeResult, TrackResult

_HEADS: Final = ("track", "status", "length", "LUFS", "dBTP", "cost", "takes", "warnings")
_TO_THE_LEFT: Final = frozenset({"track", "status"})
_BETWEEN: Final = "  "
_MOST: Final = 40
_MOST_FAILED: Final = 10  # why they failed is told above, each of them
_UNTOUCHED: Final = frozenset({"kept", "skipped", "planned"})  # counted below it


def table_lines(result: RunResult) -> list[str]:
    """Heads and a line a track; none where nothing was generated, finished or failed."""
    touched = [track for track in result.tracks if track.status not in _UNTOUCHED]
    failed = [track for track in touched if track.status == "failed"]
    others = [track for track in touched if track.status != "failed"]
    shown = [*failed[:_MOST_FAILED], *others]
    shown = shown[:_MOST]
    if not others or not shown:
        return []  # what failed is told already
    left_out = len(touched) - len(shown)
    seen: set[PurchaseKey] = set()
    lines = _laid_out([_cells(track, seen) for track in shown])
    return [*lines, f"and {counted(left_out, 'more track')}"] if left_out else lines


def _laid_out(rows: Sequence[Sequence[str]]) -> list[str]:
    figures = [_width(column) for column in list(zip(_HEADS, *rows, strict=True))[1:]]
    room = WIDTH - sum(figures) - len(_BETWEEN) * len(figures)
    names = [shortened(row[0], room) for row in rows]
    widths = [_width([_HEADS[0], *names]), *figures]
    return [_line(row, widths) for row in (_HEADS, *((name, *row[1:]) for name, row in zip(names, rows, strict=True)))]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    laid = (
        padded(cell, width, right=head not in _TO_THE_LEFT)
        for head, cell, width in zip(_HEADS, cells, widths, strict=True)
    )
    return _BETWEEN.join(laid).rstrip()


def _width(cells: Iterable[str]) -> int:
    return max(map(display_width, cells))


def _cells(track: TrackResult, seen: set[PurchaseKey]) -> tuple[str, ...]:
    first = track.rows[0] if track.rows else None
    return (
        one_line(track.plan.track.name),
        track.status,
        NOTHING if first is None else _length(first.duration),
        NOTHING if first is None else tenths(first.lufs),
        NOTHING if first is None else tenths(first.true_peak_dbtp),
        _cost(track, seen),
        _takes(track.takes),
        _warnings(track.rows),
    )


def _length(seconds: float) -> str:
    """`0:06.4`, `2:30.0`, `1:02:30`."""
    tenths_of_a_second = round(seconds * 10)
    minutes, rest = divmod(tenths_of_a_second, 600)
    if minutes < 60:  # noqa: PLR2004 - minutes in an hour
        return f"{minutes}:{rest // 10:02}.{rest % 10}"
    return f"{minutes // 60}:{minutes % 60:02}:{rest // 10:02}"


def _cost(track: TrackResult, seen: set[PurchaseKey]) -> str:
    """What its takes cost; what two tracks share is on the first one's line."""
    own = [take.job for take in track.takes if take.job is not None]
    if not own:
        return NOTHING
    new = [job for job in own if job.key not in seen]
    seen.update(job.key for job in own)
    if not new:
        return "shared"
    if all(job.intent.kind == "local" for job in new):
        return "free"
    total = sum((job.commitment.total for job in new), 0)
    is_estimate = any(job.cost_microusd is None and job.commitment.total for job in new)
    return f"{'~' if is_estimate else ''}{dollars(total)}"


def _takes(takes: Sequence[TakeResult]) -> str:
    """How many are here, of how many."""
    if not takes:
        return NOTHING
    here = sum(take.error is None or take.failed_gate for take in takes)
    return str(here) if here == len(takes) else f"{here}/{len(takes)}"


def _warnings(rows: Sequence[AssetRow]) -> str:
    """How many things there are to know about its files, each once though it has several."""
    said = {(warning.get("code"), warning.get("message")) for row in rows for warning in row.warnings}
    unfit = {take for row in rows for take in row.unfit}
    return str(len(said) + len(unfit)) if said or unfit else NOTHING
