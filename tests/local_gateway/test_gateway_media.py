"""Audio: where it lies, for how long, and who may have it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
import soundfile

from pipeline.local_gateway.composition import CannedComposer, CompositionFailed, CompositionRequest

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

MEDIA = "http://media.gateway.local"
DAY_S = 86_400
NO_KEY = {"Authorization": ""}


def file_url(job: dict[str, Any], origin: str = "") -> str:
    """The address that wants the key."""
    return f"{origin}/v1/files/jobs/{job['id']}/{job['id']}.wav"


async def test_a_signed_address_needs_no_key(bench: Any) -> None:
    """The file, whole, with its length and its type."""
    job = await bench.completed(duration=3)
    response = await bench.http.get(job["result"]["url"], headers=NO_KEY)
    assert response.status_code == 200
    assert response.headers["content-type"] == "audio/wav"
    assert int(response.headers["content-length"]) == len(response.content)
    with soundfile.SoundFile(io.BytesIO(response.content)) as sound:
        assert sound.frames / sound.samplerate == 3


async def test_mp3_is_mp3(bench: Any) -> None:
    """The format asked for, under its own content type and extension."""
    job = await bench.completed(format="mp3", duration=3)
    response = await bench.http.get(job["result"]["url"])
    assert response.headers["content-type"] == "audio/mpeg"
    assert ".mp3?" in job["result"]["url"]
    with soundfile.SoundFile(io.BytesIO(response.content)) as sound:
        assert sound.format == "MP3"
        assert sound.frames / sound.samplerate == pytest.approx(3, abs=0.2)


async def test_a_signed_address_expires_and_a_poll_gives_a_fresh_one(bench: Any) -> None:
    """After 24 hours: 403; the job still knows where its audio is."""
    job = await bench.completed()
    await anyio.sleep(DAY_S - 1)
    assert (await bench.http.get(job["result"]["url"])).status_code == 200
    await anyio.sleep(1)
    assert (await bench.http.get(job["result"]["url"])).status_code == 403
    fresh = (await bench.poll(job["id"])).json()["result"]["url"]
    assert (await bench.http.get(fresh)).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.split("?")[0],
        lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
        lambda url: url.replace("expires=1", "expires=2"),
        lambda url: url.replace("expires=1", "expires=x"),
        lambda url: url.replace("signature=", "signature=%C3%A4"),
        lambda url: url.replace("expires=", "expires=" + "9" * 5000),
    ],
    ids=["no query", "another signature", "a later expiry", "no number", "no hexadecimal", "a number without end"],
)
async def test_an_address_that_was_not_signed_opens_nothing(bench: Any, change: Callable[[str], str]) -> None:
    """403, whatever was tampered with."""
    job = await bench.completed()
    assert (await bench.http.get(change(job["result"]["url"]))).status_code == 403


@pytest.mark.parametrize("gone_status", [404, 410])
async def test_a_file_is_kept_for_seven_days_and_then_gone(make_bench: Callable[..., Any], gone_status: Any) -> None:
    """By every address: 404, or 410 where that is asked for. The job itself is still known."""
    bench = make_bench(forms=_forms(gone_status=gone_status))
    job = await bench.completed()
    await anyio.sleep(7 * DAY_S)
    fresh = (await bench.poll(job["id"])).json()
    answers = [
        await bench.http.get(fresh["result"]["url"]),
        await bench.http.get(file_url(job)),
        await bench.http.get(f"{file_url(job)}/signed"),
    ]
    assert [answer.status_code for answer in answers] == [gone_status] * 3


def _forms(**forms: Any) -> Any:
    from pipeline.local_gateway.options import AnswerForms

    return AnswerForms(**forms)


@pytest.mark.parametrize("origin", ["", MEDIA])
async def test_both_origins_serve_the_file_to_the_key_only(bench: Any, origin: str) -> None:
    """With the key 200, without it 401."""
    job = await bench.completed()
    assert (await bench.http.get(file_url(job, origin))).status_code == 200
    assert (await bench.http.get(file_url(job, origin), headers=NO_KEY)).status_code == 401


async def test_a_result_may_name_the_address_that_wants_the_key(make_bench: Callable[..., Any]) -> None:
    """As the official client has it; `.../signed` on the API's origin gives one that does not."""
    bench = make_bench(forms=_forms(address="file"))
    job = await bench.completed()
    assert job["result"]["url"] == file_url(job, MEDIA)
    signed = (await bench.http.get(f"{file_url(job)}/signed")).json()
    assert (await bench.http.get(signed["url"], headers=NO_KEY)).status_code == 200


@pytest.mark.parametrize(("asked", "status"), [("60", 200), ("604800", 200), ("59", 400), ("604801", 400), ("x", 400)])
async def test_a_signed_address_can_be_asked_for_a_minute_to_a_week(
    make_bench: Callable[..., Any], asked: str, status: int
) -> None:
    """`expires_in` from 60 to 604,800 seconds, and it opens for so long."""
    bench = make_bench(latency_s=0.0)
    job = await bench.completed()
    response = await bench.http.get(f"{file_url(job)}/signed", params={"expires_in": asked})
    assert response.status_code == status
    if status == 200:
        await anyio.sleep(int(asked) - 10)
        assert (await bench.http.get(response.json()["url"])).status_code == 200


