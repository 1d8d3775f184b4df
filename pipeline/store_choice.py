"""Which store a team shares: decided from words in a manifest or on the command line, before it is asked anything."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pipeline.loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMES: Final = ("s3", "gs", "az")
EXPECTED: Final = "s3://bucket/prefix, gs://bucket/prefix, az://container/prefix, or a folder"
#: How long a machine that says nothing is believed to be alive, in seconds.
LEASE_S: Final = 300.0

_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AZURE_STORAGE_ENDPOINT")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,253}[a-z0-9]")
_PREFIX: Final = re.compile(r"[A-Za-z0-9_.()/+-]*")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


class NoStore(Exception):
    """A store that can't be used. Its text is one sentence."""


class StoreMistake(NoStore):
    """A store's address that is none."""


@dataclass(frozen=True, slots=True)
class StoreAccess:
    """What the environment says of how a store is reached, beyond what the engine reads there by itself."""

    profile: str | None = None  # of AWS, whose credentials are meant
    allow_http: bool = False  # plain http, which anybody on the way can read

    @classmethod
    def by(cls, environment: Mapping[str, str]) -> StoreAccess:
        """As every program of these clouds would: by a profile's name, and by who may be asked without encryption."""
        words = {environment.get(name, "").lower() for name in ("AWS_ALLOW_HTTP", "AZURE_ALLOW_HTTP")}
        hosts = {urlsplit(environment.get(name, "")).hostname for name in _ENDPOINTS}
        return cls(
            profile=environment.get("AWS_PROFILE") or None,
            allow_http=bool(words & {"true", "1", "yes", "on"}) or any(host and is_loopback(host) for host in hosts),
        )


#: Where the environment says nothing.
PLAIN_ACCESS: Final = StoreAccess()


@dataclass(frozen=True, slots=True)
class StoreChoice:
    """A team's store, and what it means to a run."""

    address: str  # s3://bucket/prefix and the like, or an absolute path
    required: bool = False  # without it nothing is bought
    lease_s: float = LEASE_S
    read_only: bool = False  # what it has is fetched, and nothing is put there
    access: StoreAccess = PLAIN_ACCESS

    def check_dispensable(self, trouble: NoStore) -> None:
        """Raise NoStore where nothing may be bought without this store, which is in `trouble`."""
        if self.required:
            raise NoStore(f"{trouble}; it is required, so nothing is bought") from trouble


def store_address(text: str, folder: Path) -> str:
    """The address that `text` means, in its one spelling; a relative path is taken from `folder`.

    Raises StoreMistake, also for one with credentials in it: those come from the environment, a profile or a role.
    """
    text = text.strip()
    if "://" not in text and not (_SCHEME.match(text) and not _is_drive(text)):
        return _folder_address(text, folder)
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise StoreMistake(f"{text!r} is no store's address, expected {EXPECTED}") from error
    if "@" in parts.netloc or parts.query or parts.fragment:
        what = "a store's address holds no credentials and no options"
        raise StoreMistake(f"{what}: expected {EXPECTED}; credentials come from the environment, a profile or a role")
    prefix = parts.path.strip("/")
    is_plain = _PREFIX.fullmatch(prefix) and not {"", ".", ".."} & set(prefix.split("/") if prefix else ["-"])
    if parts.scheme not in SCHEMES or not _BUCKET.fullmatch(parts.netloc) or not is_plain:
        raise StoreMistake(f"{text!r} is no store's address, expected {EXPECTED}")
    return f"{parts.scheme}://{parts.netloc}{prefix and '/'}{prefix}"


def _is_drive(text: str) -> bool:
    """Does it begin as a path on Windows does?"""
    return text[1:2] == ":"


def _folder_address(text: str, folder: Path) -> str:
    if not text or "\0" in text:
        raise StoreMistake(f"{text!r} is no store's address, expected {EXPECTED}")
    return os.path.normpath((folder / text).absolute())
