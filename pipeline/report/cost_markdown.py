"""`cost-report.md`: what it cost, for the person who pays for it. The most useful lines come first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.money import Basis, dollars
from pipeline.report.markdown import escaped, table
from pipeline.report.purchases import KEPT, UNSENT
from pipeline.report.text import audio_length, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.report.amounts import Amounts, Counts, Totals
    from pipeline.report.costs import CostReport, Group, ManifestCosts, TwinTakes
    from pipeline.report.failures import Failure
    from pipeline.report.purchases import Purchase

_UNKNOWN = "\N{EN DASH}"
_FREE = "placeholder, free"
_STORED = "Paid by others: takes from the team's store"
_NO_LEDGER = "There is no ledger, so what was spent to date is not known: only what the index says of its assets is."


def cost_markdown(report: CostReport) -> bytes:
    """The report for people."""
    parts = [
        ["# Cost report", "", _headline(report)],
        _sums(report),
        _failures(report.failures),
        _twins(report.twins),
        _by_manifest(report.manifests),
        _by_tag(report.by_tag),
        _by_model(report.by_model),
        _takes(report.takes),
        [_colophon(report)],
    ]
    return "\n".join(line for part in parts if part for line in [*part, ""]).encode()


# --- this run, to date ----------------------------------------------------------------------------------------------


def _headline(report: CostReport) -> str:
    amounts = report.run.amounts
    billed = f"Billed {dollars(amounts.billed)}"
    if amounts.cash_microusd != amounts.billed:
        billed += f", {dollars(amounts.cash_microusd)} in cash with the top-up fee"
    return f"**This run: {_counts_in_words(report.run.counts)}. {billed}.**"


def _counts_in_words(counts: Counts) -> str:
    found = [
        f"{number:,} {word}" for word, number in counts.document().items() if number and word in ("kept", "skipped")
    ]
    made = [
        counted(number, f"track {word}", f"tracks {word}")
        for word, number in counts.document().items()
        if number and word not in ("kept", "skipped")
    ]
    return ", ".join(made + found) or "nothing to do"


def _sums(report: CostReport) -> list[str]:
    run, to_date = report.run, report.to_date
    budget = report.budget_microusd
    left = _UNKNOWN if budget is None else f"{dollars(budget - run.amounts.committed)} of {dollars(budget)}"
    rows = [
        ("Billed", dollars(run.amounts.billed), dollars(to_date.amounts.billed)),
        ("of which computed: the gateway named no price", *_pair("computed", run, to_date)),
        ("In cash, with the top-up fee", *_pair("cash_microusd", run, to_date)),
        ("Reserved: asked for, not billed yet", *_pair("reserved", run, to_date)),
        ("Possible duplicates, at most", *_pair("possible_duplicate", run, to_date)),
        ("Saved by keeping what was paid for", _money(run.saved), _money(to_date.saved)),
        ("Budget left", left, _UNKNOWN),
        ("Takes asked for", _takes_in_words(run), _takes_in_words(to_date)),
        ("Audio received", *(audio_length(float(one.amounts.audio_s)) for one in (run, to_date))),
    ]
    if to_date.amounts.stored_takes:
        rows.insert(3, (_STORED, *_pair("stored", run, to_date)))
    if report.since is not None:
        return table(("", "This run", "To date"), rows, right=(1, 2))
    unknown = table(("", "This run", "To date"), [(*row[:2], _UNKNOWN) for row in rows], right=(1, 2))
    return [*unknown, "", _NO_LEDGER]


def _pair(name: str, run: Totals, to_date: Totals) -> tuple[str, str]:
    return dollars(getattr(run.amounts, name)), dollars(getattr(to_date.amounts, name))


def _takes_in_words(totals: Totals) -> str:
    takes, placeholders, stored = (
        totals.amounts.takes,
        totals.amounts.placeholder_takes,
        totals.amounts.stored_takes,
    )
    of_these = [f"{_all_or(placeholders, takes)} placeholders, free"] if placeholders else []
    of_these += [f"{_all_or(stored, takes)} from the team's store, free"] if stored else []
    return f"{takes:,} ({'; '.join(of_these)})" if of_these else f"{takes:,}"


def _all_or(some: int, every: int) -> str:
    return "all" if some == every else f"{some:,}"


def _money(microusd: int | None) -> str:
    return _UNKNOWN if microusd is None else dollars(microusd)


# --- failures -------------------------------------------------------------------------------------------------------


def _failures(found: Sequence[Failure]) -> list[str]:
    if not found:
        return []
    several = len({failure.manifest for failure in found}) > 1
    lines = ["## What failed, and what to do", ""]
    for failure in found:
        name = escaped(f"{failure.manifest}: {failure.track}" if several else failure.track)
        sentence = escaped(failure.sentence).rstrip(".")
        lines.append(f"- **{name}**: {sentence}.\n  {escaped(failure.advice)}")
    return lines


def _twins(found: Sequence[TwinTakes]) -> list[str]:
    if not found:
        return []
    several = len({twins.manifest for twins in found}) > 1
    lines = ["## Takes that are nearly the same", ""]
    for twins in found:
        name = escaped(f"{twins.manifest}: {twins.track}" if several else twins.track)
        lines.append(f"- **{name}**: {escaped(twins.sentence)}.")
    return lines


# --- tables ---------------------------------------------------------------------------------------------------------

_SUM_HEADS = ("Takes", "Billed, this run", "To date", "In cash, to date", "Possible duplicates")


def _by_manifest(manifests: Sequence[ManifestCosts]) -> list[str]:
    if not manifests:
        return []
    rows = []
    for one in manifests:
        left = _UNKNOWN if one.budget_left_microusd is None else dollars(one.budget_left_microusd)
        name = escaped(one.name) + ("" if one.given else " (not in this run)")
        rows.append((name, *_sum_cells(one.run.amounts, one.to_date.amounts), left))
    return ["## By manifest", "", *table(("Manifest", *_SUM_HEADS, "Budget left"), rows, right=range(1, 7))]


def _by_tag(groups: Sequence[Group]) -> list[str]:
    if all(group.word is None for group in groups):
        return []
    note = "A take with several tags counts under each of them."
    return ["## By tag", "", *_groups("Tag", groups, "(no tag)"), "", note]


def _by_model(groups: Sequence[Group]) -> list[str]:
    return ["## By model", "", *_groups("Model", groups, "(not known)")] if groups else []


def _groups(head: str, groups: Sequence[Group], nameless: str) -> list[str]:
    rows = [
        (nameless if group.word is None else escaped(group.word), *_sum_cells(group.run, group.to_date))
        for group in groups
    ]
    return table((head, *_SUM_HEADS), rows, right=range(1, 6))


def _sum_cells(run: Amounts, to_date: Amounts) -> tuple[str, ...]:
    money = (run.billed, to_date.billed, to_date.cash_microusd, to_date.possible_duplicate)
    return (f"{to_date.takes:,}", *(dollars(amount) for amount in money))


def _takes(takes: Sequence[Purchase]) -> list[str]:
    if not takes:
        return []
    several = len({take.manifest for take in takes}) > 1
    heads = ("Track", "Take", "Model", "Asked", "Got", "Cost", "Status", "Attempts", "Tags")
    return [
        "## Takes",
        "",
        *table(heads, (_take_cells(take, several=several) for take in takes), right=(1, 3, 4, 5, 7)),
    ]


def _take_cells(take: Purchase, *, several: bool) -> tuple[str, ...]:
    name = escaped(f"{take.manifest}: {take.track}" if several else take.track)
    if take.shared_with:
        name += f" (also {escaped(', '.join(take.shared_with))})"
    number = f"{take.key.take}" + (f", regeneration {take.key.regeneration}" if take.key.regeneration else "")
    return (
        name,
        number,
        _UNKNOWN if take.model is None else escaped(take.model),
        _seconds(take.seconds_asked),
        _seconds(take.seconds_got),
        _cost(take),
        _status(take),
        f"{take.attempts}" if take.attempts else _UNKNOWN,
        escaped(", ".join(take.tags)),
    )


def _seconds(seconds: float | None) -> str:
    return _UNKNOWN if seconds is None else f"{seconds:.1f} s"


def _cost(take: Purchase) -> str:
    duplicate = take.to_date.possible_duplicate
    also = f", possibly {dollars(duplicate)} more" if duplicate else ""
    if take.placeholder:
        return _FREE
    if take.bought_by is not None:
        return f"free: {dollars(take.bought_microusd or 0)} were paid by {escaped(take.bought_by)}"
    if take.cost_microusd is None:
        return f"{_UNKNOWN}{also}"
    basis = (
        f" ({take.cost_basis})" if take.cost_basis in (Basis.COMPUTED, Basis.ESTIMATED) and take.cost_microusd else ""
    )
    return f"{dollars(take.cost_microusd)}{basis}{also}"


def _status(take: Purchase) -> str:
    words = {KEPT: "kept; not in this ledger", UNSENT: "not sent"}.get(take.status, take.status)
    return f"**{words}**, this run" if take.this_run else words


# --- small print ----------------------------------------------------------------------------------------------------


def _colophon(report: CostReport) -> str:
    since = "" if report.since is None else f"To date: since {report.since[:10]}, when the ledger begins. "
    assumed = [escaped(one.name) for one in report.manifests if not one.given and one.to_date.amounts.billed]
    fee = f"In cash, {', '.join(assumed)} at the gateway's usual fee of 5 %. " if assumed else ""
    return f"{since}{fee}Written {report.generated_at[:16].replace('T', ' ')} UTC."
