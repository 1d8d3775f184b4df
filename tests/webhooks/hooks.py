"""Webhooks as a gateway signs them, and a clock that stands where a test puts it."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

SECRET = "whsec_of_a_test"
NOON = 1_790_000_000


@dataclass
class Standing:
    """A clock that stands."""

    moment: float = NOON

    def now(self) -> float:
        return self.moment


def body_of(**members: Any) -> bytes:
    return json.dumps({"id": "job_1", "status": "completed"} | members).encode()


def signature(body: bytes, t: float = NOON, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), f"{t:.0f}.".encode() + body, hashlib.sha256).hexdigest()


def signed(body: bytes, t: float = NOON, secret: str = SECRET) -> dict[str, str]:
    """The headers of one documented form."""
    return {"X-Gateway-Signature": f"t={t:.0f},v1={signature(body, t, secret)}"}
