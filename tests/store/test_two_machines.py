"""Two state folders play two machines of a team: the real command line, a real gateway, a real S3 server.

What counts is in the gateway's books: how many jobs were made of each prompt.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from io import StringIO
from typing import TYPE_CHECKING, Final

import pytest
from boundaries import SHARED
from lives import clean_environment
from s3_server import SECRET

if TYPE_CHECKING:
    from pathlib import Path

    from lives import At, Ended, Lives
    from s3_server import Server

    from pipeline.local_gateway.serving import LocalGatewayThread

_FEW: Final = 2
_KEY: Final = "sk-aig-not-a-real-one"
_MANIFEST: Final = """\
version: 1
name: demo
gateway: {{model: sony-ai/mmaudio-v2-text-to-audio, price_per_second: 0.0010, poll_interval: 0.1, concurrency: 8}}
store: {{url: '{store}', required: true, lease: {lease}}}
defaults: {{duration: 1, outputs: [wav]}}
tracks:
{tracks}
"""


class Studio:
    """A gateway, a store, and machines with one manifest."""

    def __init__(
        self, folder: Path, server: Server, store: str, *, gateway: LocalGatewayThread, lives: Lives, tracks: int
    ) -> None:
        self.folder = folder
        self.server = server
        self.store = store
        self._gateway = gateway
        self._lives = lives
        self._prompts = [f"tune {number} of {store}" for number in range(tracks)]
        lines = (f"  tune-{number:02}: {{prompt: '{prompt}'}}" for number, prompt in enumerate(self._prompts))
        # Two at work at once: none is to be taken for dead under load. Where one dies, nobody waits long.
        lease_s = 2 if tracks == _FEW else 60
        self._manifest = _MANIFEST.format(store=store, lease=lease_s, tracks="\n".join(lines))

    def machine(self, name: str) -> Path:
        """Its folder."""
        folder = self.folder / name
        folder.mkdir()
        (folder / "demo.yaml").write_text(self._manifest)
        return folder

    @property
    def environment(self) -> dict[str, str]:
        return {**self.server.environment, "AIGATEWAY_API_KEY": _KEY, "AWS_ALLOW_HTTP": "true"}

    @property
    def words(self) -> tuple[str, ...]:
        return ("run", "demo.yaml", "--gateway", self._gateway.base_url, "--log-file", "log.jsonl")

    def live(self, machine: Path, *words: str, at: At | None = None) -> Ended:
        """A life of `pipeline run` there."""
        return self._lives.live(machine, *self.words, *words, at=at, **self.environment)

    def run(self, machine: Path, *words: str) -> Ended:
        ended = self.live(machine, *words)
        assert ended.status == 0, ended.said
        return ended

    def start(self, machine: Path) -> subprocess.Popen[str]:
        """A process of its own, beside others."""
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", *self.words],
            cwd=machine,
            env=clean_environment() | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def bought(self) -> list[int]:
        """How many jobs the gateway made of each track."""
        made = Counter(job.piece.prompt for job in self._gateway.app.state.gateway.books.jobs)
        return [made[prompt] for prompt in self._prompts]

    def billed_usd(self, *machines: Path) -> float:
        """What their reports say they have paid."""
        reports = [json.loads((machine / "output" / "cost-report.json").read_text()) for machine in machines]
        return round(sum(report["to_date"]["billed_usd"] for report in reports), 6)

    def lines(self, machine: Path) -> list[dict[str, str]]:
        return list(csv.DictReader(StringIO((machine / "output" / "cost-report.csv").read_text())))


@pytest.fixture
def studio(tmp_path: Path, server: Server, bucket: str, request: pytest.FixtureRequest) -> Studio:
    """With a store in the bucket; its parameter: how many tracks, in place of two."""
    gateway, lives = request.getfixturevalue("gateway"), request.getfixturevalue("lives")
    return Studio(tmp_path, server, bucket, gateway=gateway, lives=lives, tracks=getattr(request, "param", _FEW))


def test_one_after_the_other_the_second_pays_nothing(studio: Studio) -> None:
    """Its assets are the first one's, byte for byte, and so is its lock."""
    first, second = studio.machine("first"), studio.machine("second")
    studio.run(first)
    ended = studio.run(second)
    assert studio.bought == [1, 1]
    assert studio.billed_usd(second) == 0
    assert "2 takes came from the team's store, where others have paid $0.0020." in ended.stderr
    for name in ("tune-00.wav", "tune-01.wav"):
        assert (first / "output" / name).read_bytes() == (second / "output" / name).read_bytes()
    assert (first / "demo.lock.json").read_bytes() == (second / "demo.lock.json").read_bytes()
    assert all("free" not in line["status"] and line["bought_usd"] == "0.001000" for line in studio.lines(second))


