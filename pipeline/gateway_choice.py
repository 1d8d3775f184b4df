"""Which gateway is meant, and with which key: decided from words, never by what happens to answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pipeline.loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.jobs import Kind

REAL_BASE_URL: Final = "https://api.aigateway.sh"
#: The ledger's name for the local gateway that a run starts itself: its port is another each time, its jobs are not.
EMBEDDED_ORIGIN: Final = "local"
#: The environment's word for it: a real gateway may be asked over plain http.
ALLOW_HTTP: Final = "AIGATEWAY_ALLOW_HTTP"
#: The local gateway takes every key that begins so.
_LOCAL_KEY: Final = "sk-aig-local"
#: What the client takes for an address: printable ASCII, but for what does not belong in one.
_PLAIN: Final = re.compile(r"(?:(?![\\<>\"`^{|}])[\x21-\x7e]){1,8192}")
_HOST: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|[0-9a-f:.]+")


class NoGateway(Exception):
    """No gateway was named, or not by a usable address. Its text is one sentence. `key` where the key is what lacks."""

    def __init__(self, message: str, *, key: bool = False) -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True, slots=True)
class GatewayChoice:
    """The gateway to ask. `base_url` None: the run starts a local one of its own."""

    kind: Kind
    base_url: str | None
    key: str = field(default=_LOCAL_KEY, repr=False)

    @property
    def origin(self) -> str:
        """What the ledger calls it: its base URL, or `local`."""
        return EMBEDDED_ORIGIN if self.base_url is None else self.base_url


def is_same_gateway(one: str, other: str) -> bool:
    """Do both base URLs (or `local`) mean one gateway? The key of one is not for another."""
    return _plain(one) == _plain(other)


@lru_cache(maxsize=100)
def _plain(origin: str) -> tuple[str, str, int | None, str]:
    """Scheme, host, port and path in one spelling: with or without `/v1` it is one gateway."""
    parts = urlsplit(origin)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), port, parts.path.rstrip("/").removesuffix("/v1")


def choose_gateway(word: str | None, environment: Mapping[str, str], *, needs_key: bool = True) -> GatewayChoice:
    """The gateway that `--gateway word` means. Raises NoGateway, with both ways on where there is neither word nor key.

    `needs_key` False: for what sends nothing (a plan).
    """
    key = environment.get("AIGATEWAY_API_KEY", "")
    if word == "local":
        return GatewayChoice("local", None)
    if word is not None and word.startswith("local="):
        return GatewayChoice("local", _checked(word.removeprefix("local=")))
    if word is not None and not word.strip():
        raise NoGateway("--gateway is empty; expected local, aigateway, or a URL")
    if word is None and not key and needs_key:
        raise NoGateway(
            "no AIGATEWAY_API_KEY is set and no --gateway given: set the key to buy from the real gateway, "
            "or use --gateway local to make free placeholders",
            key=True,
        )
    if not key and needs_key:
        raise NoGateway(f"--gateway {word} needs a key: set AIGATEWAY_API_KEY", key=True)
    named = None if word in (None, "aigateway") else word
    url = _checked(named or environment.get("AIGATEWAY_BASE_URL") or REAL_BASE_URL)
    if not environment.get(ALLOW_HTTP):
        _check_that_nobody_reads_along(url)
    return GatewayChoice("real", url, key)


def _check_that_nobody_reads_along(url: str) -> None:
    """Raises NoGateway where the key would go over a network in the clear."""
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise NoGateway(
            f"{url} is asked without encryption, so that whoever is on the way can read the key: use its https:// "
            f"address, or set {ALLOW_HTTP}=1 where the network between is your own"
        )


def _checked(url: str) -> str:
    """`url` without a slash at its end. Raises NoGateway where it is no address to ask, or two could read it as two."""
    url = url.strip()
    try:
        parts = urlsplit(url if _PLAIN.fullmatch(url) else "")
        usable = (parts.port is None or parts.port > 0) and not parts.query and not parts.fragment
    except ValueError:
        usable = False
    host = parts.hostname or "" if usable else ""
    if not _HOST.fullmatch(host) or parts.scheme not in ("http", "https") or "@" in parts.netloc:
        raise NoGateway(f"{url!r} is no gateway's address; expected local, aigateway, or one like {REAL_BASE_URL}")
    return url.rstrip("/")
