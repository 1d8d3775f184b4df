"""What is sent to buy a take: the body's exact bytes and the headers' values. Pure."""

from __future__ import annotations

import hashlib
import json
import string
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

#: The gateway keeps so many characters of a cost tag.
_LONGEST_TAG: Final = 64
_KEPT_OF_A_LONG_TAG: Final = 55
_DIGEST_DIGITS: Final = 8
_PLAIN: Final = (string.ascii_letters + string.digits + string.punctuation + " ").replace("%", "")


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """One job to ask for. Sent again, it is the same in every byte."""

    body: bytes
    idempotency_key: str
    request_id: str
    cost_tag: str
    fresh: bool  # a new generation, where the gateway's cache would give the old one again


def submit_body(
    *,
    model: str,
    prompt: str,
    lyrics: str,
    refine_lyrics: bool,
    duration_s: float,
    source_format: str,
    webhook_url: str | None = None,
) -> bytes:
    """The body of `POST /v1/audio/music`, in one spelling for one meaning.

    Without lyrics it says that the music is instrumental. The lyrics' rewriting is on unless it is switched off.
    """
    sung = bool(lyrics.strip())
    document: dict[str, object] = {
        "model": model,
        "prompt": prompt,
        "is_instrumental": not sung,
        "lyrics_optimizer": refine_lyrics,
        "duration": int(duration_s) if float(duration_s).is_integer() else duration_s,
        "format": source_format,
    }
    if sung:
        document["lyrics"] = lyrics
    if webhook_url is not None:
        document["webhook_url"] = webhook_url
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def cost_tag(manifest: str, track: str) -> str:
    """`<manifest>/<track>` as a header's value of at most 64 characters, another for every other pair.

    All but printable ASCII is percent-encoded, and so is `%`. A longer one ends in a digest of the whole.
    """
    tag = quote(f"{manifest}/{track}", safe=_PLAIN)
    if len(tag) <= _LONGEST_TAG:
        return tag
    digest = hashlib.sha256(tag.encode()).hexdigest()[:_DIGEST_DIGITS]
    return f"{tag[:_KEPT_OF_A_LONG_TAG]}~{digest}"
