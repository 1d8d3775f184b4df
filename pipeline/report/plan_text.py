"""The plan as people read it: a sign, a track, what it costs, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pipeline.money import dollars, rounded_up
from pipeline.planning.plans import ORPHAN_SIGN, SIGNS, Action, Step, take_price
from pipeline.report.summary_text import summary_lines
from pipeline.report.terminal import coloured, column_width, hanging
from pipeline.report.text import audio_length, counted, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.jobs import Kind, PurchaseKey
    from pipeline.planning.plans import ManifestPlan, TakePlan, TrackPlan

__all__ = ["plan_lines", "summary_lines"]

_WIDTH: Final = 100
MANY_TRACKS: Final = 40
_MINUTE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Line:
    """One track's line before its columns are known."""

    sign: str
    name: str
    length: str = ""
    price: str = ""
    why: str = ""
    is_alone: bool = False  # it has no columns


@dataclass(slots=True)
class _Till:
    """What the plan's purchases add up to, each counted with the track that asks for it first."""

    kind: Kind
    buyers: dict[PurchaseKey, str] = field(default_factory=dict)
    audio_s: float = 0.0
    list_price: int = 0  # at the real gateway, in micro-dollars
    cash: Decimal = Decimal(0)  # the same with what topping up credit costs

    def ring_up(self, track: TrackPlan, topup_fee: Decimal) -> tuple[list[TakePlan], list[str]]:
        """The takes that this track is the first to buy, and the tracks that bought the others."""
        takes = [take for take in track.takes if take.step is Step.BUY]
        new = [take for take in takes if take.key not in self.buyers]
        shared = [self.buyers[take.key] for take in takes if take.key in self.buyers]
        self.buyers.update({take.key: track.track.name for take in new})
        self.audio_s += len(new) * track.track.duration_s
        price = len(new) * take_price(track.track)
        self.list_price += price
        self.cash += price * (1 + topup_fee)
        return new, list(dict.fromkeys(shared))


def plan_lines(manifest_plans: Sequence[ManifestPlan], kind: Kind, *, colour: bool, verbose: bool = False) -> list[str]:
    """What a run would do, line by line; the last, which is never wrapped, says what it comes to and costs.

    Beyond 40 tracks those that stay as they are (`=`) are only counted, unless `verbose`.
    """
    till = _Till(kind)
    lines = _shard(manifest_plans)
    keeps_shown = verbose or sum(len(plan.tracks) for plan in manifest_plans) <= MANY_TRACKS
    for plan in manifest_plans:
        drafts = list(_drafts(plan, till, keeps_shown=keeps_shown))
        if drafts or plan.strays or plan.continues_run:
            lines += _heading(plan, kind)
            lines += _laid_out(drafts, colour=colour)
            lines.append("")
    return [*lines, _total(manifest_plans, till)]


def _shard(plans: Sequence[ManifestPlan]) -> list[str]:
    """How much of it all is in the shard, where there is one."""
    shard = next((plan.shard for plan in plans), None)
    if shard is None:
        return []
    inside = [shard.has(track.track) for plan in plans for track in plan.tracks]
    return [f"shard {shard.number:,} of {shard.of:,}: {sum(inside):,} of {counted(len(inside), 'track')}"]


def _heading(plan: ManifestPlan, kind: Kind) -> list[str]:
    where = "at the local gateway" if kind == "local" else "at the gateway"
    goes_on = ", going on with its open run" if plan.continues_run else ""
    lines = [f"{one_line(plan.manifest.name)} {where}{goes_on}"]
    if plan.strays:
        lines.append(f"  {counted(len(plan.strays), 'job')} of earlier plans to be collected first")
    return lines


def _drafts(plan: ManifestPlan, till: _Till, *, keeps_shown: bool) -> Iterator[_Line]:
    fee = plan.manifest.gateway.topup_fee
    for track in plan.tracks:
        is_as_it_was = track.action is Action.KEEP and not track.moves
        if track.action is not Action.SKIP and (keeps_shown or not is_as_it_was):
            yield _draft(track, till, fee)
    for path in sorted({row.path for row in plan.orphans}):
        yield _Line(ORPHAN_SIGN, one_line(path), why="orphan: no track makes it any more")


