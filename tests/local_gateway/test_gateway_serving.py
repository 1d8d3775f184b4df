"""The local gateway on real sockets."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import anyio.to_process
import httpx
import pytest

from pipeline.local_gateway.composition import CannedComposer, CompositionFailed, CompositionRequest
from pipeline.local_gateway.faults.reading import FaultMistake, read_faults
from pipeline.local_gateway.options import GatewayOptions
from pipeline.local_gateway.processes import ProcessComposer
from pipeline.local_gateway.serving import GatewayNotStarted, LocalGatewayThread, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEY = {"Authorization": "Bearer sk-aig-test"}
MUSIC = {"model": "sony-ai/mmaudio-v2-text-to-audio", "prompt": "a tune", "duration": 2, "format": "wav"}
AT_ONCE = GatewayOptions(latency_s=0.0, rpm=None, min_poll_interval_s=0.0)


class WatchedComposer(CannedComposer):
    """Composes at once, and tells those who wait for it."""

    def __init__(self) -> None:
        super().__init__(1000)
        self.begun = threading.Event()

    async def compose(self, request: CompositionRequest) -> bytes:
        self.begun.set()
        return await super().compose(request)


@pytest.fixture(scope="module")
def gateway() -> Iterator[LocalGatewayThread]:
    with LocalGatewayThread(AT_ONCE, composer=CannedComposer(1000)) as running:
        yield running


@pytest.fixture
def client(gateway: LocalGatewayThread) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway.base_url, headers=KEY) as one:
        yield one
        one.delete("/__faults")


def completed(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    """A job that has completed: a cached one is at once, and the first is asked for until it is."""
    job = client.post("/v1/audio/music", json=MUSIC | fields).json()
    while job["status"] != "completed":
        job = client.get(f"/v1/jobs/{job['id']}").json()
    return job


def test_a_job_goes_from_submit_to_audio(gateway: LocalGatewayThread, client: httpx.Client) -> None:
    """Over two origins, on loopback, without the key for the audio."""
    job = completed(client)
    audio = httpx.get(job["result"]["url"])
    assert job["result"]["url"].startswith(f"{gateway.media_base_url}/music/")
    assert (audio.status_code, audio.content[:4]) == (200, b"RIFF")
    assert int(audio.headers["content-length"]) == len(audio.content)


def test_each_port_has_its_own_paths(gateway: LocalGatewayThread, client: httpx.Client) -> None:
    """Whatever the Host header says."""
    job = completed(client)
    path = job["result"]["url"].removeprefix(gateway.media_base_url)
    media = gateway.media_base_url.removeprefix("http://")
    assert client.get(path).status_code == 404
    assert client.get(path, headers={"Host": media}).status_code == 404
    assert httpx.get(f"{gateway.media_base_url}/v1/balance", headers=KEY).status_code == 404
    assert httpx.get(f"{gateway.media_base_url}{path}", headers={"Host": "localhost"}).status_code == 200


def test_answers_have_one_date_and_no_server(client: httpx.Client) -> None:
    """The app's clock says when it is, and nobody else."""
    headers = client.get("/v1/balance").headers
    assert len(headers.get_list("date")) == 1
    assert "server" not in headers


def test_a_304_leaves_the_connection_whole() -> None:
    """The next answer on it is read as its own."""
    with LocalGatewayThread(GatewayOptions(rpm=None), composer=CannedComposer()) as gateway:
        connection = http.client.HTTPConnection(gateway.base_url.removeprefix("http://"))
        connection.request("GET", "/v1/balance", headers=KEY)
        connection.getresponse().read()
        with httpx.Client(base_url=gateway.base_url, headers=KEY) as client:
            job_id = client.post("/v1/audio/music", json=MUSIC).json()["id"]
        statuses = []
        for _ in range(3):
            connection.request("GET", f"/v1/jobs/{job_id}", headers=KEY)
            answer = connection.getresponse()
            statuses.append((answer.status, bool(answer.read())))
        connection.close()
    assert statuses == [(200, True), (304, False), (304, False)]


