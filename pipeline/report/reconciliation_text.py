"""`pipeline reconcile` as people read it: a line for each cost tag, and what may explain a difference below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.money import dollars
from pipeline.report.terminal import paragraph
from pipeline.report.text import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.report.reconciliation import Reconciliation, TagLine

_WIDTH: Final = 80
_NOTHING: Final = "-"
_HEAD: Final = ("tag", "ledger", "gateway", "difference")


def reconciliation_lines(found: Reconciliation) -> list[str]:
    """The table, its sum, and whether the two agree. A difference is what the gateway counts beyond the ledger."""
    lines = _paragraph(f"{found.month} (UTC) at {found.gateway}")
    lines += _table(found) if found.lines else ()
    if found.kind == "local":
        lines += _paragraph(
            "A local gateway's amounts are play money, and the ledger books its placeholders at $0; to try this "
            "command, buy from it as if it were real, and compare likewise: with --gateway URL."
        )
    if found.elsewhere:
        lines += _paragraph(f"Not compared, since it was bought elsewhere: charges at {', '.join(found.elsewhere)}.")
    return [*lines, *_paragraph(_verdict(found))]


def _table(found: Reconciliation) -> Iterator[str]:
    rows = [_row(line) for line in found.lines]
    total = found.total
    sums = (dollars(total.ledger.billed), dollars(total.gateway or 0), _difference(total))
    last = (counted(len(rows), "tag"), *sums)
    tags, *amounts = zip(_HEAD, *rows, last, strict=True)
    widths = [max(map(len, column)) for column in amounts]
    room = _WIDTH - sum(2 + width for width in (0, *widths))
    widths.insert(0, min(max(map(len, tags)), room))  # a longer tag moves its own line only
    yield _laid_out(_HEAD, widths)
    for line, row in zip(found.lines, rows, strict=True):
        yield _laid_out(row, widths)
        for reason in () if line.agrees else _reasons(line):
            yield from paragraph(reason, width=_WIDTH, indent=" " * 6, first_indent=" " * 6)
    yield _laid_out(last, widths)


def _row(line: TagLine) -> tuple[str, str, str, str]:
    ledger = dollars(line.ledger.billed) if line.ledger.charges else _NOTHING
    gateway = _NOTHING if line.gateway is None else dollars(line.gateway)
    return one_line(line.tag) or "(no tag)", ledger, gateway, _difference(line)


def _difference(line: TagLine) -> str:
    if line.agrees:
        return _NOTHING
    return f"+{dollars(line.difference)}" if line.difference > 0 else dollars(line.difference)


def _laid_out(row: Sequence[str], widths: Sequence[int]) -> str:
    tag, *amounts = row
    cells = (f"{word:>{width}}" for word, width in zip(amounts, widths[1:], strict=True))
    return f"  {tag:<{widths[0]}}  {'  '.join(cells)}"


def _reasons(line: TagLine) -> Iterator[str]:
    """What may explain a difference, as far as the ledger knows."""
    side = line.ledger
    if side.possible_duplicate and line.difference > 0:
        yield f"possible duplicates: up to {dollars(side.possible_duplicate)}"
    if side.reserved and line.difference > 0:
        yield f"asked for, and the bill is not known yet: up to {dollars(side.reserved)} (the next run collects it)"
    if side.near_month_end:
        yield (
            f"{dollars(side.near_month_end)} was asked for in one month and billed in the next: "
            "the gateway may count it in the other one"
        )
    if side.computed:
        yield f"{dollars(side.computed)} of the ledger's is computed, since the gateway named no price"


def _verdict(found: Reconciliation) -> str:
    if not found.lines:
        return "Neither the ledger nor the gateway has anything in this month."
    different = sum(not line.agrees for line in found.lines)
    if not different:
        return "Ledger and gateway agree."
    return f"Ledger and gateway differ: {different:,} of {counted(len(found.lines), 'tag')}."


def _paragraph(text: str) -> list[str]:
    return paragraph(text, width=_WIDTH)
