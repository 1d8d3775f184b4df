"""A lock file's text: the same bytes for the same lock, one line a field, and read as the stranger's file that it is.

Version control merges it, people edit it, and it decides what is bought: whatever in it is not as it should be is one
sentence, and nothing is bought on the rest's word.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast

from pipeline.money import as_usd, budget_from_usd
from pipeline.picks.values import BY, Asked, By, Lock, LockedAsset, LockedPurchase, LockedTake, LockedTrack, Pick
from pipeline.times import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

LOCK_VERSION: Final = 1

_LARGEST_COUNT: Final = 1 << 53
_LARGEST_AMOUNT: Final = 1_000_000_000  # USD
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CONFLICT: Final = re.compile(rb"^(<{7}|={7}|>{7}|\|{7})( |\r?$)", re.MULTILINE)
_RESTORE: Final = "restore it from version control; nothing was bought"


class LockMistake(Exception):
    """A lock file that can't be used. Its text is one sentence: which, what is wrong, what to do."""


class _Wrong(Exception):
    """What is wrong, and where in the document."""


# --- written --------------------------------------------------------------------------------------------------------


def lock_text(lock: Lock) -> bytes:
    """The lock as its file has it."""
    document = {
        "version": LOCK_VERSION,
        "manifest": lock.manifest,
        "tracks": {name: _track_document(track) for name, track in lock.tracks.items()},
    }
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _track_document(track: LockedTrack) -> dict[str, Any]:
    return {
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
            f"{where}:{line}: a merge left its conflict marks here: keep the takes of both sides, remove the marks, "
            "and run again; nothing was bought"
        )
    try:
        document = json.loads(content, parse_float=Decimal, object_pairs_hook=_without_doubles)
        if b"\\ud" in content.lower():
            json.dumps(document, ensure_ascii=False, default=str).encode()  # half a character: it could not be written
        return _lock(_mapping(document, "it"))
    except _Newer as newer:
        raise LockMistake(
            f"{where}: the lock is from a newer version of this program (its format is {newer}, this program knows "
            f"{LOCK_VERSION}); install that version; nothing was bought"
        ) from None
    except _Wrong as wrong:
        raise LockMistake(f"{where}: {wrong}; {_RESTORE}") from None
    except (ValueError, RecursionError) as error:
        raise LockMistake(f"{where}: it is no lock file ({str(error)[:120]}); {_RESTORE}") from error


class _Newer(Exception):
    """The version of a lock that a later program has written."""


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A merge may leave one track twice: which of the two counts is nothing to guess."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise _Wrong(f"it has {_shown(double)} twice in one place")
    return found


def _lock(document: Mapping[str, Any]) -> Lock:
    version = document.get("version")
    if type(version) is int and version > LOCK_VERSION:
        raise _Newer(version)
    if type(version) is not int or version != LOCK_VERSION:
        raise _Wrong(f"version is {_shown(version)}, expected {LOCK_VERSION}")
    return Lock(_text(document, "manifest", "it"), _each(_field(document, "tracks", "it"), "tracks", _track))


def _track(value: Any, at: str) -> LockedTrack:
    document = _mapping(value, at)
    picks = _field(document, "picks", at)
    return LockedTrack(
        assets=_each(_field(document, "assets", at), f"{at}.assets", _asset),
        picks=tuple(_pick(one, f"{at}.picks[{number}]") for number, one in enumerate(_list(picks, f"{at}.picks"))),
        purchases=_each(_field(document, "purchases", at), f"{at}.purchases", _purchase),
    )


def _asset(value: Any, at: str) -> LockedAsset:
    document = _mapping(value, at)
    return LockedAsset(_sha256(document, "sha256", at), _text(document, "finishing", at))


def _pick(value: Any, at: str) -> Pick:
    document = _mapping(value, at)
    return Pick(
        fingerprint=_text(document, "fingerprint", at),
        take=_count(document, "take", at, least=1),
        regeneration=_count(document, "regeneration", at),
        at=_time(document, "at", at),
        by=cast(By, _one_of(document, "by", at, BY)),
        placeholder=_truth(document, "placeholder", at),
    )


