"""Where pieces are composed, once, and kept for as long as there is room; what is gone is composed again, the same."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

import anyio

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.local_gateway.composition import Composer, CompositionRequest

_MEMORY_BYTES: Final = 256 << 20
_FOLDER_BYTES: Final = 2 << 30


class Shelf(Protocol):
    """A bounded place for whole files, by name."""

    def get(self, name: str) -> bytes | None: ...

    def put(self, name: str, audio: bytes) -> None: ...


class MemoryShelf:
    """Keeps what was used last, and always the newest."""

    def __init__(self, most_bytes: int = _MEMORY_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._files: OrderedDict[str, bytes] = OrderedDict()

    def get(self, name: str) -> bytes | None:
        audio = self._files.get(name)
        if audio is not None:
            self._files.move_to_end(name)
        return audio

    def put(self, name: str, audio: bytes) -> None:
        self._files[name] = audio
        self._bytes += len(audio)
        while self._bytes > self._most_bytes and len(self._files) > 1:
            self._bytes -= len(self._files.popitem(last=False)[1])


class FolderShelf:
    """Keeps files in a folder, the newest of them; those that an earlier process left there are used too."""

    def __init__(self, folder: Path, most_bytes: int = _FOLDER_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._sizes = {path.name: path.stat().st_size for path in sorted(folder.glob("*.*"), key=_age)}

    def get(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, name: str, audio: bytes) -> None:
        temporary = self._folder / f"{name}.part"
        try:
            temporary.write_bytes(audio)
            temporary.replace(self._folder / name)
        except OSError:
            return  # no room: it is composed again when it is wanted
        self._sizes[name] = len(audio)
        while sum(self._sizes.values()) > self._most_bytes and len(self._sizes) > 1:
            oldest = next(iter(self._sizes))
            del self._sizes[oldest]
            with suppress(FileNotFoundError):
                (self._folder / oldest).unlink()


def _age(path: Path) -> float:
    return path.stat().st_mtime


class Studio:
    """Gives the audio of a piece: from the shelf, or composed now. Two who want one piece wait for one composing."""

    def __init__(self, composer: Composer, shelf: Shelf) -> None:
        self._composer = composer
        self._shelf = shelf
        self._underway: dict[str, anyio.Event] = {}

    async def audio(self, piece: CompositionRequest) -> bytes:
        """The whole file. Raises CompositionFailed."""
        name = f"{piece.digest}.{piece.format}"
        while (audio := self._shelf.get(name)) is None:
            if name in self._underway:
                await self._underway[name].wait()
                continue
            self._underway[name] = anyio.Event()
            try:
                audio = await self._composer.compose(piece)
                self._shelf.put(name, audio)
                return audio
            finally:
                self._underway.pop(name).set()
        return audio
