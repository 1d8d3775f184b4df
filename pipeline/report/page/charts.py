"""The page's charts, as plain values for a template: money by tag, by model, by night."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.money import dollars
from pipeline.times import day

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.jobs import Job
    from pipeline.report.costs import Group

_MOST_BARS: Final = 12
_MOST_NIGHTS: Final = 60


@dataclass(frozen=True, slots=True)
class Bar:
    """`percent`: its length beside the longest. `run_percent`: how much of that is this run's."""

    label: str
    percent: float
    run_percent: float
    amount: str
    detail: str


def bars_of(groups: Sequence[Group], nameless: str) -> tuple[Bar, ...]:
    """The groups that cost most, and how many more there are."""
    ordered = sorted(groups, key=lambda group: (-group.to_date.committed, group.word is None, group.word or ""))
    most = max((group.to_date.committed for group in ordered), default=0)
    shown = [_bar(group, most, nameless) for group in ordered[:_MOST_BARS]]
    rest = ordered[_MOST_BARS:]
    if rest:
        amount = sum(group.to_date.committed for group in rest)
        run = sum(group.run.committed for group in rest)
        percents = (min(100.0, _percent(amount, most)), min(100.0, _percent(run, most)))
        shown.append(Bar(f"{len(rest)} more", *percents, dollars(amount), "together"))
    return tuple(shown)


def _bar(group: Group, most: int, nameless: str) -> Bar:
    money = group.to_date
    takes = f"{money.takes:,} take" + ("" if money.takes == 1 else "s")
    if money.takes and money.placeholder_takes == money.takes:
        takes += ", placeholders"
    return Bar(
        label=nameless if group.word is None else group.word,
        percent=_percent(money.committed, most),
        run_percent=_percent(group.run.committed, most),
        amount=dollars(money.committed),
        detail=takes,
    )


@dataclass(frozen=True, slots=True)
class Night:
    """What was billed on one day, in UTC."""

    date: str
    billed_microusd: int
    percent: float
    amount: str


def nights_of(jobs: Iterable[Job]) -> tuple[Night, ...]:
    """The last nights on which something was billed, oldest first."""
    billed: defaultdict[str, int] = defaultdict(int)
    for job in jobs:
        if job.cost_microusd is not None and job.intent.kind == "real":
            billed[day(job.ended_at or job.sent_at)] += job.cost_microusd
    last = sorted(billed)[-_MOST_NIGHTS:]
    most = max((billed[date] for date in last), default=0)
    return tuple(Night(date, billed[date], _percent(billed[date], most), dollars(billed[date])) for date in last)


def _percent(amount: int, most: int) -> float:
    return round(100 * amount / most, 2) if most > 0 else 0.0
