"""Vorbis comments: the metadata of Ogg Vorbis and FLAC (xiph.org/vorbis/doc/v-comment.html)."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def comment_block(vendor: bytes, metadata: Sequence[tuple[str, str]]) -> bytes:
    """The vendor's name and the fields, each as NAME=value in UTF-8, with their lengths before them."""
    fields = [f"{field_name(name)}={value}".encode() for name, value in metadata]
    return _sized(vendor) + struct.pack("<I", len(fields)) + b"".join(_sized(field) for field in fields)


def vendor_of(block: bytes) -> bytes:
    """The vendor's name in a comment block: the encoder's own."""
    (length,) = struct.unpack_from("<I", block)
    return block[4 : 4 + length]


def field_name(name: str) -> str:
    """`name` as a field's: printable ASCII without `=`, in capitals."""
    return re.sub(r"[^ -<>-}]", "_", name.upper())


def _sized(text: bytes) -> bytes:
    return struct.pack("<I", len(text)) + text
