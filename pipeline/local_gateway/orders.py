"""A submit's body and headers, read strictly: either they make an order, or one sentence says what is wrong."""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, get_args
from urllib.parse import urlsplit

from pipeline.local_gateway.composition import AudioFormat
from pipeline.local_gateway.jobs import CacheWish, Order
from pipeline.local_gateway.refusals import InvalidRequest, ModelNotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.local_gateway.models import MusicModel
    from pipeline.local_gateway.options import GatewayOptions

T = TypeVar("T")

DEFAULT_DURATION_S: Final = 30.0
LONGEST_TAG: Final = 64
LONGEST_KEY: Final = 255
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def read_order(body: bytes, headers: Mapping[str, str], sender: str, options: GatewayOptions) -> Order:
    """The order that a submit makes. Raises InvalidRequest, ModelNotFound."""
    document = _json_object(body)
    model = _model(document, options)
    lyrics = _text(document, "lyrics")
    instrumental = _typed(document, "is_instrumental", bool, default=False)
    _typed(document, "lyrics_optimizer", bool, default=True)
    return Order(
        model=model,
        prompt=_prompt(document),
        lyrics="" if instrumental else lyrics,
        duration_s=model.clamped(_duration(document)),
        format=_format(document),
        webhook_url=_webhook_url(document),
        cache=_cache_wish(headers),
        tag=_header(headers, "x-aig-tag", LONGEST_TAG) or "",
        request_id=headers.get("x-request-id", ""),
        idempotency_key=_header(headers, "idempotency-key", LONGEST_KEY),
        sender=sender,
        body_digest=hashlib.sha256(body).hexdigest(),
    )


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("the body is not JSON", code="invalid_json") from error
    if not isinstance(document, dict):
        raise InvalidRequest("the body is not a JSON object", code="invalid_json")
    return document


def _typed(document: dict[str, Any], field: str, kind: type[T], default: T) -> T:
    """The field's value; absent and null are the default."""
    value = document.get(field)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise InvalidRequest(f"`{field}` must be a {'boolean' if kind is bool else 'string'}")
    return value


def _text(document: dict[str, Any], field: str) -> str:
    text = _typed(document, field, str, default="")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InvalidRequest(f"`{field}` holds half of a surrogate pair, which is no text") from error
    return text


def _model(document: dict[str, Any], options: GatewayOptions) -> MusicModel:
    slug = _text(document, "model")
    if not slug:
        raise InvalidRequest("`model` is required")
    model = options.model(slug)
    if model is None:
        raise ModelNotFound(f"there is no model {slug!r}; GET /v1/models lists those that there are")
    return model


def _prompt(document: dict[str, Any]) -> str:
    prompt = _text(document, "prompt")
    if not prompt.strip():
        raise InvalidRequest("`prompt` is required")
    return prompt


def _duration(document: dict[str, Any]) -> float:
    duration = document.get("duration")
    if duration is None:
        return DEFAULT_DURATION_S
    is_whole = isinstance(duration, int) and not isinstance(duration, bool)
    is_number = is_whole or (isinstance(duration, float) and math.isfinite(duration))
    if not is_number or duration <= 0:
        raise InvalidRequest("`duration` must be a number of seconds above 0")
    return cast(float, duration)


def _format(document: dict[str, Any]) -> AudioFormat:
    audio_format = _typed(document, "format", str, default="mp3")
    if audio_format not in get_args(AudioFormat):
        raise InvalidRequest("`format` must be mp3 or wav")
    return cast(AudioFormat, audio_format)


def _webhook_url(document: dict[str, Any]) -> str | None:
    """An https address; plain http where it leads no further than this machine."""
    url = _text(document, "webhook_url")
    if not url:
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - raises where it is none
    except ValueError:
        host = ""
    if not host or (parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK)):
        raise InvalidRequest("`webhook_url` must be an https address")
    return url


def _cache_wish(headers: Mapping[str, str]) -> CacheWish:
    wish = headers.get("x-cache", "auto")
    if wish not in get_args(CacheWish):
        raise InvalidRequest("x-cache must be auto, force or skip")
    return cast(CacheWish, wish)


def _header(headers: Mapping[str, str], name: str, most: int) -> str | None:
    value = headers.get(name)
    if value is not None and len(value) > most:
        raise InvalidRequest(f"{name} is longer than {most} characters")
    return value or None