def _draft(track: TrackPlan, till: _Till, topup_fee: Decimal) -> _Line:
    sign, name, why = SIGNS[track.action], one_line(track.track.name), one_line(track.why)
    moved = _moved_from(track)
    match track.action:
        case Action.GENERATE:
            return _generate(sign, name, track, till, topup_fee)
        case Action.FINISH:
            return _Line(sign, name, price="free", why="; ".join([*moved, _why_finished(track, why)]))
        case Action.KEEP if track.old_name is not None:
            moved_to = f"{one_line(track.old_name)} -> {name}: moved, free"
            return _Line(SIGNS[Action.FINISH], moved_to, is_alone=True)
        case _:
            return _Line(sign, name, why="; ".join([*moved, *([why] if why else [])]))


def _why_finished(track: TrackPlan, why: str) -> str:
    if any(take.stored is not None for take in track.takes):
        return why  # it comes from a store, and is finished for the first time here
    return f"finish again: {why}" if why else "finish again"


def _moved_from(track: TrackPlan) -> list[str]:
    return [] if track.old_name is None else [f"moved from {one_line(track.old_name)}"]


def _generate(sign: str, name: str, track: TrackPlan, till: _Till, topup_fee: Decimal) -> _Line:
    new, shared = till.ring_up(track, topup_fee)
    length = f"{track.track.duration_s:g} s" if new else ""
    if new and track.track.takes > 1:
        length = f"{len(new)} x {length}"
    reasons = _moved_from(track)
    reasons += [one_line(track.why)] if track.why not in ("", "new") else []
    reasons += [f"shares its source with {', '.join(shared)}"] if shared else []
    return _Line(sign, name, length, _price(track, new, till.kind), "; ".join(reasons))


def _price(track: TrackPlan, new: Sequence[TakePlan], kind: Kind) -> str:
    if new:
        return "placeholder" if kind == "local" else dollars(len(new) * take_price(track.track))
    steps = {take.step for take in track.takes}
    return "ask again" if Step.RESEND in steps else "collect" if Step.COLLECT in steps else "shared"


def _laid_out(drafts: Sequence[_Line], *, colour: bool) -> Iterator[str]:
    name_width, length_width, price_width = (
        column_width(getattr(draft, column) for draft in drafts if not draft.is_alone)
        for column in ("name", "length", "price")
    )
    for draft in drafts:
        columns = f"{draft.name:<{name_width}}  {draft.length:>{length_width}}  {draft.price:>{price_width}}  "
        first = f"  {draft.sign} {columns if draft.length or draft.price else f'{draft.name:<{name_width}}  '}"
        for line in hanging(first, draft.why, width=_WIDTH):
            yield coloured(draft.sign, line) if colour else line


def _total(manifest_plans: Sequence[ManifestPlan], till: _Till) -> str:
    actions = Counter(track.action for plan in manifest_plans for track in plan.tracks)
    moves = sum(_only_moves(track) for plan in manifest_plans for track in plan.tracks)
    strays = sum(len(plan.strays) for plan in manifest_plans)
    orphans = sum(len(plan.orphans) for plan in manifest_plans)
    others = sum(_is_of_another_shard(track, plan) for plan in manifest_plans for track in plan.tracks)
    words = [
        f"{number:,} {word}"
        for number, word in (
            (actions[Action.GENERATE], "to generate"),
            (actions[Action.FINISH], "to finish"),
            (moves, "to move"),
            (actions[Action.KEEP] - moves, "to keep"),
            (orphans, "orphan" if orphans == 1 else "orphans"),
            (actions[Action.BLOCKED], "blocked"),
            (others, "in other shards"),
            (actions[Action.SKIP] - others, "outside --only"),
            (strays, "to collect"),
        )
        if number
    ]
    counts = ", ".join(words) or "no tracks"
    if not till.buyers:
        return f"Plan: {counts}; nothing to buy."
    return f"Plan: {counts}; {_audio(till.audio_s)}, {_bill(till)}."


def _audio(seconds: float) -> str:
    """In seconds, which are what is paid for, and as people say it where they are many."""
    spoken = f" ({audio_length(seconds)})" if seconds >= _MINUTE_S else ""
    return f"{f'{seconds:,.3f}'.rstrip('0').rstrip('.')} s of audio{spoken}"


def _only_moves(track: TrackPlan) -> bool:
    return track.action is Action.KEEP and bool(track.moves)


def _is_of_another_shard(track: TrackPlan, plan: ManifestPlan) -> bool:
    return plan.shard is not None and not plan.shard.has(track.track)


def _bill(till: _Till) -> str:
    if till.kind == "local":
        return f"$0 (placeholders; at the gateway's price {dollars(till.list_price)})"
    cash = rounded_up(till.cash)
    fee = f" ({dollars(cash)} in cash, with the top-up fee)" if cash > till.list_price else ""
    return f"{dollars(till.list_price)}{fee}"
