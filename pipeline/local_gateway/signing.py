"""Signatures: addresses that open a file for a while, and webhooks that prove where they come from."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class AddressSigner:
    """Signs media paths with a secret of the gateway's own."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def query(self, path: str, expires_at: int) -> str:
        """What makes `path` an address that opens until `expires_at`, in seconds since 1970."""
        return f"expires={expires_at}&signature={self._signature(path, expires_at)}"

    def opens(self, path: str, expires: str, signature: str, now: float) -> bool:
        """Whether an address with these words in its query opens `path` at `now`."""
        if not (expires.isascii() and expires.isdecimal()) or len(expires) > len(str(2**63)):
            return False
        genuine = hmac.compare_digest(self._signature(path, int(expires)).encode(), signature.encode())
        return genuine and now < int(expires)

    def _signature(self, path: str, expires_at: int) -> str:
        return hmac.new(self._secret, f"{path}\n{expires_at}".encode(), hashlib.sha256).hexdigest()


def webhook_headers(secret: str, body: bytes, now: float) -> dict[str, str]:
    """Both documented forms of a webhook's signature: HMAC-SHA256 over `{t}.{raw body}`."""
    moment = str(int(now))
    signature = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {
        "X-Gateway-Signature": f"t={moment},v1={signature}",
        "aig-timestamp": moment,
        "aig-signature": signature,
    }


def kept_secret(folder: Path | None) -> bytes:
    """The secret in `folder`, made at its first use and readable by its owner only; without a folder, a new one."""
    if folder is None:
        return secrets.token_bytes(32)
    path = folder / "signing-secret"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        secret = secrets.token_bytes(32)
        file.write(secret)
    return secret
