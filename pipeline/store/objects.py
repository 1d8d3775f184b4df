"""What is asked of an object store: few verbs, so that a bucket, a folder and a simulation can all be one.

Errors::

    NoStore               (pipeline.store_choice) it can't be used: one sentence, which holds no credentials
    └── StoreTrouble      it can't be asked now: offline, forbidden, failing
        └── Unconditional it can't write on a condition, so that two machines could buy the same
    AlreadyThere          something stands where it was to be created
    Changed               it is not what it was, so it was not replaced
    TooLong               it is longer than what may be there
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.store_choice import NoStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class StoreTrouble(NoStore):
    """The store can't be asked now. Its text is one sentence."""


class Unconditional(StoreTrouble):
    """The store can't write on a condition. Its text is one sentence."""


class AlreadyThere(Exception):
    """Something stands where it was to be created."""


class Changed(Exception):
    """It is not what it was when it was read, or is gone."""


class TooLong(Exception):
    """What lies there is longer than it may be."""


@dataclass(frozen=True, slots=True)
class Found:
    """A small object as it was read."""

    content: bytes
    tag: Any  # what `replace` needs to know that it is still this one
    modified_at: float  # by the store's own clock, seconds since 1970


class Objects(Protocol):
    """Objects by paths with `/`. Each verb raises StoreTrouble where the store can't be asked."""

    async def get(self, path: str, most_bytes: int) -> Found | None:
        """A small object; None where there is none. Raises TooLong."""

    async def create(self, path: str, content: bytes) -> Any:
        """Put an object where none is, and give its tag. Raises AlreadyThere."""

    async def replace(self, path: str, content: bytes, tag: Any) -> Any:
        """Put it in place of the one with that tag, and give the new one. Raises Changed."""

    async def remove(self, path: str) -> None:
        """Remove an object, if it is there."""

    async def push(self, path: str, file: Path) -> None:
        """Put a file there, in place of whatever is."""

    async def fetch(self, path: str, write: Callable[[bytes], object], most_bytes: int) -> bool:
        """Hand a large object to `write` piece by piece. False where there is none. Raises TooLong."""
