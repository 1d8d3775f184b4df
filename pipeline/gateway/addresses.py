"""Which addresses may be asked for audio, and where the API lies. Decides; sends nothing.

An address comes from outside. It is parsed once, by the parser whose result is then connected to, and what two parsers
could read differently (a backslash, a name before an `@`, a letter beyond ASCII) is refused before that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx

from pipeline.gateway.errors import HostRefused
from pipeline.loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import Sequence

_DOMAIN: Final = "aigateway.sh"
_PORTS: Final = {"http": 80, "https": 443}
_HOST_NAME: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")
_HOST_AND_PORT: Final = re.compile(r"(\[[^\]]*\]|[^:\[\]]+)(?::(\d{1,5}))?")
_PLAIN: Final = re.compile(r"[\x21-\x7e]{1,8192}")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_ODD: Final = re.compile(r"[\\<>\"`^{|}]")
_JOB_FILE: Final = re.compile(r"/v1/files/jobs/(?!\.\.?/)[\w.~%-]+/(?!\.\.?$)[\w.~%-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: whom one talks to."""

    scheme: str
    host: str  # in lower case, IPv6 without brackets
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")


def origin_of(url: httpx.URL) -> Origin:
    """The origin of an http or https address."""
    host = url.raw_host.decode("ascii").lower()
    return Origin(url.scheme, host, url.port or _PORTS[url.scheme])


def base_address(base_url: str) -> httpx.URL:
    """Where the API lies, without the `/` and the `/v1` that some write at its end. Raises ValueError."""
    try:
        url = _parsed(base_url.strip())
    except _Odd as error:
        raise ValueError(f"{base_url!r} is no address of a gateway: {error}") from None
    path = url.path.rstrip("/").removesuffix("/v1")
    return httpx.URL(f"{origin_of(url)}{path}")


class MediaRules:
    """Where audio may come from: DESIGN's "Security".

    From the gateway's own host, from any host of aigateway.sh where that is the gateway, and from those that the
    manifest names (`cdn.example`, `cdn.example:8443`, `*.cdn.example`), over https. A gateway on this machine may name
    any port of this machine over http.
    """

    def __init__(self, base: httpx.URL, media_hosts: Sequence[str] = ()) -> None:
        self._base = base
        own = origin_of(base).host
        self._is_local = is_loopback(own)
        self._allowed = [(own, None), *(_pattern(host.strip().lower()) for host in media_hosts)]
        if own == _DOMAIN or own.endswith(f".{_DOMAIN}"):
            self._allowed += [(_DOMAIN, None), (f"*.{_DOMAIN}", None)]

    def checked(self, address: str, relative_to: httpx.URL | None = None) -> httpx.URL:
        """`address` parsed, relative to the API where it has no host. Raises HostRefused unless it may be fetched."""
        try:
            url = _parsed(address, relative_to or self._base)
        except _Odd as error:
            raise HostRefused(
                f"the gateway named an address for the audio that is not safe to fetch: {error}", code="address_refused"
            ) from None
        origin = origin_of(url)
        if self._is_local and is_loopback(origin.host):
            return url
        if not any(_matches(origin, host, port) for host, port in self._allowed):
            raise HostRefused(
                f"the audio lies at {origin.host}, where audio is not fetched from; if you trust that host, add it to "
                "gateway.media_hosts in the manifest and run again",
                code="host_refused",
            )
        if origin.scheme != "https":
            raise HostRefused(
                f"the audio lies at {origin}, without https; a gateway that is not on this machine has to give https "
                "addresses, whatever gateway.media_hosts says",
                code="scheme_refused",
            )
        return url


def job_file(url: httpx.URL) -> str | None:
    """The path of a job's file, where `url` is an address of that form: the gateway gives a signed one for it."""
    path = url.raw_path.partition(b"?")[0].decode("ascii")
    return path if _JOB_FILE.fullmatch(path) else None


def without_query(url: httpx.URL) -> str:
    """An address for messages: no signature in it."""
    path = url.raw_path.partition(b"?")[0].decode("ascii")
    return f"{origin_of(url)}{path}"


class _Odd(Exception):
    """An address that is not what it seems, or none at all. Its text says why."""


def _parsed(address: str, relative_to: httpx.URL | None = None) -> httpx.URL:
    if not _PLAIN.fullmatch(address):
        raise _Odd("it is empty, too long, or holds spaces or letters beyond ASCII")
    if _ODD.search(address):
        raise _Odd("it holds a character that does not belong in an address")
    try:
        url = httpx.URL(address) if relative_to is None or _SCHEME.match(address) else relative_to.join(address)
    except (httpx.InvalidURL, ValueError):
        raise _Odd("it can't be read") from None
    if url.scheme not in _PORTS:
        raise _Odd("it begins with neither https:// nor http://")
    if "@" in _authority(address):
        raise _Odd("it holds a user's name")
    host = url.raw_host.decode("ascii", "replace").lower()
    if ":" not in host and not _HOST_NAME.fullmatch(host):
        raise _Odd("it names no host")
    if not 0 < (url.port or _PORTS[url.scheme]) < 1 << 16:
        raise _Odd("its port does not exist")
    return url


def _authority(address: str) -> str:
    """What stands between `//` and the path."""
    _, found, rest = address.partition("//")
    return re.split(r"[/?#]", rest, maxsplit=1)[0] if found else ""


def _pattern(written: str) -> tuple[str, int | None]:
    """A host, which may begin with `*.`, and the port where one is asked for."""
    found = _HOST_AND_PORT.fullmatch(written)
    if found is None:
        return written, None  # an IPv6 address without brackets
    return found[1].strip("[]"), int(found[2]) if found[2] else None


def _matches(origin: Origin, host: str, port: int | None) -> bool:
    if port not in (None, origin.port):
        return False
    return origin.host.endswith(host[1:]) if host.startswith("*.") else origin.host == host
