"""`pipeline report --disclosure` over what runs have left."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from test_choosing import choose
from worlds import HEAD

from pipeline.cli.small import disclose
from pipeline.disclosing import write_disclosure
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from worlds import World

pytestmark = pytest.mark.anyio

TRACKS = "  menu: {prompt: calm menu, takes: 2}\n  battle: {prompt: a battle}\n"


def disclosed(world: World) -> dict[str, dict[str, Any]]:
    """path -> what the disclosure says of it, anew."""
    manifests = [part.manifest for part in world.plan(TRACKS).manifests]
    write_disclosure(Workspace(world.output, world.state), manifests, world.clock.now())
    document = json.loads((world.output / "disclosure.json").read_text())
    return {asset["path"]: asset for asset in document["assets"]}


async def test_what_a_run_and_a_person_did_is_told(world: World) -> None:
    """Which job of which gateway, and who picked what: a run, or a person and when."""
    await world.run(TRACKS)
    await choose(world, TRACKS, "2")
    told = disclosed(world)
    menu, battle = told["menu.wav"], told["battle.wav"]
    assert (battle["picked_by"], battle["picked_at"]) == ("program", None)
    assert (menu["picked_by"], menu["take"], menu["takes"]) == ("person", "2", 2)
    assert menu["picked_at"] is not None
    jobs = {job.job_id for job in world.jobs}
    assert {menu["job_id"], battle["job_id"]} < jobs
    assert (menu["kind"], menu["provider"], menu["gateway"], menu["state"]) == (
        "generated",
        "sony-ai",
        "127.0.0.1",
        "delivered",
    )


async def test_index_and_lock_are_enough(world: World) -> None:
    """Without a ledger no gateway is known; without its lock, nobody who picked; a file that was edited is told."""
    await world.run(TRACKS)
    shutil.rmtree(world.state)
    assert [disclosed(world)["menu.wav"][key] for key in ("gateway", "picked_by", "state")] == [
        None,
        "program",
        "delivered",
    ]
    (world.folder / "game.lock.json").unlink()
    (world.output / "menu.wav").write_bytes(b"edited")
    assert [disclosed(world)["menu.wav"][key] for key in ("picked_by", "state")] == [None, "changed"]


async def test_the_command_says_what_it_wrote_and_a_run_needs_none_of_it(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside the reports, which it leaves alone; no run writes it or misses it."""
    await world.run(TRACKS)
    assert not {"disclosure.md", "disclosure.json"} & world.files
    manifest = world.folder / "game.yaml"
    manifest.write_text(HEAD + TRACKS)
    before = (world.output / "cost-report.md").stat().st_mtime_ns
    disclose((manifest,), output=world.output, state=world.state)
    said = capsys.readouterr().err.splitlines()
    assert said == [f"wrote {world.output}/{name}" for name in ("disclosure.md", "disclosure.json")]
    assert (world.output / "cost-report.md").stat().st_mtime_ns == before
    assert world.plan(TRACKS).nothing_to_do
