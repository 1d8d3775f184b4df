"""Lives of the program: the real command line, each time in a process of its own that starts at once."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

At = tuple[str, str, int]  # a boundary's name, before or after, and which time that it is reached

_ANSWERED_WITHIN_S: Final = 60.0


def clean_environment() -> dict[str, str]:
    """What this process has, without what is meant for the program, and with where it is imported from."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AIGATEWAY_")}
    return kept | {"PYTHONPATH": str(Path(__file__).parents[1])}


@dataclass(frozen=True)
class Ended:
    """How a life ended. `orphans`: the processes that it left behind, which have ended since."""

    status: int
    orphans: int
    stdout: str
    stderr: str

    @property
    def said(self) -> str:
        return self.stdout + self.stderr


class Lives:
    """Starts the program, one life after the other.

    A life finishes audio inline, unless it is to have a worker process. `environment`: what is set in it.
    """

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        self._said = {stream: Path(self._folder.name) / stream for stream in ("stdout", "stderr")}
        self._start()

    def _start(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("launcher.py"))],
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )

    def live(
        self,
        folder: Path,
        *words: str,
        at: At | None = None,
        workers: bool = False,
        file_bytes: int | None = None,
        **environment: str,
    ) -> Ended:
        """A whole life of `pipeline WORDS` in `folder`.

        `at`: where it kills itself. `file_bytes`: the size that none of its files may exceed.
        """
        self._order(folder, words, environment, at=at, workers=workers, file_bytes=file_bytes, tells=False)
        return self.end()

    def begin(self, folder: Path, *words: str, tells_at: At, workers: bool = True, **environment: str) -> int:
        """Start a life, and come back when it is at `tells_at`: its process, which goes on."""
        self._order(folder, words, environment, at=tells_at, workers=workers, file_bytes=None, tells=True)
        answer = self._answer()
        assert "reached_by" in answer, self._said["stderr"].read_text()
        return answer["reached_by"]

    def end(self) -> Ended:
        """Wait for the end of the life that was begun, and of all that it has started."""
        answer = self._answer()
        said = {stream: path.read_text() for stream, path in self._said.items()}
        return Ended(answer["status"], answer["orphans"], **said)

    def close(self) -> None:
        self._stop()
        self._folder.cleanup()

    def _stop(self) -> None:
        self._server.kill()
        self._server.communicate()

    def _order(self, folder: Path, words: tuple[str, ...], environment: dict[str, str], **rest: Any) -> None:
        said = {stream: str(path) for stream, path in self._said.items()}
        order = {"folder": str(folder), "words": words, "environment": environment, **said, **rest}
        self._server.stdin.write(json.dumps(order).encode() + b"\n")

    def _answer(self) -> dict[str, int]:
        with selectors.DefaultSelector() as selector:
            selector.register(self._server.stdout, selectors.EVENT_READ)
            in_time = selector.select(_ANSWERED_WITHIN_S)
        if not in_time:
            self._stop()
            self._start()  # for the tests that follow
        assert in_time, "a life, or a worker process that it left, does not end"
        return json.loads(self._server.stdout.readline())
