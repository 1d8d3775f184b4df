"""What a run leaves alone, and what survives renames, kills and odd folders."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from worlds import HEAD, First, World, error, is_poll, is_submit, lost, status

from pipeline.audio.tasks import step_name
from pipeline.entry import run
from pipeline.gateway_choice import GatewayChoice
from pipeline.jobs import State
from pipeline.manifest import ManifestMistakes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.anyio

ONE = "  menu: {prompt: calm menu}\n"
RENAMED = HEAD.replace("name: game", "name: sequel")


async def test_a_path_of_another_manifest_is_a_mistake(world: World) -> None:
    """By the index of the output folder: neither its asset nor its row is replaced, and nothing is sent."""
    await world.run(ONE)
    before = (world.output / "menu.wav").read_bytes()
    for kind in ("real", "local"):
        with pytest.raises(ManifestMistakes, match="belongs to manifest 'game'"):
            await world.run("  menu: {prompt: other}\n", head=RENAMED, kind=kind)
    assert (world.output / "menu.wav").read_bytes() == before
    assert len(world.network.submits) == 1


async def test_a_manifest_that_was_renamed_keeps_what_it_bought(world: World) -> None:
    """Even without its ledger."""
    await world.run(ONE)
    world.state.rename(world.folder / "lost")
    result = await world.run(ONE, head=RENAMED)
    assert (result.exit, result.counts["kept"], len(world.network.submits)) == (0, 1, 1)
    assert [row["manifest"] for row in world.index.values()] == ["sequel"]


async def test_one_ledger_serves_several_output_folders(world: World) -> None:
    """What one folder has says nothing about the other: another manifest's path is free there, nothing is bought twice.

    Each asset is finished from the same source, and each folder is complete by itself.
    """
    await world.run(ONE)
    first = (world.output / "menu.wav").read_bytes()
    world.output_name = "other"
    result = await world.run("  menu: {prompt: other}\n", head=RENAMED)
    assert (result.exit, status(result), len(world.network.submits)) == (0, "generated", 2)
    world.output_name = "third"
    result = await world.run(ONE)
    assert (result.exit, status(result), len(world.network.submits)) == (0, "finished", 2)
    assert (world.output / "menu.wav").read_bytes() == first
    for folder in ("output", "third"):
        world.output_name = folder
        assert world.plan(ONE).nothing_to_do, folder


@pytest.mark.parametrize("kind", ["real", "local"])
async def test_nor_does_it_claim_what_somebody_has_put_into_another_folder(world: World, kind: str) -> None:
    """A file of the same name there is no run's, whatever the ledger remembers of the first."""
    await world.run(ONE, kind=kind)
    world.output_name = "other"
    world.output.mkdir()
    (world.output / "menu.wav").write_bytes(b"somebody's own")
    result = await world.run(ONE, kind=kind)
    assert (result.exit, "no run made it" in error(result)) == (1, True)
    assert (world.output / "menu.wav").read_bytes() == b"somebody's own"


@pytest.mark.parametrize(
    ("key", "value"), [("duration", "4"), ("lufs", float("nan")), ("sha256", None), ("size", -1), ("warnings", 3)]
)
async def test_a_row_that_is_none_is_written_anew(world: World, key: str, value: object) -> None:
    """Free, from what the ledger remembers or from the source; a row that lacks something stops nobody."""
    await world.run(ONE)
    index = world.output / "assets.json"
    document = json.loads(index.read_text())
    good = dict(document["assets"][0])
    document["assets"][0][key] = value
    if value is None:
        del document["assets"][0][key]
    index.write_text(json.dumps(document))
    result = await world.run(ONE)
    assert (result.exit, len(world.network.submits), world.index["menu.wav"]) == (0, 1, good)
    assert world.plan(ONE).nothing_to_do


