"""Stores as they are reached, and what they have of the takes that a plan is about to buy."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

from pipeline.store.documents import MOST_BYTES, BadDocument, read_record, record_path
from pipeline.store.engine import MOST_AT_ONCE, ThreadedObjects, open_store, until
from pipeline.store.objects import TooLong
from pipeline.stored import KnownTakes

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipeline.jobs import PurchaseKey
    from pipeline.store.documents import TakeRecord
    from pipeline.store.engine import Bucket
    from pipeline.store.objects import Objects
    from pipeline.store_choice import StoreChoice


class GivenUp(Exception):
    """Nobody waits for the answer any more."""


class RealStores:
    """The stores that there are: what `pipeline.stored` has in mind."""

    def look_up(self, choice: StoreChoice, keys: Collection[PurchaseKey]) -> KnownTakes:
        """What the store knows of `keys`, many at a time. Raises NoStore where it can't be asked."""
        return _looked_up(choice, keys)

    def objects(self, choice: StoreChoice) -> Objects:
        """The store's objects, in threads. Raises NoStore."""
        return ThreadedObjects(open_store(choice.address, choice.access))


def _looked_up(choice: StoreChoice, keys: Collection[PurchaseKey]) -> KnownTakes:
    bucket = open_store(choice.address, choice.access)
    records: dict[PurchaseKey, TakeRecord] = {}
    spoilt: dict[PurchaseKey, str] = {}
    given_up = Event()

    def check() -> None:
        if given_up.is_set():
            raise GivenUp

    with ThreadPoolExecutor(min(MOST_AT_ONCE, len(keys))) as threads:
        try:
            for key, found in zip(keys, threads.map(lambda key: until(check, _asked, bucket, key), keys), strict=True):
                if isinstance(found, str):
                    spoilt[key] = found
                elif found is not None:
                    records[key] = found
        except BaseException:  # one that can't be asked can't be asked ten thousand times; or somebody interrupts
            given_up.set()
            threads.shutdown(cancel_futures=True)
            raise
    return KnownTakes(records, spoilt)


def _asked(bucket: Bucket, key: PurchaseKey) -> TakeRecord | str | None:
    try:
        found = bucket.get(record_path(key), MOST_BYTES)
        return None if found is None else read_record(found.content, key)
    except TooLong:
        return f"{record_path(key)}: it is too long to be a record; put right what stands there, or remove it"
    except BadDocument as error:
        return str(error)
