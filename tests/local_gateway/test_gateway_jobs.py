"""A job's life, from submit to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


async def test_a_submit_is_answered_with_a_queued_job(bench: Any) -> None:
    """202, the job's id, its model, and when it was made by the gateway's clock."""
    response = await bench.submit()
    job = response.json()
    assert response.status_code == 202
    assert (job["status"], job["model"]) == ("queued", "sony-ai/mmaudio-v2-text-to-audio")
    assert job["created"] == int(bench.clock.now())


async def test_a_job_is_queued_then_running_then_completed(bench: Any) -> None:
    """On the clock: a tenth of its time in the queue, and done when its time is over."""
    job_id = await bench.job()
    statuses = []
    for wait_s in (0, 5, 5):
        await anyio.sleep(wait_s)
        statuses.append((await bench.poll(job_id)).json()["status"])
    assert statuses == ["queued", "running", "completed"]
    assert bench.books.jobs[0].ended_at == pytest.approx(bench.books.jobs[0].created_at + 10)


async def test_a_completed_job_names_its_audio_its_length_and_its_cost(bench: Any) -> None:
    """The address is on the media origin; two seconds at $0.0010 are 0.2 cents."""
    job = await bench.completed(duration=2)
    assert job["result"]["url"].startswith("http://media.gateway.local/music/")
    assert job["result"]["duration"] == 2
    assert job["usage"] == {"cost_cents": 0.2}


async def test_the_first_poll_may_come_at_once_and_a_fast_second_gets_304(bench: Any) -> None:
    """304 has no body, and the books count it as early."""
    job_id = await bench.job()
    answers = [await bench.poll(job_id), await bench.poll(job_id)]
    assert [answer.status_code for answer in answers] == [200, 304]
    assert answers[1].content == b""
    assert bench.books.early_polls == 1


async def test_a_poll_is_measured_from_the_poll_before_even_from_one_that_got_304(bench: Any) -> None:
    """Who asks every two seconds never hears anything after the first answer."""
    job_id = await bench.job()
    statuses = []
    for _ in range(4):
        statuses.append((await bench.poll(job_id)).status_code)
        await anyio.sleep(2)
    await anyio.sleep(1)
    statuses.append((await bench.poll(job_id)).status_code)
    assert statuses == [200, 304, 304, 304, 200]


async def test_a_job_that_nobody_made_is_not_found(bench: Any) -> None:
    """404 in the gateway's error form."""
    response = await bench.poll("job_unknown")
    assert response.status_code == 404
    assert response.json()["error"]["type"] == "not_found"


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/v1/jobs/{}"), ("POST", "/v1/jobs/{}/cancel")])
async def test_a_job_can_be_cancelled_in_either_form(bench: Any, method: str, path: str) -> None:
    """It stays cancelled, costs nothing, and cancelling it again changes nothing."""
    job_id = await bench.job()
    first = await bench.http.request(method, path.format(job_id))
    again = await bench.http.request(method, path.format(job_id))
    await anyio.sleep(20)
    assert [first.json()["status"], again.json()["status"]] == ["cancelled", "cancelled"]
    assert (await bench.poll(job_id)).json()["status"] == "cancelled"
    assert bench.books.charged_microusd == 0


async def test_a_completed_job_can_not_be_cancelled(bench: Any) -> None:
    """It is paid for: 400."""
    job = await bench.completed()
    response = await bench.http.delete(f"/v1/jobs/{job['id']}")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "job_not_cancellable")


async def test_the_same_requests_take_the_same_time_in_any_order(make_bench: Callable[..., Any]) -> None:
    """The spread is drawn from seed and request: another seed, other times."""

    async def times(prompts: list[str], seed: int) -> dict[str, float]:
        bench = make_bench(sigma=0.5, seed=seed)
        for prompt in prompts:
            await bench.job(prompt)
        await anyio.sleep(1000)
        return {job.piece.prompt: round(job.ended_at - job.created_at, 4) for job in bench.books.jobs}

    forwards = await times(["a", "b", "c"], 1)
    assert forwards == await times(["c", "b", "a"], 1)
    assert forwards != await times(["a", "b", "c"], 2)
    assert len(set(forwards.values())) == 3


async def test_latencies_have_the_mean_that_was_asked_for(make_bench: Callable[..., Any]) -> None:
    """30 s on average over a thousand jobs, whatever the spread."""
    bench = make_bench(latency_s=30.0, sigma=0.25)
    for number in range(1000):
        await bench.job(f"tune {number}")
    await anyio.sleep(1000)
    taken = [job.ended_at - job.created_at for job in bench.books.jobs]
    assert sum(taken) / len(taken) == pytest.approx(30, rel=0.03)


async def test_times_can_be_told_job_by_job(make_bench: Callable[..., Any]) -> None:
    """By a function of what is asked for, in place of the spread."""
    bench = make_bench(sigma=1.0, latency=lambda piece: float(piece.prompt.split()[1]))
    for number in (7, 3):
        await bench.job(f"tune {number}")
    await anyio.sleep(10)
    assert [job.ended_at - job.created_at for job in bench.books.jobs] == [7, 3]


async def test_the_books_know_the_most_jobs_that_were_ever_in_flight(bench: Any) -> None:
    """Counted as each job ended, not as somebody asked."""
    for _ in range(3):
        await bench.job("first")
    await anyio.sleep(15)
    await bench.job("second")
    assert (bench.books.in_flight, bench.books.most_in_flight) == (1, 3)


async def test_nothing_limits_how_many_jobs_run_at_once(bench: Any) -> None:
    """Fifty jobs submitted together are done together."""
    ids = [await bench.job(f"tune {number}") for number in range(50)]
    await anyio.sleep(10)
    assert {(await bench.poll(job_id)).json()["status"] for job_id in ids} == {"completed"}