async def test_a_job_of_a_manifest_that_was_renamed_comes_home(world: World) -> None:
    """It is polled where it was submitted; its bill stays on the books of the run that made it."""
    with anyio.move_on_after(2.0):
        await world.run(ONE)
    result = await world.run(ONE, head=RENAMED)
    assert (result.exit, len(world.network.submits), world.jobs[0].state) == (0, 1, State.COLLECTED)


@pytest.mark.parametrize("kind", ["real", "local"])
async def test_a_file_that_no_run_made_is_never_touched(world: World, kind: str) -> None:
    """Nothing is bought for a place that is taken."""
    world.output.mkdir()
    (world.output / "menu.wav").write_text("my own")
    result = await world.run(ONE, kind=kind)
    assert (result.exit, world.network.submits) == (1, [])
    assert "no run made it" in error(result)
    assert (world.output / "menu.wav").read_text() == "my own"


async def test_nothing_is_bought_for_a_folder_behind_a_link(world: World, tmp_path: Path) -> None:
    """It is looked at before money is spent."""
    (tmp_path / "elsewhere").mkdir()
    world.output.mkdir()
    (world.output / "battle").symlink_to(tmp_path / "elsewhere")
    result = await world.run("  battle/dragon: {prompt: x}\n")
    assert (result.exit, world.network.submits) == (1, [])
    assert "leads outside" in error(result, "battle/dragon")


async def test_an_unknown_of_a_closed_run_is_asked_again_without_a_budget(world: World) -> None:
    """Twice what its plans asked for: asking again is asked for."""
    world.network.after.append(First(is_submit, lost, times=99))
    assert status(await world.run(ONE)) in ("failed", "planned")
    world.network.after.clear()
    result = await world.run(ONE, new_run=True)
    assert (result.exit, len(world.app.state.gateway.books.jobs)) == (0, 1)


async def test_a_purchase_that_two_manifests_share_is_held_against_one_budget(world: World) -> None:
    """Paid once, so counted once."""
    poor = world.manifest(HEAD.replace("name: game", "name: poor\nbudget: 0.0001") + "  title: {prompt: calm menu}\n")
    result = await world.run(ONE, beside=[poor])
    assert (result.exit, len(world.network.submits)) == (0, 1)


async def test_a_start_that_is_refused_says_what_its_run_has_spent(world: World) -> None:
    """Totals are the run's, over all its processes."""
    head = HEAD.replace("name: game", "name: game\nbudget: 0.004")
    world.network.after.append(First(is_submit, lost, times=99))
    await world.run(ONE, head=head)
    result = await world.run(ONE + "  more: {prompt: more, duration: 3}\n", head=head)
    assert (result.exit, result.committed.unknown) == (3, 4_000)


async def test_an_index_that_cant_be_written_ends_in_a_sentence(world: World) -> None:
    """Exit 5, its run stays open, and the next run makes up for it, free."""
    world.output.mkdir()
    (world.output / "cost-report.md").mkdir()
    result = await world.run(ONE)
    assert (result.exit, len(world.network.submits)) == (5, 1)
    (world.output / "cost-report.md").rmdir()
    result = await world.run(ONE)
    assert (result.exit, len(world.network.submits)) == (0, 1)
    assert world.report["to_date"]["billed_usd"] == pytest.approx(0.002)


async def test_a_plan_changes_nothing_after_a_kill(world: World) -> None:
    """Not even the ledger's own log."""
    with anyio.move_on_after(2.0):
        await world.run(ONE)

    def seen() -> dict[str, str]:
        files = (path for path in world.state.rglob("*") if path.is_file())
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    before = seen()
    world.plan(ONE)
    assert seen() == before


@pytest.mark.parametrize("number", ["1e99999999999999999999999", "1e-99999999999999999999"])
async def test_an_absurd_number_in_an_answer_is_only_unreadable(world: World, number: str) -> None:
    """The job is asked for again under its own key; nothing is lost, and nothing is a defect."""
    body = '{"id": "job_1", "status": "queued", "created": %s}' % number  # noqa: UP031 - braces
    world.network.after.append(First(is_submit, lambda _: httpx.Response(202, content=body)))
    world.network.before.append(First(is_poll, lambda _: httpx.Response(200, content='{"status": %s}' % number)))  # noqa: UP031
    result = await world.run(ONE)
    assert (result.exit, len(world.app.state.gateway.books.jobs)) == (0, 1)


