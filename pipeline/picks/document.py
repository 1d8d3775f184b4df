"""A lock file's text: the same bytes for the same lock, one line a field, and read as the stranger's file that it is.

Version control merges it, people edit it, and it decides what is bought: whatever in it is not as it should be is one
sentence, and nothing is bought on the rest's word.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from dataclasses import fields as dataclass_fields
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, cast

from pipeline.fingerprints import asked_fingerprint
from pipeline.money import as_usd, budget_from_usd
from pipeline.picks import fields
from pipeline.picks.numbering import next_number, two_of_one_number
from pipeline.picks.values import BY, Asked, By, Lock, LockedAsset, LockedPurchase, LockedTake, LockedTrack, Mark, Pick

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOCK_VERSION: Final = 1

_CONFLICT: Final = re.compile(rb"^(<{7}|={7}|>{7}|\|{7})( |\r?$)", re.MULTILINE)
_NOTHING_BOUGHT: Final = "nothing was bought"


class LockMistake(Exception):
    """A lock file that can't be used. Its text is one sentence: which, what is wrong, what to do."""


_ASKED: Final = frozenset(item.name for item in dataclass_fields(Asked))

# --- written --------------------------------------------------------------------------------------------------------


def lock_text(lock: Lock) -> bytes:
    """The lock as its file has it."""
    return b"".join(lock_pieces(lock))


def lock_pieces(lock: Lock) -> Iterator[bytes]:
    """The lock's file piece by piece: it may be long, and a track's part of it is made when its turn comes."""
    document = {
        "version": LOCK_VERSION,
        "manifest": lock.manifest,
        "tracks": {name: partial(_track_document, track) for name, track in lock.tracks.items()},
    }
    encoder = json.JSONEncoder(indent=1, ensure_ascii=False, sort_keys=True, default=lambda part: part())
    pieces = encoder.iterencode(document)
    return (piece.encode() for piece in chain(pieces, "\n"))


def _track_document(track: LockedTrack) -> dict[str, Any]:
    # Only where there are any: a lock without marks is, byte for byte, what it was before there were marks.
    marks = {"marks": [asdict(mark) for mark in track.marks]} if track.marks else {}
    return {
        **marks,
        "assets": {path: asdict(asset) for path, asset in track.assets.items()},
        "picks": [asdict(pick) for pick in track.picks],
        "purchases": {
            fingerprint: {"asked": asdict(one.asked), "takes": [_take_document(take) for take in one.takes]}
            for fingerprint, one in track.purchases.items()
        },
    }


def _take_document(take: LockedTake) -> dict[str, Any]:
    document = asdict(take)
    cost = document.pop("cost_microusd")
    return document | {"cost_usd": None if cost is None else as_usd(cost)}


# --- read -----------------------------------------------------------------------------------------------------------


def read_lock(content: bytes, where: str) -> Lock:
    """The lock that a file at `where` holds. Raises LockMistake."""
    conflict = _CONFLICT.search(content)
    if conflict is not None:
        line = content.count(b"\n", 0, conflict.start()) + 1
        raise LockMistake(
            f"{where}:{line}: a merge left its conflict marks here: keep the takes of both sides, each whole in "
            f"braces and with a number of its own, remove the marks, and run again; {_NOTHING_BOUGHT}"
        )
    try:
        document = json.loads(content, parse_float=Decimal, object_pairs_hook=fields.noticing_doubles)
        if b"\\ud" in content.lower():
            json.dumps(document, ensure_ascii=False, default=str).encode()  # half a character: it could not be written
        return _lock(fields.mapping(document, "it"))
    except _Newer as newer:
        raise LockMistake(
            f"{where}: the lock is from a newer version of this program (its format is {newer}, this program knows "
            f"{LOCK_VERSION}); install that version; {_NOTHING_BOUGHT}"
        ) from None
    except fields.Wrong as wrong:
        raise LockMistake(f"{where}: {wrong}; {wrong.remedy}; {_NOTHING_BOUGHT}") from None
    except (ValueError, RecursionError) as error:
        raise LockMistake(
            f"{where}: it is no lock file ({_why_no_json(error)}); {fields.RESTORE}; {_NOTHING_BOUGHT}"
        ) from error


def _why_no_json(error: ValueError | RecursionError) -> str:
    match error:
        case json.JSONDecodeError():
            return f"line {error.lineno}, column {error.colno}: {error.msg}"
        case UnicodeError():
            return "its text is no UTF-8"
        case RecursionError():
            return "brackets within brackets, too many for any lock"
        case _:
            return str(error)[:120]


class _Newer(Exception):
    """The version of a lock that a later program has written."""


