"""A farm as Dask's client reaches it. The one room on the run's side that imports it; every verb blocks.

Dask is an extra, imported only when a farm is asked for.
"""

from __future__ import annotations

import logging
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pipeline.farm.addresses import FarmMistake, NoFarm

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from pipeline.farm.crossing import Order

T = TypeVar("T")

CONNECTED_WITHIN_S: Final = 10.0
#: How long a farm that is just being started may take until its first worker is there.
_WORKERS_WITHIN_S: Final = 10.0
_CLOSED_WITHIN_S: Final = 5.0


class Cluster:
    """A connection to a farm's scheduler."""

    def __init__(self, client: Any) -> None:
        self._client = client
        # Each task for itself: one that failed is not remembered by its arguments, and audio is not hashed for it.
        self._executor = client.get_executor(pure=False)

    @property
    def is_connected(self) -> bool:
        """Does the connection stand? False as soon as it is lost, also while Dask tries to have it again."""
        return bool(self._client.status == "running")

    def submit(self, work: Callable[[Order], T], order: Order) -> Future[T]:
        """Have `order` done. Cancelled where the connection is lost on the way."""
        future: Future[T] = self._executor.submit(work, order)
        return future

    def asked(self, question: Callable[..., T], *arguments: Any) -> dict[str, T | Exception]:
        """What each worker answers, or raises, by the worker's address."""
        answers: dict[str, T | Exception] = self._client.run(question, *arguments, on_error="return")
        return answers

    def threads(self) -> int:
        """How many tasks can be worked on at once; 0 where there are no workers."""
        return sum(self._client.nthreads().values())

    def close(self) -> None:
        """Let go of the farm, and of whatever it still does for this run."""
        with suppress(Exception):  # it may be lost by now, which Dask has many words for
            self._executor.shutdown(wait=False)
        self._client.close(timeout=_CLOSED_WITHIN_S)


def connect(address: str) -> Cluster:
    """The farm whose scheduler is at `address`, with a worker at least.

    Raises FarmMistake where Dask is not installed, and NoFarm.
    """
    client = _client(address)
    try:
        client.wait_for_workers(1, timeout=_WORKERS_WITHIN_S)
    except (OSError, RuntimeError) as error:  # among them Dask's own for too few of them in time
        client.close(timeout=_CLOSED_WITHIN_S)
        what = f"the farm at {address} has no workers: start some with `dask worker {address}`"
        raise NoFarm(f"{what}, or leave out --finish-on") from error
    return Cluster(client)


def _client(address: str) -> Any:
    try:
        import dask  # noqa: PLC0415 - an extra, for whoever has a farm
        from distributed import Client  # noqa: PLC0415
        from distributed.versions import VersionMismatchWarning  # noqa: PLC0415
    except ImportError as error:
        what = "finishing on a farm takes Dask, which is not installed"
        raise FarmMistake(f"{what}: pip install 'music-asset-pipeline[dask]'") from error
    _quieten()
    # A source in its task is what is meant: a worker that dies takes nothing along that the scheduler does not have.
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"})
    # Which versions matter is asked of the workers, and said in one sentence.
    warnings.filterwarnings("ignore", category=VersionMismatchWarning)
    try:
        return Client(address, timeout=CONNECTED_WITHIN_S, set_as_default=False, name="music-asset-pipeline")
    except (OSError, ValueError, TypeError) as error:  # the last two: certificates that tls:// wants
        reason = "its certificates are missing" if isinstance(error, (ValueError, TypeError)) else "no answer"
        what = f"no scheduler can be reached at {address} ({reason}): start one with `dask scheduler`"
        raise NoFarm(f"{what}, or leave out --finish-on") from error


def _quieten() -> None:
    """What Dask would log about a farm that is lost, the run says itself, once."""
    for name in ("distributed", "distributed.client", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