async def test_a_created_of_just_before_proves_no_replay(make_world: Callable[..., World]) -> None:
    """Two clocks may differ by seconds: the possible duplicate stays counted."""
    world = make_world(idempotency=False)
    world.network.after.append(First(is_submit, lost))
    world.network.after.append(lambda request, response: _older(request, response, by_s=5))
    assert (await world.run(ONE)).committed.unknown == 2_000


def _older(request: httpx.Request, response: httpx.Response, by_s: int) -> httpx.Response | None:
    import json

    if not is_submit(request):
        return None
    document = json.loads(b"".join(response.stream._body))
    document["created"] -= by_s
    return httpx.Response(response.status_code, json=document, headers={"date": response.headers["date"]})


class TestSteps:
    """A user's own steps are settings too."""

    async def test_another_list_of_steps_finishes_again(self, world: World) -> None:
        """From the kept source, free; and without them, back again."""
        await world.run(ONE)
        first = world.index["menu.wav"]["sha256"]
        await world.run(ONE, steps=[backwards])
        assert world.index["menu.wav"]["sha256"] != first
        await world.run(ONE)
        assert world.index["menu.wav"]["sha256"] == first
        assert len(world.network.submits) == 1

    def test_a_step_that_no_worker_could_find_is_refused_before_anything_starts(self) -> None:
        """A lambda has no name to be found by."""
        with pytest.raises(TypeError, match="top level of a module"):
            step_name(lambda sound: sound)
        assert run.__doc__ is not None


def backwards(sound: Any) -> Any:
    """A step."""
    return sound.reverse()


async def test_the_cap_over_several_manifests_counts_a_shared_purchase_once(world: World) -> None:
    """$0.0020 in all."""
    other = world.manifest(HEAD.replace("name: game", "name: other") + "  title: {prompt: calm menu}\n")
    assert (await world.run(ONE, beside=[other], budget_usd=Decimal("0.002"))).exit == 0


async def test_a_key_goes_to_no_gateway_but_the_one_that_is_asked(world: World) -> None:
    """What another gateway has waits for whoever names that one: nothing is asked of it, and nothing bought again."""
    tracks = "  a: {prompt: a}\n  b: {prompt: b}\n"
    world.network.after.append(First(lambda request: is_submit(request) and b'"b"' in request.content, lost, times=9))
    with anyio.move_on_after(2.0):
        await world.run(tracks, head=HEAD.replace("name: game", "name: game\nbudget: 1"))
    world.network.after.clear()
    world.network.requests.clear()
    elsewhere = GatewayChoice("real", "http://127.0.0.2", "sk-aig-another")
    result = await world.run(tracks, choice=elsewhere)
    assert (result.exit, world.network.requests) == (1, [])
    assert "--gateway http://127.0.0.1" in error(result, "a")
    assert "--gateway http://127.0.0.1" in error(result, "b")
    result = await world.run(tracks)
    assert (result.exit, len(world.app.state.gateway.books.jobs)) == (0, 2)


@pytest.mark.parametrize("spelling", ["http://127.0.0.1/v1", "http://127.0.0.1:80", "http://127.0.0.1/"])
async def test_another_spelling_of_the_address_is_the_same_gateway(world: World, spelling: str) -> None:
    """Its jobs are collected."""
    with anyio.move_on_after(2.0):
        await world.run("  a: {prompt: a}\n")
    result = await world.run("  a: {prompt: a}\n", choice=GatewayChoice("real", spelling.rstrip("/"), "sk-aig-test"))
    assert (result.exit, len(world.app.state.gateway.books.jobs)) == (0, 1)
