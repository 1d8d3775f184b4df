"""The pick is the first take without a failed gate, and a take that is not fit costs nothing but itself."""

from __future__ import annotations

import io
import wave
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest
from worlds import MEDIA_URL, First, World, error, status

from pipeline.local_gateway.composition import CannedComposer, CompositionRequest
from pipeline.report.document import run_document
from pipeline.runner.picking import Picking
from pipeline.runner.results import TakeResult
from pipeline.runner.twins import Twins

if TYPE_CHECKING:
    from pipeline.runner.results import RunResult

pytestmark = pytest.mark.anyio

ONE = "  menu: {prompt: calm menu}\n"
TWO = "  menu: {prompt: calm menu, takes: 2}\n"
NOTHING_HEARD = "silent: nothing in it is above -60 LUFS"


def is_audio(request: httpx.Request) -> bool:
    return str(request.url).startswith(MEDIA_URL)


def silence(_: httpx.Request, frames: int = 16_000) -> httpx.Response:
    """Two seconds of it, or so many frames, whole and well-formed."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((1, 2, 8000, frames, "NONE", ""))
        file.writeframes(bytes(2 * frames))
    return httpx.Response(200, content=content.getvalue())


def takes_of(result: RunResult) -> list[str | None]:
    """What is wrong with each take of the only track."""
    (track,) = result.tracks
    return [take.error for take in track.takes]


async def run(world: World, tracks: str, **options: object) -> RunResult:
    """One job after the other, so that the first take comes first."""
    return await world.run(tracks, concurrency=1, **options)


async def test_a_take_that_fails_its_gate_is_not_the_pick(world: World) -> None:
    """The second take becomes the asset; the index and the results say what is wrong with the first."""
    world.network.after.append(First(is_audio, silence))
    result = await run(world, TWO)
    assert (result.exit, status(result), takes_of(result)) == (0, "generated", [NOTHING_HEARD, None])
    row = world.index["menu.wav"]
    assert (row["provenance"]["take"], row["provenance"]["takes"]) == (2, 2)
    told = {"code": "take_failed", "message": f"take 1 is not fit to be its pick: {NOTHING_HEARD}"}
    assert told in row["warnings"]
    assert not (world.state / "takes/game").exists()


async def test_a_pick_among_failed_takes_is_kept(world: World) -> None:
    """The next run has nothing to do, and another loudness is made of the same take."""
    world.network.after.append(First(is_audio, silence))
    await run(world, TWO)
    assert world.plan(TWO).nothing_to_do
    await run(world, TWO.replace("takes", "loudness: mobile, takes"))
    row = world.index["menu.wav"]
    assert (row["provenance"]["take"], row["lufs"], len(world.network.submits)) == (2, pytest.approx(-18, abs=0.2), 2)


async def test_a_take_beside_the_pick_fails_alone(world: World) -> None:
    """The first is the pick and stands in the index, whatever the second is like."""
    served = []

    def second(request: httpx.Request, _: httpx.Response) -> httpx.Response | None:
        served.extend([request] if is_audio(request) else [])
        return silence(request) if is_audio(request) and len(served) > 1 else None

    world.network.after.append(second)
    result = await run(world, TWO)
    assert (result.exit, status(result), takes_of(result)) == (0, "generated", [None, NOTHING_HEARD])
    row = world.index["menu.wav"]
    assert (row["provenance"]["take"], row["warnings"][-1]["code"]) == (1, "take_failed")
    assert world.plan(TWO).nothing_to_do


async def test_where_no_take_is_fit_the_track_fails_and_its_last_good_asset_stands(world: World) -> None:
    """The error names each take; what was paid for is kept, and looser gates take it without a cent."""
    await run(world, ONE)
    good = (world.output / "menu.wav").read_bytes()
    world.network.after.append(First(is_audio, silence, times=2))
    result = await run(world, TWO, regenerate=["menu"])
    assert (result.exit, status(result)) == (1, "failed")
    assert error(result) == f"take 1: {NOTHING_HEARD}; take 2: {NOTHING_HEARD}"
    assert takes_of(result) == [NOTHING_HEARD, NOTHING_HEARD]
    assert (world.output / "menu.wav").read_bytes() == good
    assert {job.source for job in world.jobs if job.source} == {
        path.stem for path in (world.state / "sources").glob("??/*")
    }
    paid = len(world.network.submits)
    result = await run(world, TWO.replace("takes", "gates: {silent: warn}, takes"))
    assert (result.exit, status(result), len(world.network.submits)) == (0, "finished", paid)


async def test_a_stricter_gate_moves_the_pick_to_a_take_that_passes(world: World) -> None:
    """What stood as the pick fails the new gate; another take takes its place, free."""
    world.network.after.append(First(is_audio, silence))
    await run(world, TWO.replace("takes", "gates: {silent: warn}, takes"))
    assert world.index["menu.wav"]["provenance"]["take"] == 1
    result = await run(world, TWO)
    assert (result.exit, world.index["menu.wav"]["provenance"]["take"]) == (0, 2)
    assert len(world.network.submits) == 2


class Same(CannedComposer):
    """Composes nothing new."""

    async def compose(self, request: CompositionRequest) -> bytes:
        return await super().compose(replace(request, variation=0))


class TestTwins:
    """Two takes that are nearly the same: one of them was money for nothing."""

    @pytest.fixture
    def twins(self, world: World) -> World:
        """A gateway that gives the same audio for every take."""
        world.composer = Same()
        world.restart_gateway()
        return world

    async def test_they_are_told_in_index_report_and_results(self, twins: World) -> None:
        """A warning that names both; the track is as good as ever."""
        result = await run(twins, TWO)
        told = {"code": "twin", "message": "takes 1 and 2 are nearly the same: they correlate by 1.00"}
        assert (result.exit, status(result), takes_of(result)) == (0, "generated", [None, None])
        assert told in twins.index["menu.wav"]["warnings"]
        assert {"path": "menu.wav", **told} in run_document(result)["tracks"][0]["warnings"]
        assert twins.report["twins"] == [{"manifest": "game", "track": "menu", "message": told["message"]}]
        assert f"- **menu**: {told['message']}." in (twins.output / "cost-report.md").read_text()

    async def test_they_are_not_compared_again_when_nothing_changed(self, twins: World) -> None:
        """The verdict stands in the index."""
        await run(twins, TWO)
        twins.finisher.compared.clear()
        assert (await run(twins, TWO)).counts["kept"] == 1
        assert twins.finisher.compared == []

    async def test_a_new_take_is_compared_with_those_before_it(self, twins: World) -> None:
        """The pick stays as it is, and its row names every pair."""
        await run(twins, ONE)
        assert twins.finisher.compared == []
        pick = twins.index["menu.wav"]["sha256"]
        await run(twins, ONE.replace("}", ", takes: 3}"))
        row = twins.index["menu.wav"]
        pairs = [warning["message"][:13] for warning in row["warnings"] if warning["code"] == "twin"]
        assert (row["sha256"], pairs) == (pick, ["takes 1 and 2", "takes 1 and 3", "takes 2 and 3"])

    async def test_a_gate_that_fails_fails_the_later_take(self, twins: World) -> None:
        """It is not laid beside the pick, which stands."""
        result = await run(twins, TWO.replace("takes", "gates: {twin: fail}, takes"))
        sentence = "twin: takes 1 and 2 are nearly the same: they correlate by 1.00"
        assert (result.exit, status(result), takes_of(result)) == (0, "generated", [None, sentence])
        assert not (twins.state / "takes/game").exists()
        assert [take["error"] for take in twins.report["takes"]] == [None, sentence]

    async def test_it_is_never_the_pick_that_fails(self, twins: World) -> None:
        """Where the second take is the pick, the first one is its twin."""
        await run(twins, ONE.replace("}", ", takes: 2}"))
        plan = twins.plan(TWO.replace("takes", "gates: {twin: fail}, takes")).manifests[0].tracks[0]
        twins_found = (Twins(1, 2, 0.99),)
        picking = Picking(plan, [TakeResult(take, take.job) for take in plan.takes], twins_found)
        picking.fail_twins(pick=2)
        assert [take.failed_gate for take in picking.takes] == [True, False]

    async def test_a_gate_that_is_off_compares_nothing(self, twins: World) -> None:
        """No time is spent on it."""
        await run(twins, TWO.replace("takes", "gates: {twin: 'off'}, takes"))
        assert twins.finisher.compared == []
        assert "twin" not in {warning["code"] for warning in twins.index["menu.wav"]["warnings"]}
