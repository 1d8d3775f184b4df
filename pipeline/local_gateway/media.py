"""A file as an answer: whole, or one range of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

if TYPE_CHECKING:
    from pipeline.local_gateway.composition import AudioFormat

CONTENT_TYPES: Final[dict[AudioFormat, str]] = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_ONE_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def audio_response(audio: bytes, audio_format: AudioFormat, wanted: str | None) -> Response:
    """`audio` as it is asked for; `wanted`: the Range header. What is no single range gives the whole."""
    headers = {"content-type": CONTENT_TYPES[audio_format], "accept-ranges": "bytes"}
    span = None if wanted is None else _span(wanted, len(audio))
    if span is not None:
        start, end = span
        if start >= end:
            return Response(status_code=416, headers={"content-range": f"bytes */{len(audio)}"})
        headers["content-range"] = f"bytes {start}-{end - 1}/{len(audio)}"
        audio = audio[start:end]
    return Response(audio, 200 if span is None else 206, headers)


def _span(wanted: str, size: int) -> tuple[int, int] | None:
    """The bytes that a Range header asks for, end exclusive; None where it is not one range."""
    match = _ONE_RANGE.fullmatch(wanted.strip())
    if match is None or match.group(0) == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size
    end = min(size, int(last) + 1) if last else size
    return (int(first), end) if not last or int(first) <= int(last) else None
