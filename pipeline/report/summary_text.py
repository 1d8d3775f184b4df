"""How a run went, in lines of at most 80 columns: what failed, why, and what to do; each track; what it cost."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from pipeline.money import Basis, dollars
from pipeline.report.closing_table import table_lines
from pipeline.report.failures import advice_of
from pipeline.report.terminal import listed, paragraph
from pipeline.report.text import audio_length, counted, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.jobs import Job
    from pipeline.runner.results import RunResult

_WIDTH: Final = 80
_SAID_EACH: Final = 3  # a reason that more tracks share is said once


#: A reason that has one of these says itself what to do.
_SAYS_WHAT_TO_DO: Final = ("run again", "next run", "to go on", "--")


def summary_lines(result: RunResult, budget_microusd: int | None = None) -> list[str]:
    """The end of a run. `budget_microusd`: what all of its manifests may commit to, where that is known."""
    lines = list(_failures(result))
    table = table_lines(result)
    lines += [*([""] if lines and table else []), *table, *([""] if table else [])]
    lines += _paragraph(_counts(result))
    lines += _paragraph(_money(result, budget_microusd))
    lines += _fetched(result)
    unproven = result.committed.unknown
    if unproven:
        lines += _paragraph(f"Possible duplicates: up to {dollars(unproven)}, counted as spent until disproved.")
    for notice in result.notices:
        lines += _paragraph(f"note: {notice}")
    if result.stop is not None:
        lines += _paragraph(f"Stopped: {result.stop.message}")
    if _is_open(result):
        lines += _paragraph("Run again to go on with what is left; what was paid for is not paid for twice.")
    return lines


def _paragraph(text: str) -> list[str]:
    return paragraph(text, width=_WIDTH)


def _failures(result: RunResult) -> Iterator[str]:
    """One entry a failed track; a reason that many share is said once, with their number.

    What stopped the run is said at its end, and not for each track that it stopped as well.
    """
    tracks: defaultdict[str, list[str]] = defaultdict(list)
    advice: dict[str, str] = {}
    stop = None if result.stop is None else result.stop.message
    for track in result.tracks:
        if track.status == "failed" and track.error != stop:
            reason = track.error or "no reason is known"
            tracks[reason].append(one_line(track.plan.track.name))
            advice.setdefault(reason, advice_of(track))
    for take in (take for manifest in result.manifests for take in manifest.strays if take.error):
        name = "a job of an earlier plan" if take.job is None else take.job.intent.track
        tracks[str(take.error)].append(one_line(name))
    for reason, names in tracks.items():
        says = any(words in reason.lower() for words in _SAYS_WHAT_TO_DO)
        if len(names) > _SAID_EACH:
            yield from _paragraph(f"! {len(names):,} tracks ({listed(names)}): {reason}")
        else:
            for name in names:
                yield from _paragraph(f"! {name}: {reason}")
        if reason in advice and not says and stop is None:
            yield from paragraph(advice[reason], width=_WIDTH, first_indent="  ")


def _counts(result: RunResult) -> str:
    moved = sum(track.status == "kept" and track.plan.old_name is not None for track in result.tracks)
    words = [
        f"{number:,} {status}" + (f" ({moved:,} moved)" if moved and status == "kept" else "")
        for status, number in result.counts.items()
        if number
    ]
    planned = sum(track.status == "planned" for track in result.tracks)
    words += [f"{planned:,} planned"] if planned else []
    return f"{', '.join(words) or 'No tracks'}, in {audio_length(result.seconds)}."


def _money(result: RunResult, budget_microusd: int | None) -> str:
    money = result.committed
    computed = _computed(result)
    text = f"Billed {dollars(money.billed)}"
    if computed:
        text += f", {dollars(computed)} of it computed since the gateway named no price"
    if money.reserved:
        text += f"; {dollars(money.reserved)} more is reserved for what was asked and not billed yet (estimated)"
    if budget_microusd is not None and money.total:
        text += f"; {dollars(budget_microusd - money.total)} of the budget of {dollars(budget_microusd)} is left"
    return f"{text}."


def _fetched(result: RunResult) -> list[str]:
    """What came from a team's store."""
    home = [job for job in _jobs(result).values() if job.bought_by is not None]
    if not home:
        return []
    paid = dollars(sum(job.bought_microusd or 0 for job in home))
    return _paragraph(f"{counted(len(home), 'take')} came from the team's store, where others have paid {paid}.")


def _computed(result: RunResult) -> int | None:
    """How much of what is billed is computed, in micro-dollars; None where this process did not see every bill."""
    bills = [(job.cost_microusd or 0, job.cost_basis) for job in _jobs(result).values()]
    if sum(amount for amount, _ in bills) != result.committed.billed:
        return None
    return sum(amount for amount, basis in bills if basis is Basis.COMPUTED)


def _jobs(result: RunResult) -> dict[int, Job]:
    """The jobs that are on the run's books, as this process knows them."""
    jobs: dict[int, Job] = {}
    for manifest in result.manifests:
        takes = [*(take for track in manifest.tracks for take in track.takes), *manifest.strays]
        jobs |= {take.job.row: take.job for take in takes if take.job is not None and take.job.run == manifest.run}
    return jobs


def _is_open(result: RunResult) -> bool:
    unsent = any(take.unsent for track in result.tracks for take in track.takes)
    return result.stop is not None or unsent
