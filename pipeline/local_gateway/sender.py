"""Whose request it is: keys, and what stands for a key where the key itself must not be."""

from __future__ import annotations

import hashlib
from typing import Final

from pipeline.local_gateway.refusals import BadKey, OutOfScope

_GOOD: Final = "Bearer sk-aig-"
_NO_SCOPE: Final = "sk-aig-noscope"


def key_of(authorization: str | None) -> str:
    """The key of an `Authorization` header. Raises BadKey, OutOfScope."""
    if authorization is None or not authorization.startswith(_GOOD) or authorization == _GOOD:
        raise BadKey("invalid or missing API key; send Authorization: Bearer sk-aig-...")
    key = authorization.removeprefix("Bearer ")
    if key.startswith(_NO_SCOPE):
        raise OutOfScope("this key may not use this endpoint")
    return key


def sender_of(key: str) -> str:
    """Stands for `key` in the gateway's books and files."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]
