"""A store as obstore reaches it: S3, Google's and Azure's buckets, and folders. The one room that imports it.

Every verb blocks; `ThreadedObjects` has them done in threads, for a run. obstore is an extra, imported only when a
store is asked for. It finds its credentials where every program of these clouds does: in the environment, in what a
machine's role gives, and, with boto3, in a profile.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import anyio
import anyio.from_thread
import anyio.to_thread

from pipeline.store.objects import AlreadyThere, Changed, Found, StoreTrouble, TooLong, Unconditional
from pipeline.store_choice import PLAIN_ACCESS, NoStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.store_choice import StoreAccess

T = TypeVar("T")

#: What is asked of a store at the same moment, by one run.
MOST_AT_ONCE: Final = 32
#: Whoever gives a store up need not wait longer for it, in seconds.
_GIVEN_UP_WITHIN_S: Final = 0.1
_PIECE_BYTES: Final = 1 << 20
#: What is no longer goes up in one request; in parts it is billed as at least four, and whoever is killed in the middle
#: leaves parts behind that nobody sees. 30 s of a WAV are 5 to 9 MB.
_WHOLE_BYTES: Final = 16 << 20
_CLIENT: Final = {"connect_timeout": "5s", "timeout": "300s", "read_timeout": "15s"}
#: A few, at once: what takes longer is for whoever asks.
_RETRIES: Final = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}
_STATUS: Final = re.compile(r"status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>(\w{1,60})</Code>")
_OS_ERROR: Final = re.compile(r"\(os error (\d{1,4})\)")
_LOCK_NAME: Final = ".music-asset-store.lock"
#: How long somebody may hold a folder's lock, in seconds: a small file is written under it.
_LOCKED_S: Final = 30.0


def open_store(address: str, access: StoreAccess = PLAIN_ACCESS) -> Bucket:
    """The store at `address`; nothing is asked of it yet.

    Raises NoStore where obstore is not installed, or the environment does not say what it has to.
    """
    try:
        import obstore.store as stores  # noqa: PLC0415 - an extra, for whoever has a store
    except ImportError as error:
        what = "a store takes obstore, which is not installed"
        raise NoStore(f"{what}: pip install 'music-asset-pipeline[store]'") from error
    try:
        if "://" not in address:
            return FolderBucket(address, stores.LocalStore(address, automatic_cleanup=False, mkdir=True))
        by_profile = access.profile is not None and address.startswith("s3:")
        credentials = {"credential_provider": _of(str(access.profile))} if by_profile else {}
        client = _CLIENT | {"allow_http": access.allow_http}
        return Bucket(
            address,
            stores.from_url(address, client_options=client, retry_config=_RETRIES, **credentials),  # type: ignore[call-overload]
        )
    except NoStore:
        raise
    except Exception as error:  # what obstore raises for a configuration has no class of its own
        raise StoreTrouble(f"{address}: it can't be opened ({_told(error)})") from error


def _of(profile: str) -> Any:
    """Whoever gives the credentials of an AWS profile. Raises NoStore."""
    try:
        import boto3  # noqa: PLC0415 - only where a profile is meant
        from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415
    except ImportError as error:
        what = f"AWS_PROFILE is {profile!r}, and a profile is read by boto3, which is not installed"
        raise NoStore(f"{what}: pip install boto3, or give the credentials in the environment") from error
    try:
        return Boto3CredentialProvider(boto3.Session(profile_name=profile))
    except Exception as error:  # botocore's own tree: an unknown profile, no credentials in it
        raise StoreTrouble(f"the AWS profile {profile!r} gives no credentials ({type(error).__name__})") from error


class Bucket:
    """A bucket, by obstore. Each verb blocks, and may be called from any thread; `Objects` says what they do."""

    def __init__(self, address: str, store: Any) -> None:
        import obstore  # noqa: PLC0415 - as above

        self.address = address
        self._store = store
        self._verbs = obstore

    def get(self, path: str, most_bytes: int) -> Found | None:
        with self._told(path):
            try:
                answer = self._verbs.get(self._store, path)
            except FileNotFoundError as error:
                self._check_bucket(error)
                return None
            if answer.meta["size"] > most_bytes:
                raise TooLong(path)
            return Found(bytes(answer.bytes()), _tag(answer.meta), answer.meta["last_modified"].timestamp())

    def create(self, path: str, content: bytes) -> Any:
        with self._told(path, AlreadyThere):
            return _tag(self._verbs.put(self._store, path, content, mode="create", use_multipart=False))

    def replace(self, path: str, content: bytes, tag: Any) -> Any:
        with self._told(path, Changed):
            return _tag(self._verbs.put(self._store, path, content, mode=tag, use_multipart=False))

    def remove(self, path: str) -> None:
        with self._told(path):
            try:
                self._verbs.delete(self._store, path)
            except FileNotFoundError as error:
                self._check_bucket(error)

    def push(self, path: str, file: Path) -> None:
        with self._told(path):
            self._verbs.put(self._store, path, file, chunk_size=_WHOLE_BYTES)

    def fetch(self, path: str, write: Callable[[bytes], object], most_bytes: int) -> bool:
        with self._told(path):
            try:
                answer = self._verbs.get(self._store, path)
            except FileNotFoundError as error:
                self._check_bucket(error)
                return False
            length = 0
            for piece in answer.stream(min_chunk_size=_PIECE_BYTES):
                length += len(piece)
                if length > most_bytes:
                    raise TooLong(path)
                write(bytes(piece))
            return True

    def _check_bucket(self, error: Exception) -> None:
        """Nothing is at a path. Raises StoreTrouble where what is not there is the bucket."""
        if _code(error) == "NoSuchBucket" or "ContainerNotFound" in str(error)[:2000]:
            raise StoreTrouble(f"{self.address}: there is no such bucket; make it, or name another") from error

    @contextmanager
    def _told(self, path: str, unmet: type[AlreadyThere | Changed] | None = None) -> Iterator[None]:
        """Turn obstore's errors into the house's. Their own texts may quote a request with its signature.

        `unmet`: what is raised where the condition of a write does not hold.
        """
        from obstore import exceptions  # noqa: PLC0415 - as above

        try:
            yield
        except (NoStore, TooLong, AlreadyThere, Changed):
            raise
        except (exceptions.AlreadyExistsError, exceptions.PreconditionError, exceptions.NotModifiedError) as error:
            if unmet is not None:
                raise unmet(path) from error
            raise StoreTrouble(f"{self.address}: it can't be asked ({_told(error)})") from error
        except FileNotFoundError as error:
            self._check_bucket(error)
            if unmet is Changed:  # replaced: it is gone
                raise Changed(path) from error
            what = f"nothing can be put there ({_told(error)})"
            raise StoreTrouble(f"{self.address}: {what}; see to its endpoint in the environment") from error
        except (NotImplementedError, exceptions.NotSupportedError) as error:
            raise Unconditional(f"{self.address}: it can't write on a condition") from error
        except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
            what = f"it may not be used with these credentials ({_told(error)})"
            raise StoreTrouble(f"{self.address}: {what}; see to its policy, or to the environment") from error
        except (exceptions.BaseError, OSError, ValueError, RuntimeError) as error:
            raise StoreTrouble(f"{self.address}: it can't be asked ({_told(error)})") from error


class FolderBucket(Bucket):
    """A folder that several machines see. What is changed on a condition there, is changed under the folder's lock."""

    def replace(self, path: str, content: bytes, tag: Any) -> Any:
        with self._locked(), self._told(path, Changed):
            if _tag(self._verbs.head(self._store, path)) != tag:
                raise Changed(path)
            return _tag(self._verbs.put(self._store, path, content))

    def remove(self, path: str) -> None:
        with self._locked():  # never between another one's look and what it puts there
            super().remove(path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        from filelock import FileLock  # noqa: PLC0415 - only where something is changed

        lock = FileLock(Path(self.address) / _LOCK_NAME, timeout=_LOCKED_S, fallback_to_soft=False)
        try:
            lock.acquire()
        except TimeoutError as error:
            raise StoreTrouble(f"{self.address}: its lock is held by somebody who does not let go") from error
        except (OSError, NotImplementedError) as error:
            raise Unconditional(f"{self.address}: its file system has no locks that hold") from error
        try:
            yield
        finally:
            lock.release()


class ThreadedObjects:
    """A bucket's verbs in threads of a run's own, each as `Objects` has it."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._limiter: anyio.CapacityLimiter | None = None

    async def get(self, path: str, most_bytes: int) -> Found | None:
        return await self._in_thread(self._bucket.get, path, most_bytes)

    async def create(self, path: str, content: bytes) -> Any:
        return await self._in_thread(self._bucket.create, path, content)

    async def replace(self, path: str, content: bytes, tag: Any) -> Any:
        return await self._in_thread(self._bucket.replace, path, content, tag)

    async def remove(self, path: str) -> None:
        await self._in_thread(self._bucket.remove, path)

    async def push(self, path: str, file: Path) -> None:
        await self._in_thread(self._bucket.push, path, file)

    async def fetch(self, path: str, write: Callable[[bytes], object], most_bytes: int) -> bool:
        return await self._in_thread(self._bucket.fetch, path, write, most_bytes)

    async def _in_thread(self, verb: Callable[..., T], *arguments: Any) -> T:
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(MOST_AT_ONCE)  # never behind other rooms' threads
        # One that is given up ends by itself: what it has created then belongs to a lease that is no more.
        work = partial(until, anyio.from_thread.check_cancelled, verb, *arguments)
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)


def until(given_up: Callable[[], object], verb: Callable[..., T], *arguments: Any) -> T:
    """What a verb gives, or what `given_up`, which is asked again and again meanwhile, raises.

    The verb is in a thread that no process waits for at its end: a store that never answers keeps nobody for minutes.
    """
    answers: SimpleQueue[tuple[T, None] | tuple[None, BaseException]] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put((verb(*arguments), None))
        except BaseException as error:  # noqa: BLE001 - it is for whoever waits
            answers.put((None, error))

    Thread(target=ask, daemon=True, name="store").start()
    while True:
        try:
            answer, error = answers.get(timeout=_GIVEN_UP_WITHIN_S)
        except Empty:
            given_up()
            continue
        if error is not None:
            raise error
        return cast(T, answer)


def _tag(meta: Any) -> dict[str, str]:
    """What a conditional write names: S3 and Azure know an object by its tag, Google by its version."""
    return {name: meta[name] for name in ("e_tag", "version") if meta.get(name) is not None}


def _code(error: Exception) -> str | None:
    found = _CODE.search(str(error)[:4000])
    return None if found is None else found[1]


def _told(error: Exception) -> str:
    """Why, in words that hold no credentials: the status, S3's own word for it, or what kind of error it is."""
    text = str(error)[:4000]
    if "BadScheme" in text:
        return "its endpoint is plain http, which anybody on the way can read: AWS_ALLOW_HTTP=true allows it"
    status = _STATUS.search(text)
    words = [f"status {status[1]}" if status else "", _code(error) or ""]
    number = _OS_ERROR.search(text)
    words.append(os.strerror(int(number[1])).lower() if number else "")
    said = ", ".join(word for word in words if word)
    if said:
        return said
    return "no answer" if "error sending request" in text or "timed out" in text else type(error).__name__
