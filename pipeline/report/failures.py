"""What failed, and what to do about it: one sentence each, for the person who finds it in the morning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.jobs import State
from pipeline.money import dollars
from pipeline.planning.plans import Action
from pipeline.report.purchases import KEPT, UNSENT, Purchase

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.jobs import PurchaseKey
    from pipeline.report.inputs import CostInput
    from pipeline.runner.results import ManifestResult, TrackResult

_NOT_CHARGED: Final = "Not charged. Run again to ask anew; if it fails alike, change the prompt or the model."
_COMING: Final = "Run again: it is asked for first, and not paid for twice."
_ADVICE: Final[dict[str, str]] = {
    State.EXPIRED: "The gateway no longer has it: --regenerate generates it again, and pays again.",
    State.UNKNOWN: (
        "Run again within 24 hours of its first sending and it is asked for under its own key; "
        "later, --regenerate decides."
    ),
    State.INTENDED: "Run again: it is asked for under its own key, so that it is not paid for twice.",
    State.ACCEPTED: _COMING,
    State.COMPLETED: _COMING,
    State.FAILED: _NOT_CHARGED,
    State.CANCELLED: _NOT_CHARGED,
    State.REFUSED: _NOT_CHARGED,
    UNSENT: "Nothing was sent for it. Run again to go on.",
}
_BLOCKED: Final = "Nothing is bought without a word: --regenerate with its name generates it again, and pays again."
_FINISHING: Final = "Its source is paid for and kept: mend what the sentence says and run again, free."
_RECORDING: Final = "Mend what the sentence says and run again, free."
_GENERIC: Final = "Run again; nothing that was paid for is paid for twice."


@dataclass(frozen=True, slots=True)
class Failure:
    """A track without what was asked for: why, and what to do."""

    manifest: str
    track: str
    sentence: str
    advice: str


def failures(given: CostInput, takes: Sequence[Purchase]) -> tuple[Failure, ...]:
    """This run's failures, in the manifests' order; without results, those the ledger knows of."""
    by_key = {take.key: take for take in takes}
    if not given.results:
        return tuple(
            _from_ledger(take) for take in takes if take.this_run and take.status not in (State.COLLECTED, KEPT)
        )
    return tuple(failure for manifest in given.results for failure in _of_manifest(manifest, by_key))


def _of_manifest(manifest: ManifestResult, by_key: Mapping[PurchaseKey, Purchase]) -> Iterator[Failure]:
    for track in manifest.tracks:
        if track.status == "failed":
            name = track.plan.track.name
            yield Failure(
                manifest.plan.manifest.name, name, track.error or "no reason is known", _advice(track, by_key)
            )
    for stray in manifest.strays:
        if stray.error and stray.job is not None:
            intent = stray.job.intent
            yield Failure(intent.manifest, intent.track, stray.error, _of_purchase(by_key.get(stray.plan.key)))


def _advice(track: TrackResult, by_key: Mapping[PurchaseKey, Purchase]) -> str:
    if track.plan.action is Action.BLOCKED:
        return _BLOCKED
    if track.plan.track.file is not None:
        return _RECORDING
    asked = [by_key[take.key] for take in track.plan.takes if take.key in by_key]
    by_status = {purchase.status: purchase for purchase in asked}
    worst = next((by_status[status] for status in _ADVICE if status in by_status), None)
    if worst is None and asked:
        return _FINISHING
    return _of_purchase(worst)


def advice_of(track: TrackResult) -> str:
    """What to do about a track that failed, as far as the run itself knows."""
    if track.plan.action is Action.BLOCKED:
        return _BLOCKED
    if track.plan.track.file is not None:
        return _RECORDING
    failed = [take for take in track.takes if take.error]
    statuses = {UNSENT for take in failed if take.unsent}
    statuses |= {take.job.state for take in failed if take.job is not None and not take.unsent}
    if failed and not statuses:
        return _GENERIC
    return next((advice for status, advice in _ADVICE.items() if status in statuses), _FINISHING)


def _of_purchase(purchase: Purchase | None) -> str:
    if purchase is None:
        return _GENERIC
    advice = _ADVICE.get(purchase.status, _GENERIC)
    unknown = purchase.to_date.possible_duplicate
    return f"It may have been charged, up to {dollars(unknown)}. {advice}" if unknown else advice


def _from_ledger(take: Purchase) -> Failure:
    return Failure(take.manifest, take.track, take.error or f"it is {take.status}", _of_purchase(take))