class TestFaultsOnSockets:
    """What tests in one process can't show."""

    @pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
    def test_a_lost_reply_closes_the_connection(self, client: httpx.Client, when: str, made: int) -> None:
        """Without a byte; whoever asks next is served."""
        before = len(client.get("/__books").json()["jobs"])
        client.put("/__faults", content=f"faults: [{{endpoint: submit, lose: {when}}}]")
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            client.post("/v1/audio/music", json=MUSIC | {"prompt": f"lost {when}"})
        client.delete("/__faults")
        assert len(client.get("/__books").json()["jobs"]) == before + made

    def test_a_truncated_body_breaks_off(self, client: httpx.Client) -> None:
        """What was sent arrives, and the client knows that it is not all."""
        job = completed(client)
        client.put("/__faults", content="faults: [{endpoint: media, truncate: 0.5}]")
        with httpx.stream("GET", job["result"]["url"]) as answer:
            received = 0
            with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
                for chunk in answer.iter_bytes():
                    received += len(chunk)
            assert received == int(answer.headers["content-length"]) // 2

    def test_an_undeclared_body_is_chunked(self, client: httpx.Client) -> None:
        """And ends as if it were whole."""
        job = completed(client)
        client.put("/__faults", content="faults: [{endpoint: media, oversize: {size: 300000, declared: false}}]")
        answer = httpx.get(job["result"]["url"])
        assert answer.headers["transfer-encoding"] == "chunked"
        assert len(answer.content) == 300_000

    def test_a_head_is_never_followed_by_a_body(self, client: httpx.Client) -> None:
        """Even when its body would be spoilt."""
        job = completed(client)
        client.put("/__faults", content="faults: [{endpoint: media, oversize: 300000}]")
        assert httpx.head(job["result"]["url"]).headers["content-length"] == "300000"


class TestStartAndStop:
    """From `with` to its end."""

    def test_it_ends_with_answers_outstanding(self, capfd: pytest.CaptureFixture[str]) -> None:
        """Whoever waits is hung up on, nothing is printed, and the port is free again."""
        options = GatewayOptions(rpm=None)
        lost: list[Exception] = []

        def ask(url: str) -> None:
            try:
                httpx.post(url, json=MUSIC, headers=KEY, timeout=60)
            except httpx.HTTPError as error:
                lost.append(error)

        composer = WatchedComposer()
        with LocalGatewayThread(
            options, composer=composer, faults=read_faults("faults: [{delay_answer: 300}]", "faults")
        ) as gateway:
            asking = threading.Thread(target=ask, args=(f"{gateway.base_url}/v1/audio/music",))
            asking.start()
            assert composer.begun.wait(10)  # the job is made, and its answer held back
        asking.join(10)
        assert [type(error) for error in lost] == [httpx.RemoteProtocolError]
        assert capfd.readouterr() == ("", "")
        port = int(gateway.base_url.rsplit(":", 1)[1])
        with LocalGatewayThread(options, port=port, composer=CannedComposer()) as again:
            assert again.base_url == gateway.base_url

    def test_a_port_that_is_taken_is_one_sentence(self) -> None:
        """And what was bound before it is free again."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            for ports in ({"port": port}, {"media_port": port}):
                with pytest.raises(
                    GatewayNotStarted, match=rf"can't listen on 127.0.0.1:{port}: Address already in use"
                ):
                    LocalGatewayThread(GatewayOptions(), **ports).__enter__()

    def test_a_state_folder_that_is_none_is_one_sentence(self, tmp_path: Path) -> None:
        """With the folder's name in it."""
        (tmp_path / "file").write_text("")
        with pytest.raises(GatewayNotStarted, match=r"can't keep its jobs in .*file: "):
            LocalGatewayThread(GatewayOptions(), tmp_path / "file").__enter__()

    def test_a_defect_at_the_start_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Rather than waited for for ever."""
        monkeypatch.setattr("pipeline.local_gateway.server.GatewayServer.serve", None)
        with pytest.raises(GatewayNotStarted, match="did not start: "):
            LocalGatewayThread(GatewayOptions()).__enter__()

    def test_jobs_outlive_it_in_its_state_folder(self, tmp_path: Path) -> None:
        """The next one knows them, under another port."""
        audio = []
        with LocalGatewayThread(AT_ONCE, tmp_path, composer=CannedComposer()) as first:
            with httpx.Client(base_url=first.base_url, headers=KEY) as client:
                job = completed(client)
            audio.append(httpx.get(job["result"]["url"]).content)
        with (
            LocalGatewayThread(AT_ONCE, tmp_path, composer=CannedComposer()) as second,
            httpx.Client(base_url=second.base_url, headers=KEY) as client,
        ):
            job = client.get(f"/v1/jobs/{job['id']}").json()
            audio.append(httpx.get(job["result"]["url"]).content)
        assert job["result"]["url"].startswith(second.media_base_url)
        assert audio[0] == audio[1]


class TestServe:
    """`pipeline serve`, as the command calls it."""

    def test_it_says_where_it_listens_and_how_to_use_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Until it is interrupted."""

        def interrupted(gateway: LocalGatewayThread) -> None:
            assert httpx.get(f"{gateway.base_url}/v1/balance", headers=KEY).status_code == 200
            raise KeyboardInterrupt

        monkeypatch.setattr(LocalGatewayThread, "wait", interrupted)
        said: list[str] = []
        serve("127.0.0.1", 0, None, AT_ONCE, None, said.append)
        address = said[0].split()[5].rstrip(",")
        assert address.startswith("http://127.0.0.1:")
        assert f"--gateway local={address} " in said[1]

    def test_a_faults_file_that_makes_no_sense_starts_nothing(self, tmp_path: Path) -> None:
        """And is named with its mistake."""
        (tmp_path / "faults.yaml").write_text("faults: [{nth: x}]")
        with pytest.raises(FaultMistake, match=r"faults.yaml: faults\[0\].nth: expected"):
            serve("127.0.0.1", 0, None, AT_ONCE, None, print, faults=tmp_path / "faults.yaml")


