"""`pipeline ledger`: the books as people read them, in lines of 80 columns; only a name makes one longer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.money import Basis, dollars
from pipeline.report.terminal import column_width, paragraph
from pipeline.report.text import counted, one_line
from pipeline.times import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.jobs import Job
    from pipeline.report.books import Books, Entry, Sums

_WIDTH: Final = 80
_NOTHING: Final = "-"
_HEAD: Final = ("asked for (UTC)", "state", "seconds", "estimate", "billed", "basis", "duplicate")
_RIGHT: Final = frozenset({"seconds", "estimate", "billed", "duplicate"})


def books_lines(books: Books) -> list[str]:
    """Two lines a job: whose it is, and below it when, how it stands, and what it costs; the last line sums up.

    `seconds` are those received of those asked for; `duplicate` is what may have been charged beside the bill.
    """
    if not books.entries:
        return ["No takes."]
    return [*_table(books.entries), "", *paragraph(_summed_up(books.sums), width=_WIDTH)]


def _table(entries: Sequence[Entry]) -> Iterator[str]:
    rows = [_figures(entry.job) for entry in entries]
    columns = list(zip(_HEAD, *rows, strict=True))
    if all(word == _NOTHING for word in columns[-1][1:]):
        columns.pop()
    widths = [column_width(column) for column in columns]
    yield _laid_out(_HEAD, widths)
    for entry, row in zip(entries, rows, strict=True):
        yield from _whose(entry.job)
        yield _laid_out(row, widths)


def _laid_out(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (
        f"{word:>{width}}" if head in _RIGHT else f"{word:<{width}}"
        for head, word, width in zip(_HEAD, row, widths, strict=False)
    )
    return f"  {'  '.join(cells)}".rstrip()


def _whose(job: Job) -> list[str]:
    intent = job.intent
    take = f"take {job.key.take}" + (f", regeneration {job.key.regeneration}" if job.key.regeneration else "")
    paid = "" if job.bought_by is None else f", for which {job.bought_by} paid {dollars(job.bought_microusd or 0)}"
    words = one_line(f"{intent.manifest}: {intent.track}, {take}, {intent.kind}, {job.job_id or 'no job id'}{paid}")
    return [words] if len(words) <= _WIDTH else paragraph(words, width=_WIDTH)


def _figures(job: Job) -> tuple[str, ...]:
    bound = job.commitment
    return (
        timestamp(job.intended_at)[:16].replace("T", " "),
        job.state.value,
        f"{_seconds(job.seconds_got)}/{_seconds(job.intent.seconds_asked)}",
        dollars(job.intent.estimate_microusd),
        _NOTHING if job.cost_microusd is None else dollars(job.cost_microusd),
        _basis(job),
        dollars(bound.unknown) if bound.unknown else _NOTHING,
    )


def _seconds(seconds: float | None) -> str:
    return _NOTHING if seconds is None else f"{round(seconds, 1):g}"


def _basis(job: Job) -> str:
    """How what the job costs is known; what is neither billed nor reserved costs nothing that anybody knows of."""
    if job.bought_by is not None:
        return "others"
    if job.cost_basis is not None:
        return job.cost_basis.value
    return Basis.ESTIMATED.value if job.commitment.reserved else _NOTHING


def _summed_up(sums: Sums) -> str:
    takes = counted(sums.takes, "take")
    if sums.placeholder_takes:
        takes += f" ({sums.placeholder_takes:,} from a local gateway, free)"
    jobs = f" in {counted(sums.jobs, 'job')}" if sums.jobs != sums.takes else ""
    return (
        f"{takes}{jobs}: billed {dollars(sums.billed)}, of which computed {dollars(sums.computed)}; "
        f"reserved {dollars(sums.reserved)}; possible duplicates up to {dollars(sums.possible_duplicate)}."
    )
