"""`pipeline review` as somebody starts it: an address, a page under it, and Ctrl-C."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from lives import clean_environment
from quick_gateway import quick_gateway
from reviews import MENU

from pipeline.cli import reviewing
from pipeline.review.serving import NotListening, listen

if TYPE_CHECKING:
    from pathlib import Path

    from lives import Lives
    from reviews import Bench


class Served:
    """`pipeline review` in a process of its own, and a browser's connection to it."""

    def __init__(self, bench: Bench, *words: str, **environment: str) -> None:
        command = ["review", "game.yaml", "--output", "output", "--state", "state", "--no-open", *words]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", *command], cwd=bench.folder, env=clean_environment() | environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.address = self.process.stdout.readline().strip()
        parts = urlsplit(self.address)
        self.path, self.origin = parts.path, f"http://{parts.netloc}"
        self.connection = http.client.HTTPConnection(parts.netloc, timeout=20)

    def ask(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, bytes]:
        headers = {"Origin": self.origin, "Content-Type": "application/json"}
        self.connection.request(*(("GET", path) if body is None else ("POST", path, json.dumps(body), headers)))
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def interrupted(self) -> tuple[int, str]:
        """Ctrl-C, while the browser's connection is open: the exit status, and what was said."""
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=20)
        return self.process.returncode, said

    def close(self) -> None:
        self.connection.close()
        self.process.kill()
        self.process.communicate()


def test_it_serves_the_page_until_ctrl_c(bench: Bench) -> None:
    """Without a key; under a token of its own, on loopback alone, on any free port; and ends with 0."""
    with closing(Served(bench)) as served:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", served.address), served.address
        for path, status in ((served.path, 200), (f"{served.path}battle.wav", 200), ("/", 404)):
            assert served.ask(path)[0] == status, path
        assert served.interrupted() == (0, "the review is served there until Ctrl-C\n")


def test_ctrl_c_ends_a_re_roll_in_order(bench: Bench) -> None:
    """Its job is on the books, for the next run to collect; and the status says that something was cut short."""
    with quick_gateway(latency_s=3600.0) as gateway:
        words = ("--gateway", gateway.base_url)
        with closing(Served(bench, *words, AIGATEWAY_API_KEY="sk-aig-1")) as served:
            status, price = served.ask(f"{served.path}api/reroll/price", MENU)
            assert status == 200, price
            estimate = json.loads(price)["estimate_microusd"]
            status, begun = served.ask(f"{served.path}api/reroll", {**MENU, "estimate_microusd": estimate})
            assert status == 200, begun
            work = f"{served.path}api/work/{json.loads(begun)['work']}"
            while "asked for" not in str(served.ask(work)[1]):
                pass
            status, said = served.interrupted()
        assert (status, "Traceback" in said) == (130, False), said
        assert "interrupted: waiting a moment for what was sent" in said
        assert "was cut short; the next `pipeline run` brings it to its end" in said
        assert len(gateway.app.state.gateway.books.jobs) == 1


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["none.yaml"], 2, "none.yaml"),
        (["game.yaml", "--gateway", "aigateway"], 4, "needs a key: set AIGATEWAY_API_KEY"),
        (["game.yaml", "--output", "state"], 5, "the output folder can't be the state folder too"),
        (["game.yaml", "--host", "203.0.113.7"], 5, "the review can't listen on 203.0.113.7:0"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_would_be_in_the_way_of_everything_ends_it(
    made: Path, lives: Lives, *, words: list[str], status: int, said: str
) -> None:
    """One sentence, before anything is served."""
    ended = lives.live(made, "review", *words, "--state", "state", "--no-open")
    assert (ended.status, ended.stdout) == (status, ""), ended.said
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("host", "said"),
    [("127.0.0.1", None), ("::1", None), ("localhost", None), ("192.168.1.5", "reached from other machines"),
     ("studio.lan", "reached from other machines"), ("0.0.0.0", "every address"), ("::", "every address"),
     ("", "every address")],
)  # fmt: skip
def test_whoever_lets_other_machines_in_is_warned(host: str, said: str | None) -> None:
    """In one sentence; on loopback nothing is said."""
    warning = reviewing._warning(host)
    assert warning is None if said is None else said in warning


@pytest.mark.parametrize(
    ("is_terminal", "display", "opened"), [(True, ":0", 1), (True, "", 0), (False, ":0", 0)],
    ids=["a person at a screen", "a terminal without a screen", "a pipe"],
)  # fmt: skip
def test_a_browser_is_opened_for_a_person_at_a_screen(
    monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool, display: str, opened: int
) -> None:
    """Not for a script; nor is one started that would take over the terminal."""
    addresses: list[str] = []
    monkeypatch.setattr(reviewing.webbrowser, "open", addresses.append)
    monkeypatch.setattr(reviewing.threading, "Thread", AtOnce)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    reviewing._open("http://127.0.0.1:8000/x/")
    assert len(addresses) == opened


class AtOnce:
    """A thread that is over when it is started."""

    def __init__(self, *, target: Any, args: tuple[Any, ...], daemon: bool) -> None:
        self._work = (target, args)

    def start(self) -> None:
        target, args = self._work
        target(*args)


def test_a_port_that_is_taken_is_told() -> None:
    """With what to do."""
    with listen("127.0.0.1", 0) as taken, pytest.raises(NotListening, match=r"in use.*--port"):
        listen("127.0.0.1", taken.getsockname()[1])
