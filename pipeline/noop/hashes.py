"""The SHA-256 of files, and what a stamp remembers of them: what has not changed since then is not hashed again."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from pipeline.noop.stamp import status_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Sighting(NamedTuple):
    """A file as it was when it was looked at: what the file system said of it, and its SHA-256."""

    status: str
    sha256: str


class Hashes:
    """Hashes files, each once, and remembers how it found them.

    `known`: what files were, by their absolute paths. One of which the file system says the same still is believed.
    """

    def __init__(self, known: Mapping[str, Sighting] | None = None) -> None:
        self._known = known or {}
        self.seen: dict[str, Sighting] = {}

    def sha256(self, path: Path | str) -> str:
        """The SHA-256 of a file's content, in hex. Raises OSError, for what is no plain file too: it may never end."""
        return self._look(path, os.stat(path)).sha256

    def holds(self, path: Path | str, size: int, sha256: str) -> bool:
        """Is the file at `path` there, with this content?"""
        try:
            status = os.stat(path)
            return status.st_size == size and self._look(path, status).sha256 == sha256
        except OSError:
            return False

    def _look(self, path: Path | str, status: os.stat_result) -> Sighting:
        name = os.path.abspath(path)
        known = self._known.get(name)
        if known is None or known.status != status_of(status):
            known = _hashed(path)
        self.seen[name] = known
        return known


def _hashed(path: Path | str) -> Sighting:
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(None, "not a plain file")
    with open(path, "rb") as file:
        status = status_of(os.fstat(file.fileno()))
        return Sighting(status, hashlib.file_digest(file, "sha256").hexdigest())
