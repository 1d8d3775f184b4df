"""The moments a run can die at, each by its name: before and after everything that is sent or written down.

`watched(reach)` has `reach(name, "before")` and `reach(name, "after")` called at each of them, whatever backend, writer
or finisher is in use. The program knows nothing of it: its functions are wrapped where they stand, so that the hook
costs nothing when it is not used. `reach` may kill the process, or raise.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal
from unittest import mock

import pipeline.ledger.writing
from pipeline.files import Folder
from pipeline.gateway.client import Gateway
from pipeline.ledger.ledger import Ledger
from pipeline.renaming import SIDECARS
from pipeline.runner.collecting import Collector
from pipeline.runner.finishing import TrackFinisher
from pipeline.store.team import Team

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

When = Literal["before", "after"]
Reach = Callable[[str, When], None]

#: What is written down: before is inside of its transaction, after is once that is committed.
_WRITTEN: Final = {
    "open_run": "opening",
    "intend": "intent",
    "resend": "intent",
    "accept": "id",
    "complete": "completion",
    "collect": "source on the books",
    "add_assets": "asset on the books",
    "close_run": "closing",
}
#: What is done, by the function that does it.
_DONE: Final = {
    "POST": (Gateway, "submit"),
    "download": (Collector, "_download"),
    "finish": (TrackFinisher, "_run"),
}
#: A file gets its final name, by where that lies.
_PLACED: Final = ("source rename", "asset rename", "lock", "index", "report")

#: A file takes another name with its track: only where one is renamed.
MOVES: Final = ("sidecar move", "asset move")

#: What is asked of a team's store, by the function that asks: only where there is one.
_SHARED: Final = {
    "claim": (Team, "claim"),
    "claim's job": (Team, "name_job"),
    "share": (Team, "share"),
    "goodbye": (Team, "close"),
}
SHARED: Final = tuple(_SHARED)

BOUNDARIES: Final = (*dict.fromkeys(_WRITTEN.values()), *_DONE, *_PLACED)


@contextmanager
def watched(reach: Reach) -> Iterator[None]:
    """Call `reach` at every boundary while the block lasts."""
    written: list[str] = []  # in the transaction that is being made
    with ExitStack() as patches:
        for method, name in _WRITTEN.items():
            patches.enter_context(_replaced(Ledger, method, functools.partial(_writing, name, reach, written)))
        commit = functools.partial(_committing, reach, written)
        patches.enter_context(_replaced(pipeline.ledger.writing, "_commit", commit))
        for name, (owner, method) in (_DONE | _SHARED).items():
            patches.enter_context(_replaced(owner, method, functools.partial(_doing, name, reach)))
        patches.enter_context(_replaced(Folder, "place", functools.partial(_placing, reach)))
        patches.enter_context(_replaced(Folder, "move", functools.partial(_moving, reach)))
        yield


def _replaced(owner: Any, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Any:
    return mock.patch.object(owner, name, wrap(getattr(owner, name)))


def _writing(name: str, reach: Reach, written: list[str], function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        reach(name, "before")
        result = function(*arguments, **options)
        written.append(name)
        return result

    return wrapped


def _committing(reach: Reach, written: list[str], function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(*arguments: Any) -> None:
        written.clear()
        function(*arguments)
        for name in written[:]:
            reach(name, "after")

    return wrapped


def _doing(name: str, reach: Reach, function: Callable[..., Any]) -> Callable[..., Any]:
    assert inspect.iscoroutinefunction(function), name

    @functools.wraps(function)
    async def wrapped(*arguments: Any, **options: Any) -> Any:
        reach(name, "before")
        result = await function(*arguments, **options)
        reach(name, "after")
        return result

    return wrapped


def _placing(reach: Reach, function: Callable[..., Path]) -> Callable[..., Path]:
    @functools.wraps(function)
    def wrapped(folder: Folder, temporary: Path, relative: str) -> Path:
        name = _placed(relative)
        if name is not None:
            reach(name, "before")
        final = function(folder, temporary, relative)
        if name is not None:
            reach(name, "after")
        return final

    return wrapped


def _moving(reach: Reach, function: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(function)
    def wrapped(folder: Folder, relative: str, to: str, **options: Any) -> None:
        name = MOVES[not relative.endswith(SIDECARS)]
        reach(name, "before")
        function(folder, relative, to, **options)
        reach(name, "after")

    return wrapped


def _placed(relative: str) -> str | None:
    """Which boundary the final name `relative` belongs to; None for the takes beside the pick."""
    if relative.startswith("sources/"):
        return "source rename"
    if relative.startswith("takes/"):
        return None
    if relative.startswith("cost-report.") or relative == "report.html":
        return "report"
    if relative.endswith(".lock.json"):
        return "lock"
    return "index" if relative == "assets.json" else "asset rename"