@pytest.mark.parametrize("studio", [60], indirect=True, ids=["60 tracks"])
def test_at_the_same_moment_each_take_is_bought_once(studio: Studio) -> None:
    """Sixty tracks, sixty jobs at the gateway's books, and both have all of them."""
    machines = [studio.machine("first"), studio.machine("second")]
    processes = [studio.start(machine) for machine in machines]
    said = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert studio.bought == [1] * 60
    assert studio.billed_usd(*machines) == 0.06
    assert all(len(list((machine / "output").glob("*.wav"))) == 60 for machine in machines)


KILLED: Final = [
    *((name, when, 1) for name in SHARED for when in ("before", "after")),
    *((name, when, 1) for name in ("intent", "POST", "id", "completion", "download", "source on the books")
      for when in ("before", "after")),
    ("claim", "after", 2), ("claim's job", "before", 2), ("share", "before", 2), ("closing", "after", 1),
]  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize("at", KILLED, ids=lambda at: f"{at[1]} {at[0]}" + (f" {at[2]}" if at[2] > 1 else ""))
def test_where_one_is_killed_the_other_goes_on(studio: Studio, at: At) -> None:
    """By the real signal, at each of these moments: each take is bought once, whoever pays for it.

    And the one that was killed finds it done when it comes back.
    """
    first, second = studio.machine("first"), studio.machine("second")
    assert studio.live(first, at=at).status == -signal.SIGKILL
    studio.run(second)
    assert studio.bought == [1, 1]
    studio.run(first)
    assert studio.bought == [1, 1]
    assert len(studio.server.paths(f"{studio.store.removeprefix('s3://studio/')}/takes/")) == 2


@pytest.mark.parametrize("studio", [12], indirect=True, ids=["12 tracks"])
def test_a_last_job_finds_what_the_shards_have_bought(studio: Studio) -> None:
    """Three machines of a matrix, each with its part; the last one pays nothing, though it has no budget at all."""
    shards = [studio.machine(f"shard-{number}") for number in (1, 2, 3)]
    for number, machine in enumerate(shards, 1):
        studio.run(machine, "--shard", f"{number}/3")
    assert studio.bought == [1] * 12
    last = studio.machine("last")
    studio.run(last, "--budget", "0")
    assert studio.bought == [1] * 12
    assert (studio.billed_usd(*shards), studio.billed_usd(last)) == (0.012, 0)
    assert len(list((last / "output").glob("*.wav"))) == 12
    assert len(json.loads((last / "output" / "assets.json").read_text())["assets"]) == 12


def test_a_source_that_was_corrupted_in_the_store_is_refused_and_said(studio: Studio) -> None:
    """Fetched, found to be something else, and nothing is made of it or bought instead."""
    first, second = studio.machine("first"), studio.machine("second")
    studio.run(first)
    path = studio.server.paths(f"{studio.store.removeprefix('s3://studio/')}/sources/")[0]
    client = studio.server.client()
    content = client.get_object(Bucket="studio", Key=path)["Body"].read()
    client.put_object(Bucket="studio", Key=path, Body=content[:-1] + bytes([content[-1] ^ 1]))
    ended = studio.live(second)
    assert ended.status == 1
    assert "is not what was paid for: nothing is made of it" in " ".join(ended.said.split())
    assert studio.bought == [1, 1]
    assert len(list((second / "output").glob("*.wav"))) == 1