class ProbingComposer:
    """Runs a probe in the kind of worker that composes, and keeps what it found."""

    def __init__(self, probe: Callable[[], object]) -> None:
        self.probe = probe
        self.found: object = None
        self.done = threading.Event()

    async def compose(self, request: CompositionRequest) -> bytes:
        self.found = await anyio.to_process.run_sync(self.probe)
        self.done.set()
        return b""


def blocked_signals() -> set[int]:
    return {int(one) for one in signal.pthread_sigmask(signal.SIG_BLOCK, set())}


def die(*_: object) -> None:
    os._exit(1)


class TestWorkers:
    """Composing in processes."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    def test_workers_are_born_with_interrupts_blocked(self) -> None:
        """A Ctrl-C on the terminal reaches the whole group; only the run's own process decides what it means."""
        composer = ProbingComposer(blocked_signals)
        with LocalGatewayThread(AT_ONCE, composer=composer) as gateway:
            httpx.post(f"{gateway.base_url}/v1/audio/music", json=MUSIC, headers=KEY)
            assert composer.done.wait(30)
        assert int(signal.SIGINT) in composer.found
        assert int(signal.SIGTERM) not in composer.found

    @pytest.mark.anyio
    async def test_the_house_composer_makes_what_was_asked_for(self) -> None:
        """As long as asked, and the same each time."""
        composer = ProcessComposer(1)
        request = CompositionRequest("any/model", "calm piano", "", 1.0, "wav")
        first, second = await composer.compose(request), await composer.compose(request)
        assert first[:4] == b"RIFF"
        assert len(first) == 44 + 44_100 * 4
        assert first == second

    @pytest.mark.anyio
    async def test_a_composer_that_gives_up_is_a_failed_composition(self) -> None:
        """With its own words, over the process's border."""
        request = CompositionRequest("any/model", "x", "", 1.0, "ogg")
        with pytest.raises(CompositionFailed, match=r"the composer gave up: .*ogg"):
            await ProcessComposer(1).compose(request)

    @pytest.mark.anyio
    async def test_a_worker_that_dies_is_a_failed_composition(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """And the next piece gets a new one."""
        composer = ProcessComposer(1)
        request = CompositionRequest("any/model", "x", "", 1.0, "wav")
        with monkeypatch.context() as patched:
            patched.setattr("pipeline.local_gateway.processes._compose", die)
            with pytest.raises(CompositionFailed, match="died"):
                await composer.compose(request)
        assert (await composer.compose(request))[:4] == b"RIFF"


def test_the_room_costs_nothing_to_import() -> None:
    """Options and compositions bring no server, no framework and no numpy."""
    heavy = "numpy starlette uvicorn anyio yaml"
    modules = "pipeline.local_gateway.options, pipeline.local_gateway.composition"
    program = f"import sys, {modules}; print([name for name in {heavy.split()!r} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
