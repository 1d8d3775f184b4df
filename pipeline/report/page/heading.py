"""The page's head: what became of the run, what it cost, what that left of the budget."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.money import dollars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.report.page.inputs import PageInput
    from pipeline.report.page.tracks import TrackView


@dataclass(frozen=True, slots=True)
class BudgetPart:
    """A piece of the budget's bar."""

    word: str
    kind: str  # billed, reserved, duplicate, left, over
    amount: str
    begin: float  # percent of the bar
    width: float


@dataclass(frozen=True, slots=True)
class Heading:
    """Counts are of the given manifests' tracks."""

    title: str
    done: int
    failed: int
    kept: int
    waiting: int
    skipped: int
    placeholders: int
    warned: int
    billed: str
    cash: str | None
    computed: str | None
    estimated: str
    reserved: str | None
    duplicate: str | None
    budget: str | None
    left: str | None
    is_over: bool
    parts: tuple[BudgetPart, ...]
    seconds: float | None


def heading_of(given: PageInput, tracks: Sequence[TrackView], run_seconds: float) -> Heading:
    """`run_seconds`: how long the run's processes took, as far as the ledger knows; 0: it does not."""
    own = [track for track in tracks if track.manifest in given.costs.manifests] or list(tracks)
    counts = Counter(track.status for track in own)
    amounts = given.report.run.amounts
    budget = given.report.budget_microusd
    seconds = given.costs.seconds or run_seconds or None
    return Heading(
        title=", ".join(given.costs.manifests) or "Music assets",
        done=counts["generated"] + counts["finished"],
        failed=counts["failed"],
        kept=counts["kept"],
        waiting=counts["planned"],
        skipped=counts["skipped"],
        placeholders=sum(track.placeholder for track in own),
        warned=sum(bool(track.warnings) for track in own),
        billed=dollars(amounts.billed),
        cash=dollars(amounts.cash_microusd) if amounts.cash_microusd != amounts.billed else None,
        computed=dollars(amounts.computed) if amounts.computed else None,
        estimated=dollars(amounts.estimated),
        reserved=dollars(amounts.reserved) if amounts.reserved else None,
        duplicate=dollars(amounts.possible_duplicate) if amounts.possible_duplicate else None,
        budget=None if budget is None else dollars(budget),
        left=None if budget is None else dollars(budget - amounts.committed),
        is_over=budget is not None and amounts.committed > budget,
        parts=() if budget is None else _parts(given, budget),
        seconds=max(seconds, run_seconds) if seconds is not None else None,
    )


def _parts(given: PageInput, budget: int) -> tuple[BudgetPart, ...]:
    """The bar: what is bound in the order of how sure it is, and what is left; as long as the larger of both."""
    amounts = given.report.run.amounts
    whole = max(budget, amounts.committed) or 1
    pieces = [
        ("billed", "billed", amounts.billed),
        ("reserved", "reserved", amounts.reserved),
        ("possible duplicates", "duplicate", amounts.possible_duplicate),
        ("left", "left", max(0, budget - amounts.committed)),
    ]
    parts, begin = [], 0.0
    for word, kind, amount in pieces:
        width = 100 * amount / whole
        if amount or kind in ("billed", "left"):
            parts.append(BudgetPart(word, kind, dollars(amount), round(begin, 3), round(width, 3)))
        begin += width
    return tuple(parts)
