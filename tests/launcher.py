"""The real command line, in processes that are forked from one that has imported it.

`python launcher.py` reads orders, one JSON document a line: a folder to work in, the words of a command line, what is
in its environment, where what it says goes, and where it kills itself, if anywhere. The answer comes when that life and
everything it started has ended: a worker process that outlived its parent would keep it from coming.

Worker processes run this file's top level again, as they would the program's: it imports nothing that is slow.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import resource
import signal
import sys
import traceback
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Callable

#: What a run comes to need, and what comes with that.
_NEEDED: Final = (
    *("boundaries", "pipeline.cli.app", "pipeline.cli.running", "pipeline.manifest.loading", "pipeline.reporting"),
    *("pipeline.cli.bookkeeping", "pipeline.cli.failing", "pipeline.cli.reconciling"),
    *("pipeline.gateway.client", "pipeline.gateway.pacing", "pipeline.runner.starting", "pipeline.workers"),
    *("pipeline.audio.finishing", "pipeline.audio.inspection", "pipeline.audio.riff", "numpy.fft", "numpy.random"),
    *(
        "pipeline.__main__",
        "pipeline.report.page.rendering",
        "pipeline.manifest.text",
        "pipeline.audio.flac",
        "pipeline.audio.lossless",
    ),
    *(
        "httpcore",
        "pipeline.report.page.rendering",
        "trio",
        "anyio._backends._asyncio",
        "anyio._core._signals",
        "filelock",
        "_strptime",
    ),
)
#: One does for two small tracks, and starts in half the time of two.
_WORKERS: Final = 1
#: prctl(2): whoever among its descendants loses its parent becomes this process's child.
_SET_CHILD_SUBREAPER: Final = 36
_DEFECT: Final = 70
_ANSWERS: Final = 1


def main() -> None:
    """Carry out orders until there are no more."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a process with threads can't be forked
    sys.path.insert(0, str(Path(__file__).parent))
    for name in _NEEDED:
        importlib.import_module(name)
    _warm_page()
    gc.freeze()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for line in sys.stdin:
        order = json.loads(line)
        life = os.fork()
        if life == 0:
            _live(order)
        _answer(_ANSWERS, _ended(life))


def _answer(descriptor: int, document: dict[str, int]) -> None:
    os.write(descriptor, json.dumps(document).encode() + b"\n")


def _ended(life: int) -> dict[str, int]:
    """How `life` ended, and how many processes it left behind that have ended since."""
    status, orphans = 0, -1
    while True:
        try:
            process, code = os.wait()
        except ChildProcessError:
            return {"status": status, "orphans": orphans}
        orphans += 1
        if process == life:
            status = os.waitstatus_to_exitcode(code)


def _live(order: dict[str, Any]) -> NoReturn:
    """The program, from its first word to the end of its process."""
    status: object = _DEFECT
    try:
        os.chdir(order["folder"])
        os.environ.update(order["environment"])
        answers = os.dup(_ANSWERS)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for path, descriptor in ((order["stdout"], 1), (order["stderr"], 2)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
        sys.argv = ["pipeline", *order["words"]]
        _run(order, answers)
    except SystemExit as ended:
        status = ended.code or 0
    except BaseException:  # noqa: BLE001 - nothing may go on to read the orders that are the parent's
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else _DEFECT)


def _warm_page() -> None:
    """Compile the page's templates once for all lives."""
    from pipeline.report.page.rendering import warm

    warm()


def _run(order: dict[str, Any], answers: int) -> None:
    from boundaries import watched

    from pipeline.__main__ import main as command

    if order["file_bytes"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_bytes"],) * 2)
    with ExitStack() as changes:
        if order["workers"]:
            changes.enter_context(mock.patch("pipeline.workers._MOST_WORKERS", _WORKERS))
        else:
            changes.enter_context(mock.patch("pipeline.workers.WorkerFinisher", _without_workers))
        if order["at"] is not None:
            act = _tell(answers) if order["tells"] else _die
            changes.enter_context(watched(_at(*order["at"], act)))
        command()


def _without_workers(*_: Any) -> Any:
    """A finisher that works inline, for lives that are not about worker processes."""
    from pipeline.runner.finisher import InlineFinisher

    class Inline(InlineFinisher):
        async def warm_up(self) -> None:
            """Everything is here."""

        async def each(self, items: Any, work: Any) -> None:
            for item in items:
                await work(item)

        async def examine(self, path: str, *, gates: bool = False) -> Any:
            from pipeline.audio.examining import examine

            return examine(path, gates=gates)

        async def sha256(self, path: str) -> str:
            from pipeline.files import sha256_of

            return sha256_of(Path(path))

    return Inline()


def _at(name: str, when: str, nth: int, act: Callable[[], None]) -> Callable[[str, str], None]:
    """A hook that acts at the nth time that the boundary is reached."""
    reached = 0

    def reach(reached_name: str, reached_when: str) -> None:
        nonlocal reached
        if (reached_name, reached_when) == (name, when):
            reached += 1
            if reached == nth:
                act()

    return reach


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _tell(answers: int) -> Callable[[], None]:
    return lambda: _answer(answers, {"reached_by": os.getpid()})


if __name__ == "__main__":
    main()
