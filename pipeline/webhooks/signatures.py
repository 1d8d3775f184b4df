"""Is it from the gateway, made just now, and not seen before? HMAC-SHA256 over `{t}.{raw body}`, in both forms."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.datastructures import Headers

    from pipeline.clock import Clock

#: How far from now a signature's own time may be, either way, in seconds.
WINDOW_S: Final = 300
#: Genuine ones only: what anybody else sends is not remembered at all.
_MOST_SEEN: Final = 100_000
_SECONDS: Final = re.compile(r"\d{1,12}", re.ASCII)
_FORM: Final = "X-Gateway-Signature"


class BadSignature(Exception):
    """It is not believed. Its text is one sentence."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """A time as it was written, and signatures of which one is to be right: a secret that is being changed has two."""

    t: str
    signatures: tuple[str, ...]


class Signatures:
    """Checks what is signed with one secret, and remembers what it has seen while that could be sent again."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self._keyed = hmac.new(secret.encode("utf-8", "surrogateescape"), digestmod="sha256")
        self._clock = clock
        self._seen: dict[bytes, float] = {}  # until when it would be believed; as they came

    def check(self, headers: Headers, body: bytes) -> None:
        """Raises BadSignature unless one form of the signature is there and right, of now, and new."""
        claims = _claims(headers)
        if not claims:
            raise BadSignature(f"no signature that can be read: expected {_FORM}, or aig-timestamp and aig-signature")
        for claim in claims:
            digest = self._digest(claim.t, body)
            if _is_among(digest.hex(), claim.signatures):
                self._check_age(int(claim.t))
                self._check_that_it_is_new(digest, int(claim.t))
                return
        raise BadSignature("the signature is wrong: the secret here is not the one that it was made with")

    def _digest(self, t: str, body: bytes) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(t.encode() + b"." + body)
        return keyed.digest()

    def _check_age(self, t: int) -> None:
        if abs(self._clock.now() - t) > WINDOW_S:
            raise BadSignature("it was signed more than five minutes from now, by the clock of this machine")

    def _check_that_it_is_new(self, digest: bytes, t: int) -> None:
        now = self._clock.now()
        while self._seen and (len(self._seen) >= _MOST_SEEN or self._seen[next(iter(self._seen))] < now):
            del self._seen[next(iter(self._seen))]
        if digest in self._seen:
            raise BadSignature("it was here before")
        self._seen[digest] = t + WINDOW_S


def _is_among(digest: str, signatures: tuple[str, ...]) -> bool:
    """Compares all of them, each in constant time."""
    genuine = [hmac.compare_digest(digest.encode(), one.lower().encode()) for one in signatures]
    return any(genuine)


def _claims(headers: Headers) -> list[_Claim]:
    """What the documented headers say, in as many forms as are there and can be read."""
    pairs = [item.strip().partition("=") for item in ",".join(headers.getlist(_FORM)).split(",")]
    found = [_claim([value for name, _, value in pairs if name == "t"], [v for name, _, v in pairs if name == "v1"])]
    found.append(_claim(headers.getlist("aig-timestamp"), headers.getlist("aig-signature")))
    return [claim for claim in found if claim is not None]


def _claim(times: list[str], signatures: list[str]) -> _Claim | None:
    if len(times) != 1 or not signatures or not _SECONDS.fullmatch(times[0]):
        return None
    return _Claim(times[0], tuple(signatures))
