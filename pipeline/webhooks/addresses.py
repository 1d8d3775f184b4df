"""Where webhooks go and where they are listened for, as words. Decides; opens nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from pipeline.loopback import is_loopback

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_LONGEST_URL: Final = 2048
_PLAIN: Final = re.compile(r"(?:(?![\\<>\"`^{|}])[\x21-\x7e])+")
_HOST: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|[0-9a-f:.]+")
_HOST_AND_PORT: Final = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})", re.ASCII)
_LAST_PORT: Final = 65535


class NoWebhooks(Exception):
    """Webhooks can't be had as they were asked for. Its text is one sentence."""


def checked_url(url: str) -> str:
    """`url` as the gateway is given it. Raises NoWebhooks unless it is https, or http to this very machine."""
    url = url.strip()
    parts = _parts(url)
    if parts is None:
        raise NoWebhooks(
            f"the webhook's address {_shown(url)!r} can't be used: expected one like https://hooks.example.com/music"
        )
    if parts.scheme == "http" and not is_on_this_machine(url):
        raise NoWebhooks(
            f"the webhook's address {without_query(url)} is http: whoever is on the way could read where the audio "
            "lies; use its https:// address (http is for this machine alone)"
        )
    return url


def path_of(url: str) -> str:
    """The path that requests to a checked `url` come with, decoded as servers decode it."""
    return unquote(urlsplit(url).path) or "/"


def without_query(url: str) -> str:
    """A checked `url` for messages: what stands in a query may be somebody's secret."""
    return url.partition("?")[0]


def is_on_this_machine(url: str) -> bool:
    """Does it lead to the machine of whoever asks for it?"""
    return is_loopback(urlsplit(url).hostname or "")


def host_and_port(words: str) -> tuple[str, int]:
    """HOST:PORT, an IPv6 address in brackets. Raises NoWebhooks."""
    found = _HOST_AND_PORT.fullmatch(words.strip())
    port = int(found[3]) if found else 0
    if found is None or not 0 < port <= _LAST_PORT:
        raise NoWebhooks(f"webhooks can't be listened for on {words!r}: expected HOST:PORT, such as 127.0.0.1:9999")
    return found[1] or found[2], port


def _parts(url: str) -> SplitResult | None:
    """None where it is no web address, or two readers could take it for two."""
    try:
        parts = urlsplit(url if len(url) <= _LONGEST_URL and _PLAIN.fullmatch(url) else "")
        usable = (parts.port is None or parts.port > 0) and "@" not in parts.netloc and "#" not in url
    except ValueError:
        return None
    return parts if usable and parts.scheme in ("http", "https") and _HOST.fullmatch(parts.hostname or "") else None


def _shown(url: str) -> str:
    """What may be said of an address that is none: neither a name and password before an @, nor a query."""
    return re.sub(r"//[^/?#]*@", "//", without_query(url))[:100]
