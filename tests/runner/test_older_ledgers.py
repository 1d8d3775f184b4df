"""A ledger that version 1 wrote, in today's hands: planned from, reported from, and continued without buying twice."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import httpx
import numpy as np
import pytest
import soundfile
from worlds import MEDIA_URL, World, is_media, is_poll, status

from pipeline.jobs import State
from pipeline.reporting import rewrite_reports
from pipeline.workspace import Workspace

pytestmark = pytest.mark.anyio

FROZEN = Path(__file__).parents[1] / "ledger" / "version-1.sql"
#: What that run was given. `battle` was granted a second generation; `refused` was not taken, `lost` got no answer.
TRACKS = """\
  menu: {prompt: calm menu, takes: 2}
  battle: {prompt: a battle}
  refused: {prompt: not taken}
  lost: {prompt: no answer}
  late: {prompt: a long piece}
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world whose ledger is the frozen one, and whose gateway still has the jobs in it."""
    made = World(tmp_path)
    made.state.mkdir()
    with closing(sqlite3.connect(made.state / "ledger.sqlite3")) as ledger:
        ledger.executescript(FROZEN.read_text())
        known = {row[0] for row in ledger.execute("SELECT job_id FROM jobs WHERE job_id IS NOT NULL")}
    made.network.before += [lambda request: its_job(request, known), its_audio]
    return made


def its_job(request: httpx.Request, known: set[str]) -> httpx.Response | None:
    job_id = request.url.path.rpartition("/")[2]
    if not is_poll(request) or job_id not in known:
        return None
    result = {"url": f"{MEDIA_URL}/frozen/{job_id}.wav", "duration": 2}
    job = {"id": job_id, "status": "completed", "usage": {"cost_cents": 0.2}, "result": result}
    return httpx.Response(200, json=job)


def its_audio(request: httpx.Request) -> httpx.Response | None:
    if not is_media(request) or not request.url.path.startswith("/frozen/"):
        return None
    file = io.BytesIO()
    noise = np.random.default_rng(len(request.url.path)).normal(0, 0.1, (2 * 44_100, 2))
    soundfile.write(file, noise, 44_100, format="WAV")
    return httpx.Response(200, content=file.getvalue(), headers={"content-type": "audio/wav"})


async def test_todays_plan_is_made_from_it(world: World) -> None:
    """What it has bound, what is granted, and what there is to do are read from it; nothing is sent."""
    await anyio.sleep(60)
    plan = world.plan(TRACKS, regenerate=["battle"])
    assert plan.committed == {"game": 3 * 2_000 + 2 * 2_000}  # three sendings of one that got no answer, two accepted
    assert plan.estimate_microusd > 0
    assert world.network.requests == []


async def test_todays_report_is_made_from_it(world: World) -> None:
    """Every amount that was billed to date."""
    manifest = world.plan(TRACKS).manifests[0].manifest
    rewrite_reports(Workspace(world.output, world.state), [manifest], world.clock.now())
    assert world.report["to_date"]["billed_usd"] == pytest.approx(0.006)
    assert world.report["to_date"]["possible_duplicate_usd"] == pytest.approx(0.006)


async def test_todays_run_goes_on_with_it(world: World) -> None:
    """What has an id is polled, what got no answer is asked for under its own key, what was granted is not again."""
    await anyio.sleep(60)
    with closing(sqlite3.connect(world.state / "ledger.sqlite3")) as ledger:
        body, key, request_id = ledger.execute(
            "SELECT body, idempotency_key, request_id FROM jobs WHERE track = 'lost'"
        ).fetchone()
    result = await world.run(TRACKS, regenerate=["battle"])
    assert result.exit == 0, [track.error for track in result.tracks]
    sent = {request.headers["idempotency-key"]: request for request in world.network.submits}
    assert len(sent) == len(world.network.submits) == 2  # `refused` and `lost`
    assert sent[key].content == body
    assert sent[key].headers["x-request-id"] == request_id
    assert {name: status(result, name) for name in ("menu", "battle", "refused", "lost", "late")} == dict.fromkeys(
        ("menu", "battle", "refused", "lost", "late"), "generated"
    )
    assert all(job.state in (State.COLLECTED, State.REFUSED) for job in world.jobs)
    assert (await world.run(TRACKS)).counts["kept"] == 5
    assert len(world.network.submits) == 2
