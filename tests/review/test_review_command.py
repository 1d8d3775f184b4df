"""`pipeline review` as somebody starts it: an address, a page under it, and Ctrl-C."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from lives import clean_environment

from pipeline.review.serving import NotListening, listen

if TYPE_CHECKING:
    from pathlib import Path

    from lives import Lives
    from reviews import Bench


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is no signal that one process sends another there")
def test_it_serves_the_page_until_ctrl_c(bench: Bench) -> None:
    """Without a key; under a token of its own, on loopback alone, on any free port; and ends with 0."""
    words = ["review", "game.yaml", "--output", "output", "--state", "state", "--no-open"]
    environment = clean_environment() | {"BROWSER": "false"}
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", *words], cwd=bench.folder, env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", address), (address, process.communicate())
        parts = urlsplit(address)
        connection = http.client.HTTPConnection(parts.netloc, timeout=20)
        for path, status in ((parts.path, 200), (f"{parts.path}battle.wav", 200), ("/", 404)):
            connection.request("GET", path)
            answer = connection.getresponse()
            assert (answer.status, bool(answer.read())) == (status, True), path
        process.send_signal(signal.SIGINT)  # the connection is open still
        _, said = process.communicate(timeout=20)
        connection.close()
        assert (process.returncode, "Traceback" in said) == (0, False), said
    finally:
        process.kill()
        process.communicate()


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


def test_a_port_that_is_taken_is_told() -> None:
    """With what to do."""
    with listen("127.0.0.1", 0) as taken, pytest.raises(NotListening, match=r"in use.*--port"):
        listen("127.0.0.1", taken.getsockname()[1])
