"""JSON from outside: read within bounds, and asked for what it should hold without ever being believed. Pure."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, cast

#: The most that is read of an answer, in bytes. Jobs and errors take a few hundred.
LARGEST_ANSWER: Final = 1_000_000
_LEAST_EXPONENT: Final = -12  # of anything that is counted here; less is nonsense that takes pages to write out
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_DECODER: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=lambda _: None)


def unpacked(body: bytes, encoding: str) -> bytes:
    """`body` without its Content-Encoding (gzip or deflate), at most LARGEST_ANSWER of it; nothing where it is damaged.

    Nobody asks for one, but some proxies apply it all the same.
    """
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return body
    try:
        return zlib.decompressobj(wbits=_GZIP_OR_ZLIB).decompress(body, LARGEST_ANSWER)
    except zlib.error:
        return b""


def read_json(body: bytes) -> object:
    """The JSON value in `body`, its fractions as Decimal; None where there is none, or it is nested without end."""
    try:
        return cast(object, _DECODER.decode(body.decode("utf-8-sig")))
    except (ValueError, ArithmeticError, RecursionError):  # the second: an exponent beyond what Decimal holds
        return None


def members(value: object) -> Mapping[str, object]:
    """`value` where it is an object, else an empty one."""
    return cast(Mapping[str, object], value) if isinstance(value, dict) else {}


def text(value: object) -> str | None:
    """`value` where it is a text with something in it."""
    return value if isinstance(value, str) and value.strip() else None


def number(value: object, least: float, most: float) -> Decimal | None:
    """`value` where it is a number from `least` to `most`: an absurd one is as good as none."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    if not least <= value <= most:
        return None
    amount = Decimal(value)
    return amount if amount == 0 or amount.adjusted() >= _LEAST_EXPONENT else None
