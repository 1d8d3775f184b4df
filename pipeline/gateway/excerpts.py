"""What comes from outside, made fit for a message: short, printable, without secrets. Pure."""

from __future__ import annotations

import re
from typing import Final

#: No message quotes more than so many characters of what somebody else wrote.
LONGEST_EXCERPT: Final = 200
_LOOKED_AT: Final = 4_000
_TAGS: Final = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_QUERIES: Final = re.compile(r"(?<=\S)(?:\?|%3[Ff])[^\s'\"<>]+|(?<=/)([^\s'\"<>/;]*);[^\s'\"<>]*=[^\s'\"<>]*")
_ENDS_OF_ADDRESSES: Final = re.compile(r"(https?://[^\s?#'\"<>]*)[?#][^\s'\"<>]*", re.IGNORECASE)
_SIGNATURES: Final = re.compile(
    r"\b((?:x-amz-)?(?:signature|credential|security-token)|sig|token|access_token)=[^\s&'\"<>]+", re.IGNORECASE
)
_KEYS: Final = re.compile(r"\bsk-aig-[\w.-]+")


def excerpt(text: str) -> str:
    """The beginning of `text` on one line: no markup, no control characters, no key, no query of an address."""
    text = _TAGS.sub(" ", text[:_LOOKED_AT])
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    text = _SIGNATURES.sub(r"\1=…", _KEYS.sub("[key]", without_queries(text)))
    words = " ".join(text.split())
    return words if len(words) <= LONGEST_EXCERPT else words[: LONGEST_EXCERPT - 1] + "…"


def without_queries(text: str) -> str:
    """`text` with the query and the fragment cut off every address in it, whole or relative: signatures stand there."""
    return _QUERIES.sub(r"\1?…", _ENDS_OF_ADDRESSES.sub(r"\1?…", text))
