"""What was asked for, read again from the body that is sent, and whether another body asks for the same. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.picks.values import Asked

if TYPE_CHECKING:
    from pipeline.jobs import Intent


def asks_for_the_same(one: bytes, other: bytes) -> bool:
    """Do both bodies ask for one thing? Where the gateway is to tell of its end is nobody's music."""
    return _words(one) == _words(other) != {}


def asked_by(intent: Intent) -> Asked:
    """All that is paid for, from the words that were sent."""
    words = _words(intent.body)
    return Asked(
        model=intent.model,
        prompt=str(words.get("prompt", "")),
        lyrics=str(words.get("lyrics", "")),
        refine_lyrics=bool(words.get("lyrics_optimizer", False)),
        duration=float(intent.seconds_asked),
        source_format=intent.source_format,
    )


def _words(body: bytes) -> dict[str, Any]:
    """All that a body asks for; nothing where it can't be read."""
    try:
        words = dict(json.loads(body, object_pairs_hook=_each_once))
    except (ValueError, TypeError, RecursionError):
        return {}
    words.pop("webhook_url", None)
    return words


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's members. Raises ValueError where one is there twice: who reads it elsewhere may take the other."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError(pairs[0][0])
    return members