def _purchase(value: Any, at: str) -> LockedPurchase:
    document = _mapping(value, at)
    asked, takes = _mapping(_field(document, "asked", at), f"{at}.asked"), _field(document, "takes", at)
    return LockedPurchase(
        Asked(
            model=_text(asked, "model", at),
            prompt=_text(asked, "prompt", at),
            lyrics=_text(asked, "lyrics", at),
            refine_lyrics=_truth(asked, "refine_lyrics", at),
            duration=_figure(asked, "duration", at) or 0.0,
            source_format=_text(asked, "source_format", at),
        ),
        tuple(_take(one, f"{at}.takes[{number}]") for number, one in enumerate(_list(takes, f"{at}.takes"))),
    )


def _take(value: Any, at: str) -> LockedTake:
    document = _mapping(value, at)
    cost = _number(document, "cost_usd", at)
    return LockedTake(
        take=_count(document, "take", at, least=1),
        regeneration=_count(document, "regeneration", at),
        source=_sha256(document, "source", at),
        date=_time(document, "date", at),
        job_id=_text_or_none(document, "job_id", at),
        seconds=_figure(document, "seconds", at),
        cost_microusd=None if cost is None else budget_from_usd(cost),
        cost_basis=_text_or_none(document, "cost_basis", at),
        unfit=_text_or_none(document, "unfit", at),
    )


# --- values ---------------------------------------------------------------------------------------------------------


def _each(value: Any, at: str, read: Callable[[Any, str], Any]) -> dict[str, Any]:
    return {name: read(one, f"{at}.{_shown(name)}") for name, one in _mapping(value, at).items()}


def _field(document: Mapping[str, Any], key: str, at: str) -> Any:
    if key not in document:
        raise _Wrong(f"{at} has no {key}")
    return document[key]


def _mapping(value: Any, at: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong(f"{at} is {_shown(value)}, expected a mapping")
    return value


def _list(value: Any, at: str) -> list[Any]:
    if not isinstance(value, list):
        raise _Wrong(f"{at} is {_shown(value)}, expected a list")
    return value


def _text(document: Mapping[str, Any], key: str, at: str) -> str:
    value = _field(document, key, at)
    if not isinstance(value, str):
        raise _expected(key, at, value, "text")
    return value


def _text_or_none(document: Mapping[str, Any], key: str, at: str) -> str | None:
    return None if _field(document, key, at) is None else _text(document, key, at)


def _sha256(document: Mapping[str, Any], key: str, at: str) -> str:
    value = _text(document, key, at)
    if not _SHA256.fullmatch(value):
        raise _expected(key, at, value, "64 hexadecimal digits")
    return value


def _time(document: Mapping[str, Any], key: str, at: str) -> str:
    value = _text(document, key, at)
    if value and moment(value) is None:
        raise _expected(key, at, value, "a time such as 2026-03-01T12:00:00Z")
    return value


def _one_of(document: Mapping[str, Any], key: str, at: str, words: Iterable[str]) -> str:
    value = _text(document, key, at)
    if value not in words:
        raise _expected(key, at, value, f"one of {', '.join(words)}")
    return value


def _truth(document: Mapping[str, Any], key: str, at: str) -> bool:
    value = _field(document, key, at)
    if not isinstance(value, bool):
        raise _expected(key, at, value, "true or false")
    return value


def _count(document: Mapping[str, Any], key: str, at: str, least: int = 0) -> int:
    value = _field(document, key, at)
    if type(value) is not int or not least <= value < _LARGEST_COUNT:
        raise _expected(key, at, value, f"a whole number from {least}")
    return value


def _number(document: Mapping[str, Any], key: str, at: str) -> Decimal | None:
    value = _field(document, key, at)
    if value is None:
        return None
    number = Decimal(str(value)) if not isinstance(value, (bool, str, list, dict)) else None
    if number is None or not number.is_finite() or not 0 <= number <= _LARGEST_AMOUNT:
        raise _expected(key, at, value, "a number from 0, or null")
    return number


def _figure(document: Mapping[str, Any], key: str, at: str) -> float | None:
    number = _number(document, key, at)
    return None if number is None or not math.isfinite(number) else float(number)


def _expected(key: str, at: str, value: Any, expected: str) -> _Wrong:
    return _Wrong(f"{at}.{key} is {_shown(value)}, expected {expected}")


def _shown(value: Any) -> str:
    """`value` on one line, and short."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    short = text if len(text) <= 60 else f"{text[:60]}..."  # noqa: PLR2004 - enough to find it by
    return "".join(char if char.isprintable() else "?" for char in short)
