"""A store in memory, on the event loop's clock: its verbs take time, fail where a test says so, and lose answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio

from pipeline.store.documents import MOST_BYTES, BadDocument, read_record, record_path
from pipeline.store.objects import AlreadyThere, Changed, Found, StoreTrouble, TooLong
from pipeline.stored import KnownTakes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from pipeline.jobs import PurchaseKey
    from pipeline.store_choice import StoreChoice

Fault = Exception | None


@dataclass
class Shelf:
    """What is in the store, and when it was put there by the store's own clock. Many machines may share one."""

    ahead_s: float = 1_700_000_000.0  # its clock, before the event loop's
    objects: dict[str, tuple[bytes, int, float]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)  # by verb
    tags: int = 0

    def put(self, path: str, content: bytes) -> int:
        self.tags += 1
        self.objects[path] = (content, self.tags, anyio.current_time() + self.ahead_s)
        return self.tags

    def under(self, folder: str) -> list[str]:
        """The paths of what lies in a folder."""
        return sorted(path for path in self.objects if path.startswith(f"{folder}/"))


@dataclass
class MemoryStores:
    """One machine's way to the shelf. `fault` is asked before each verb, `lost` after it: what they give is raised."""

    shelf: Shelf
    delay_s: float = 0.02
    fault: Callable[[str, str], Fault] = lambda verb, path: None
    lost: Callable[[str, str], Fault] = lambda verb, path: None

    def look_up(self, choice: StoreChoice, keys: Collection[PurchaseKey]) -> KnownTakes:
        records, spoilt = {}, {}
        for key in keys:
            path = record_path(key)
            self._began("look up", path)
            if path in self.shelf.objects:
                try:
                    records[key] = read_record(self.shelf.objects[path][0], key)
                except BadDocument as error:
                    spoilt[key] = str(error)
        return KnownTakes(records, spoilt)

    def objects(self, choice: StoreChoice) -> MemoryStores:
        return self

    async def get(self, path: str, most_bytes: int = MOST_BYTES) -> Found | None:
        await self._before("get", path)
        found = self.shelf.objects.get(path)
        if found is not None and len(found[0]) > most_bytes:
            raise TooLong(path)
        return self._after("get", path, None if found is None else Found(*found))

    async def create(self, path: str, content: bytes) -> Any:
        await self._before("create", path)
        if path in self.shelf.objects:
            raise AlreadyThere(path)
        return self._after("create", path, self.shelf.put(path, content))

    async def replace(self, path: str, content: bytes, tag: Any) -> Any:
        await self._before("replace", path)
        if path not in self.shelf.objects or self.shelf.objects[path][1] != tag:
            raise Changed(path)
        return self._after("replace", path, self.shelf.put(path, content))

    async def remove(self, path: str) -> None:
        await self._before("remove", path)
        self.shelf.objects.pop(path, None)
        self._after("remove", path, None)

    async def push(self, path: str, file: Path) -> None:
        await self._before("push", path)
        self._after("push", path, self.shelf.put(path, file.read_bytes()))  # noqa: ASYNC240 - blocking is what virtual time wants

    async def fetch(self, path: str, write: Callable[[bytes], object], most_bytes: int) -> bool:
        await self._before("fetch", path)
        found = self.shelf.objects.get(path)
        if found is None:
            return False
        if len(found[0]) > most_bytes:
            raise TooLong(path)
        write(found[0])
        return self._after("fetch", path, True)

    async def _before(self, verb: str, path: str) -> None:
        await anyio.sleep(self.delay_s)
        self._began(verb, path)

    def _began(self, verb: str, path: str) -> None:
        self.shelf.asked[verb] += 1
        if (fault := self.fault(verb, path)) is not None:
            raise fault

    def _after(self, verb: str, path: str, answer: Any) -> Any:
        if (fault := self.lost(verb, path)) is not None:
            raise fault
        return answer


def offline(verb: str, path: str) -> Fault:
    """A fault: nobody answers."""
    return StoreTrouble("s3://bucket/team: it can't be asked (no answer)")