def test_a_store_that_is_offline_stops_what_requires_it_and_nothing_else(studio: Studio) -> None:
    """Exit 5 and one sentence, or a notice."""
    first = studio.machine("first")
    nowhere = studio.environment | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    ended = studio._lives.live(first, *studio.words, **nowhere)
    assert (ended.status, studio.bought) == (5, [0, 0])
    assert f"{studio.store}: it can't be asked (no answer); it is required, so nothing is bought" in ended.stderr
    (first / "demo.yaml").write_text(studio._manifest.replace("required: true", "required: false"))
    ended = studio._lives.live(first, *studio.words, **nowhere)
    assert (ended.status, studio.bought) == (0, [1, 1])
    assert "the run goes on without it" in ended.stderr


def test_no_credential_is_written_anywhere(studio: Studio) -> None:
    """Neither the gateway's nor the store's: not in a log, the ledger, a report, a lock, the store, or what is said."""
    first = studio.machine("first")
    said = studio.run(first, "--verbose").said
    secrets = [SECRET.encode(), b"AKIANOTAREALONE", _KEY.encode()]
    files = [path for path in first.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"ledger.sqlite3", "log.jsonl", "report.html", "cost-report.json"}
    contents = {str(path): path.read_bytes() for path in files} | {"said": said.encode()}
    client = studio.server.client()
    for path in studio.server.paths(studio.store.removeprefix("s3://studio/")):
        contents[path] = client.get_object(Bucket="studio", Key=path)["Body"].read()
    assert [name for name, content in contents.items() if any(secret in content for secret in secrets)] == []


def test_credentials_come_from_a_profile_too(studio: Studio, tmp_path: Path) -> None:
    """As every program for AWS has it: AWS_PROFILE, and the shared credentials file."""
    first = studio.machine("first")
    (tmp_path / "credentials").write_text(
        f"[studio]\naws_access_key_id = AKIANOTAREALONE\naws_secret_access_key = {SECRET}\n"
    )
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    environment = {name: value for name, value in studio.environment.items() if name not in names}
    environment |= {"AWS_PROFILE": "studio", "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}
    ended = studio._lives.live(first, *studio.words, **environment)
    assert (ended.status, studio.bought) == (0, [1, 1]), ended.said
    environment["AWS_PROFILE"] = "nobody"
    ended = studio._lives.live(studio.machine("second"), *studio.words, **environment)
    assert ended.status == 5
    assert "the AWS profile 'nobody' gives no credentials" in ended.stderr


def test_a_folder_that_all_see_is_a_store_too(
    tmp_path: Path, server: Server, gateway: LocalGatewayThread, lives: Lives
) -> None:
    """Sixty tracks at the same moment, without any server."""
    studio = Studio(tmp_path, server, str(tmp_path / "team"), gateway=gateway, lives=lives, tracks=60)
    machines = [studio.machine("first"), studio.machine("second")]
    processes = [studio.start(machine) for machine in machines]
    said = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert studio.bought == [1] * 60


@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_store_that_never_answers_keeps_nobody_who_interrupts(studio: Studio, command: str) -> None:
    """Its requests would take half a minute each: no process waits for them at its end."""
    machine = studio.machine("first")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = studio.environment | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        with subprocess.Popen(
            [sys.executable, "-m", "pipeline", command, *studio.words[1:4]],
            cwd=machine, env=clean_environment() | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as process:  # fmt: skip
            silent.settimeout(60)
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGINT)
                began = time.monotonic()
                assert process.wait(25) == 130
                assert time.monotonic() - began < 15
    assert studio.bought == [0, 0]


def test_a_run_that_is_interrupted_while_the_store_is_silent_ends_soon(studio: Studio) -> None:
    """A verb that is given up is waited for neither by its task nor by the process."""
    program = """
import anyio
from pipeline.store.engine import ThreadedObjects, open_store
from pipeline.store_choice import StoreAccess

async def main():
    with anyio.move_on_after(0.5):
        await ThreadedObjects(open_store("s3://studio/team", StoreAccess(allow_http=True))).get("takes/a", 100)

anyio.run(main)
"""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = studio.environment | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        subprocess.run([sys.executable, "-c", program], env=clean_environment() | environment, timeout=20, check=True)
