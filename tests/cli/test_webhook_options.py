"""`run --webhook-url URL --webhook-listen HOST:PORT`: what is checked before a run, and one that is told."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest
from quick_gateway import quick_gateway

from pipeline.cli.webhooks import webhooks_of
from pipeline.gateway_choice import GatewayChoice

if TYPE_CHECKING:
    from pathlib import Path

    from lives import Lives

    from pipeline.local_gateway.serving import LocalGatewayThread

SECRET = "whsec_of_a_test"
SIGNED = {"AIGATEWAY_API_KEY": "sk-aig-1", "AIGATEWAY_WEBHOOK_SECRET": SECRET}
RUN = ("run", "demo.yaml", "--quiet")


def options(url: str, listen: str = "127.0.0.1:9") -> tuple[str, ...]:
    return ("--webhook-url", url, "--webhook-listen", listen)


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


MISTAKES = {
    "no listener": (("--webhook-url", "http://127.0.0.1:9/"), SIGNED, "needs --webhook-listen"),
    "no address": (("--webhook-listen", "127.0.0.1:9"), SIGNED, "needs --webhook-url"),
    "no secret": (
        options("http://127.0.0.1:9/"),
        SIGNED | {"AIGATEWAY_WEBHOOK_SECRET": " "},
        "AIGATEWAY_WEBHOOK_SECRET",
    ),
    "no encryption": (options("http://hooks.example.com/"), SIGNED, "https://"),
    "no port": (options("http://127.0.0.1:9/", "127.0.0.1"), SIGNED, "HOST:PORT"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_is_missing_or_wrong_is_said_before_anything_is_sent(
    folder: Path, gateway: LocalGatewayThread, lives: Lives, mistake: str
) -> None:
    """One sentence, exit 2, and no secret in it."""
    words, environment, why = MISTAKES[mistake]
    ended = lives.live(folder, *RUN, "--gateway", gateway.base_url, *words, **environment)
    assert ended.status == 2, ended.said
    assert why in ended.stderr
    assert "Traceback" not in ended.said
    assert SECRET not in ended.said
    assert gateway.app.state.gateway.books.jobs == []


def test_a_gateway_elsewhere_is_given_no_address_of_this_machine(folder: Path, lives: Lives) -> None:
    """It could only refuse every job for it."""
    ended = lives.live(folder, *RUN, *options("http://127.0.0.1:9/"), **SIGNED)
    assert ended.status == 2
    assert "https://api.aigateway.sh can't reach" in ended.stderr


def test_a_port_that_is_taken_sends_nothing(folder: Path, gateway: LocalGatewayThread, lives: Lives) -> None:
    """One sentence with the place, exit 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        words = ("--gateway", gateway.base_url, *options(f"http://{listen}/hook", listen))
        ended = lives.live(folder, *RUN, *words, **SIGNED)
    assert (ended.status, ended.stdout) == (2, "")
    assert f"can't be listened for on {listen}" in ended.stderr
    assert gateway.app.state.gateway.books.jobs == []


def test_a_run_is_told_by_webhooks_over_sockets(folder: Path, port: int, lives: Lives) -> None:
    """One poll a job, long before its interval has passed; the secret is in nothing that the run leaves."""
    manifest = folder / "demo.yaml"
    manifest.write_text(manifest.read_text().replace("poll_interval: 0.1", "poll_interval: 60"))
    with quick_gateway(latency_s=0.3, webhook_secret=SECRET) as gateway:
        words = (
            "--gateway",
            gateway.base_url,
            "--json",
            "--log-file",
            "log",
            *options(f"http://127.0.0.1:{port}/hook", f"127.0.0.1:{port}"),
        )
        ended = lives.live(folder, "run", "demo.yaml", "--verbose", *words, **SIGNED)
        books = gateway.app.state.gateway.books
    assert ended.status == 0, ended.said
    assert json.loads(ended.stdout)["totals"]["generated"] == 3
    assert [job.polls for job in books.jobs] == [1] * 3
    assert [note["status"] for note in books.webhooks] == [204] * 3
    assert SECRET not in ended.said
    left = [path for path in folder.rglob("*") if path.is_file()]
    assert [path for path in left if SECRET.encode() in path.read_bytes()] == []


def test_the_local_gateway_of_a_run_tells_webhooks_too(folder: Path, port: int, lives: Lives) -> None:
    """With the run's own secret, so that a set-up can be tried free of charge."""
    words = ("--gateway", "local", *options(f"http://127.0.0.1:{port}/hook", f"127.0.0.1:{port}"))
    ended = lives.live(folder, "run", "demo.yaml", "--only", "menu", *words, AIGATEWAY_WEBHOOK_SECRET=SECRET)
    assert ended.status == 0, ended.said
    assert "webhook" not in ended.stderr


def test_a_local_gateway_is_not_waited_for_where_it_tells_nobody(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is said, and the run goes on without: one command serves for trying and for buying."""
    monkeypatch.setenv("AIGATEWAY_WEBHOOK_SECRET", SECRET)
    url, there = "https://hooks.example.com/?token=1", "127.0.0.1:9"
    assert webhooks_of(url, there, GatewayChoice("local", None)) is None
    said = capsys.readouterr().err
    assert "the local gateway tells webhooks on this machine only" in said
    assert "token" not in said
    assert webhooks_of(url, there, GatewayChoice("real", "https://api.aigateway.sh")) is not None