@pytest.mark.parametrize("name", ["{id}.mp3", "other.wav", "x{id}.wav"])
async def test_a_job_has_one_file(bench: Any, name: str) -> None:
    """Every other name is 404."""
    job = await bench.completed()
    assert (await bench.http.get(f"/v1/files/jobs/{job['id']}/{name.format(id=job['id'])}")).status_code == 404


async def test_a_job_that_is_not_done_has_no_file(bench: Any) -> None:
    """404 until it has completed."""
    job = (await bench.submit()).json()
    assert (await bench.http.get(file_url(job))).status_code == 404


@pytest.mark.parametrize(
    ("origin", "path"),
    [(MEDIA, "/v1/jobs/job_x"), (MEDIA, "/v1/balance"), (MEDIA, "/v1/models"), ("", "/music/job_x.wav")],
)
async def test_each_origin_has_its_own_paths(bench: Any, origin: str, path: str) -> None:
    """The API is not on the media origin, nor signed audio on the API's."""
    response = await bench.http.get(origin + path)
    assert (response.status_code, response.json()["error"]["message"]) == (404, f"there is nothing at {path}")


class TestHeadAndRange:
    """A part of a file, or what it would be."""

    async def test_head_tells_the_length_without_the_file(self, bench: Any) -> None:
        """And is no download in the books."""
        job = await bench.completed()
        head = await bench.http.head(job["result"]["url"])
        whole = await bench.http.get(job["result"]["url"])
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == whole.headers["content-length"]
        assert bench.books.jobs[0].downloads == 1

    @pytest.mark.parametrize(
        ("wanted", "part"),
        [
            ("bytes=0-99", slice(0, 100)),
            ("bytes=100-", slice(100, None)),
            ("bytes=-50", slice(-50, None)),
            ("bytes=4000-999999", slice(4000, None)),
        ],
    )
    async def test_one_range_is_served(self, bench: Any, wanted: str, part: slice) -> None:
        """206, with where it lies."""
        job = await bench.completed()
        whole = (await bench.http.get(job["result"]["url"])).content
        response = await bench.http.get(job["result"]["url"], headers={"Range": wanted})
        assert (response.status_code, response.content) == (206, whole[part])
        assert response.headers["content-range"].endswith(f"/{len(whole)}")

    @pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "bytes=9-3", "bytes=-", "lines=1-2", "bytes=\u0661-2"])
    async def test_what_is_no_single_range_gives_the_whole(self, bench: Any, wanted: str) -> None:
        """200, as a server may."""
        job = await bench.completed()
        response = await bench.http.get(job["result"]["url"], headers=[(b"Range", wanted.encode())])
        assert response.status_code == 200

    @pytest.mark.parametrize("wanted", ["bytes=9999999-", "bytes=-0"])
    async def test_a_range_beyond_the_end_is_refused(self, bench: Any, wanted: str) -> None:
        """416."""
        job = await bench.completed()
        response = await bench.http.get(job["result"]["url"], headers={"Range": wanted})
        assert response.status_code == 416


class CountingComposer:
    """Composes when it is let, counts how often, and can fail."""

    def __init__(self, seconds: float = 0.0, fails: int = 0) -> None:
        self.seconds = seconds
        self.fails = fails
        self.composed: list[CompositionRequest] = []

    async def compose(self, request: CompositionRequest) -> bytes:
        self.composed.append(request)
        await anyio.sleep(self.seconds)
        if len(self.composed) <= self.fails:
            raise CompositionFailed("the composer is out of ideas")
        return await CannedComposer(1000).compose(request)


class TestComposing:
    """Music is made once, as long as there is room to keep it."""

    async def test_two_downloads_are_one_composing(self, make_bench: Callable[..., Any]) -> None:
        """Even at the same time."""
        composer = CountingComposer(seconds=5)
        bench = make_bench(composer=composer)
        job = await bench.completed()
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(bench.http.get, job["result"]["url"])
        assert len(composer.composed) == 1

    async def test_a_composer_that_fails_is_a_502_and_is_asked_again(self, make_bench: Callable[..., Any]) -> None:
        """The next download may have more luck."""
        bench = make_bench(composer=CountingComposer(fails=1))
        job = await bench.completed()
        answers = [await bench.http.get(job["result"]["url"]) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [502, 200]

    async def test_at_work_a_job_takes_its_time_and_its_composing(self, make_bench: Callable[..., Any]) -> None:
        """It completes when both are over, and is not composed again for its download."""
        composer = CountingComposer(seconds=25)
        bench = make_bench(composer=composer)
        async with bench.app.at_work():
            job_id = await bench.job()
            await anyio.sleep(20)
            assert (await bench.poll(job_id)).json()["status"] == "running"
            await anyio.sleep(6)
            job = (await bench.poll(job_id)).json()
            assert job["status"] == "completed"
            assert isinstance(await bench.http.get(job["result"]["url"]), httpx.Response)
        assert bench.books.jobs[0].ended_at - bench.books.jobs[0].created_at == pytest.approx(25)
        assert len(composer.composed) == 1

    async def test_at_work_a_failed_composing_fails_the_job(self, make_bench: Callable[..., Any]) -> None:
        """With its reason, and without a charge."""
        bench = make_bench(composer=CountingComposer(fails=9))
        async with bench.app.at_work():
            job = await bench.completed()
        assert job["status"] == "failed"
        assert job["error"] == {"code": "composition_failed", "message": "the composer is out of ideas"}
        assert bench.books.charged_microusd == 0
