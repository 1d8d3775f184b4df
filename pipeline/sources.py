"""The sources: what was paid for, kept unaltered in the state folder under its own hash."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Final, Self

from pipeline.files import Folder, naming, sha256_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from types import TracebackType

    from pipeline.audio.settings import Output
    from pipeline.manifest.tracks import Track

_FOLDER: Final = "sources"


def take_path(track: Track, take: int, output: Output) -> str:
    """Where, below the state folder, a take beside the pick lies finished."""
    return take_path_of(track.manifest, track.name, take, f"{output.suffix}.{output.extension}")


def take_path_of(manifest: str, name: str, take: int, ending: str) -> str:
    """The same for a track of that name, whether there is one or not; `ending`: what an asset's path has behind it."""
    return f"takes/{manifest}/{name}.take{take}{ending}"


class SourceStore:
    """Audio as the gateway delivered it, at `sources/<first two digits>/<sha256>.<format>`."""

    def __init__(self, state: Folder) -> None:
        self._state = state

    def path(self, sha256: str, audio_format: str) -> Path:
        return self._state.path(self._relative(sha256, audio_format))

    def holds(self, sha256: str, audio_format: str, size: int) -> bool:
        """Is it there, as long as it was? Its hash is checked when it is used."""
        try:
            return os.stat(f"{self._state.root}/{self._relative(sha256, audio_format)}").st_size == size  # noqa: PTH116 - asked of thousands
        except OSError:
            return False

    def whole(self, sha256: str, audio_format: str) -> bool:
        """Is it there with the content that was recorded?"""
        try:
            return sha256_of(self.path(sha256, audio_format)) == sha256
        except OSError:
            return False

    def discard(self, sha256: str, audio_format: str) -> None:
        """Remove what is not what was recorded, so that it is fetched again."""
        with suppress(OSError):
            self.path(sha256, audio_format).unlink()

    def remove(self, sha256: str, audio_format: str) -> None:
        """Remove it for good. Raises OSError."""
        self.path(sha256, audio_format).unlink(missing_ok=True)
        self._state.remove_empty_above(self._relative(sha256, audio_format))

    def unknown(self, known: Collection[str]) -> int:
        """How many whole sources are there that `known` does not name: what another ledger knew."""
        return sum(path.stem not in known for path in self._state.path(_FOLDER).glob("??/*.*"))

    def receive(self, name: str) -> IncomingSource:
        """A file for a download to be written to; `name` tells apart what is on its way at the same time."""
        return IncomingSource(self._state.temporary(f"{_FOLDER}/incoming/{name}"))

    def keep(self, incoming: IncomingSource, audio_format: str) -> str:
        """Give a whole, decoded download its place, durably. Its SHA-256."""
        sha256 = incoming.sha256
        relative = self._relative(sha256, audio_format)
        self._state.path(relative).parent.mkdir(parents=True, exist_ok=True)
        self._state.place(incoming.path, relative)
        self._state.sync(relative)
        return sha256

    @staticmethod
    def _relative(sha256: str, audio_format: str) -> str:
        return f"{_FOLDER}/{sha256[:2]}/{sha256}.{audio_format}"


class IncomingSource:
    """A download on its way: a temporary file, hashed while it is written, removed unless it is kept.

    The file is opened once there is something to write: a process may have only so many, and most wait for their turn.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._digest = hashlib.sha256()
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # A full disk may refuse the last bytes once more: what was held in memory of a broken download is no loss.
        with suppress(OSError):
            if self._file is not None:
                self._file.close()
        with suppress(OSError):
            self.path.unlink()  # already gone where it was kept

    def write(self, chunk: bytes) -> None:
        with naming(self.path):
            self._opened().write(chunk)
        self._digest.update(chunk)
        self.size += len(chunk)

    def finish(self) -> None:
        """Everything has arrived: put it on disk."""
        with naming(self.path):
            file = self._opened()
            file.flush()
            os.fsync(file.fileno())

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self._file = self.path.open("xb")
        return self._file

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()