def _lock(document: Mapping[str, Any]) -> Lock:
    version = document.get("version")
    if type(version) is int and version > LOCK_VERSION:
        raise _Newer(version)
    if type(version) is not int or version != LOCK_VERSION:
        raise fields.Wrong(f"version is {fields.shown(version)}, expected {LOCK_VERSION}")
    return Lock(
        fields.text(document, "manifest", "it"), fields.each(fields.field(document, "tracks", "it"), "tracks", _track)
    )


def _track(value: Any, at: str) -> LockedTrack:
    document = fields.mapping(value, at)
    picks = fields.field(document, "picks", at)
    return LockedTrack(
        assets=fields.each(fields.field(document, "assets", at), f"{at}.assets", _asset),
        picks=tuple(
            _pick(one, f"{at}.picks[{number}]") for number, one in enumerate(fields.items(picks, f"{at}.picks"))
        ),
        purchases=_purchases(fields.field(document, "purchases", at), at),
        marks=tuple(
            _mark(one, f"{at}.marks[{number}]")
            for number, one in enumerate(fields.items(document.get("marks", []), f"{at}.marks"))
        ),
    )


def _mark(value: Any, at: str) -> Mark:
    document = fields.mapping(value, at)
    return Mark(
        fingerprint=fields.text(document, "fingerprint", at),
        take=fields.count(document, "take", at, least=1),
        regeneration=fields.count(document, "regeneration", at),
        source=fields.sha256(document, "source", at),
        starred=fields.truth(document, "starred", at),
        note=fields.text(document, "note", at),
        placeholder=fields.truth(document, "placeholder", at),
    )


def _asset(value: Any, at: str) -> LockedAsset:
    document = fields.mapping(value, at)
    return LockedAsset(fields.sha256(document, "sha256", at), fields.text(document, "finishing", at))


def _pick(value: Any, at: str) -> Pick:
    document = fields.mapping(value, at)
    return Pick(
        fingerprint=fields.text(document, "fingerprint", at),
        take=fields.count(document, "take", at, least=1),
        regeneration=fields.count(document, "regeneration", at),
        at=fields.time_of(document, "at", at),
        by=cast(By, fields.one_of(document, "by", at, BY)),
        placeholder=fields.truth(document, "placeholder", at),
    )


def _purchases(value: Any, at: str) -> dict[str, LockedPurchase]:
    """Those of the track at `at`, each under the fingerprint that follows from what it asked for."""
    found = fields.each(value, f"{at}.purchases", _purchase)
    for fingerprint, one in found.items():
        is_newer = value[fingerprint]["asked"].keys() - _ASKED  # a later program's fingerprint may cover more
        if not is_newer and asked_fingerprint(one.asked) != fingerprint:
            raise fields.Wrong(
                f"{at}.purchases.{fields.shown(fingerprint)} is not the fingerprint of what is written there as asked: "
                "one of the two was edited"
            )
        double = two_of_one_number(one.takes)
        if double is not None:
            raise fields.Wrong(
                f"{at} has two purchases with the number of take {double[0].version} "
                f"({' and '.join(map(_called, double))}), as after a merge of branches that both bought one",
                f'give one of the two the next number that is free, "take": {next_number(one.takes)}, and run again',
            )
    return found


def _called(take: LockedTake) -> str:
    return f"job {fields.shown(take.job_id)}" if take.job_id else f"source {take.source[:12]}"


def _purchase(value: Any, at: str) -> LockedPurchase:
    document = fields.mapping(value, at)
    asked, takes = (
        fields.mapping(fields.field(document, "asked", at), f"{at}.asked"),
        fields.field(document, "takes", at),
    )
    return LockedPurchase(
        Asked(
            model=fields.text(asked, "model", at),
            prompt=fields.text(asked, "prompt", at),
            lyrics=fields.text(asked, "lyrics", at),
            refine_lyrics=fields.truth(asked, "refine_lyrics", at),
            duration=fields.figure(asked, "duration", at) or 0.0,
            source_format=fields.text(asked, "source_format", at),
        ),
        tuple(_take(one, f"{at}.takes[{number}]") for number, one in enumerate(fields.items(takes, f"{at}.takes"))),
    )


def _take(value: Any, at: str) -> LockedTake:
    document = fields.mapping(value, at)
    cost = fields.number(document, "cost_usd", at)
    return LockedTake(
        take=fields.count(document, "take", at, least=1),
        regeneration=fields.count(document, "regeneration", at),
        source=fields.sha256(document, "source", at),
        date=fields.time_of(document, "date", at),
        job_id=fields.text_or_none(document, "job_id", at),
        seconds=fields.figure(document, "seconds", at),
        cost_microusd=None if cost is None else budget_from_usd(cost),
        cost_basis=fields.text_or_none(document, "cost_basis", at),
        unfit=fields.text_or_none(document, "unfit", at),
    )
