"""The main job: a manifest becomes an output folder and a report, and what did not change is not done again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from worlds import HEAD, World, refuse, status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydub import AudioSegment

pytestmark = pytest.mark.anyio

TWO = "  menu: {prompt: calm menu}\n  battle: {prompt: loud battle, takes: 2}\n"
OTHER = HEAD.replace("name: game", "name: adverts") + "  spot: {prompt: a jingle}\n"


async def test_a_manifest_becomes_an_output_folder_and_a_report(world: World) -> None:
    """Every asset under its name, its row in the index, and every cent in the report."""
    result = await world.run(TWO)
    assert (result.exit, result.counts["generated"]) == (0, 2)
    assert {
        "menu.wav",
        "battle.wav",
        "assets.json",
        "cost-report.json",
        "cost-report.csv",
        "cost-report.md",
    } <= world.files
    row = world.index["battle.wav"]
    assert row["placeholder"] is False
    assert row["provenance"] | {"date": ""} == {
        "kind": "generated", "model": "sony-ai/mmaudio-v2-text-to-audio", "prompt": "loud battle", "lyrics": None,
        "job_id": row["provenance"]["job_id"], "take": 1, "takes": 2, "regeneration": 0, "date": "",
        "duration": 2.0, "refine_lyrics": False, "source_format": "wav",
    }  # fmt: skip
    assert world.report["run"]["billed_usd"] == pytest.approx(0.006)
    assert [take["cost_basis"] for take in world.report["takes"]] == ["usage"] * 3
    assert len(world.network.submits) == 3


async def test_the_other_take_is_kept_beside_for_listening(world: World) -> None:
    """In the state folder: the output folder holds picks only."""
    await world.run(TWO)
    assert (world.state / "takes/game/battle.take2.wav").is_file()


async def test_a_second_run_submits_nothing_and_rewrites_nothing(world: World) -> None:
    """Not a request, not a byte, not a modification time."""
    await world.run(TWO)
    before = {path: path.stat().st_mtime_ns for path in world.output.rglob("*") if not path.name.startswith(".")}
    world.network.requests.clear()
    result = await world.run(TWO)
    assert (result.exit, result.counts["kept"]) == (0, 2)
    assert world.network.requests == []
    assert {path: path.stat().st_mtime_ns for path in before} == before


async def test_without_its_state_folder_a_run_submits_nothing(world: World) -> None:
    """What the output folder proves is kept, ledger or no ledger."""
    await world.run(TWO)
    world.state.rename(world.folder / "lost")
    world.restart_gateway()
    result = await world.run(TWO)
    assert (result.exit, result.counts["kept"]) == (0, 2)
    assert world.network.requests == []


async def test_a_change_of_finishing_is_made_from_the_kept_source(world: World) -> None:
    """Free: no request at all."""
    await world.run(TWO)
    world.network.requests.clear()
    result = await world.run(
        "  menu: {prompt: calm menu, loudness: mobile}\n  battle: {prompt: loud battle, takes: 2}\n"
    )
    assert (status(result, "menu"), status(result, "battle")) == ("finished", "kept")
    assert world.network.requests == []
    assert world.index["menu.wav"]["lufs"] == pytest.approx(-18.0, abs=0.2)


async def test_a_row_says_how_its_asset_was_made_so_that_a_plan_can_say_what_has_changed(world: World) -> None:
    """Its settings, and what was asked for."""
    await world.run("  menu: {prompt: calm menu}\n")
    outputs = "[{format: wav, bits: 24}]"
    changed = f"  menu: {{prompt: calm menu, fade_out: 0.5, loudness: {{target: -20}}, outputs: {outputs}}}\n"
    why = "fade_out 0 -> 0.5 s, loudness -16 -> -20 LUFS, outputs: wav 16 -> 24 bits"
    (plan,) = world.plan(changed).manifests
    assert plan.tracks[0].why == why
    await world.run(changed)
    assert world.plan(changed).nothing_to_do
    asked = world.index["menu.wav"]["provenance"]
    assert (asked["duration"], asked["refine_lyrics"], asked["source_format"]) == (2.0, False, "wav")
    (plan,) = world.plan("  menu: {prompt: calm menu, duration: 3}\n").manifests
    assert plan.tracks[0].why.startswith("duration 2 -> 3 s, ")


async def test_an_asset_that_was_removed_comes_back_from_its_source(world: World) -> None:
    """And one that was edited by hand, too."""
    await world.run(TWO)
    (world.output / "menu.wav").unlink()
    (world.output / "battle.wav").write_bytes(b"edited")
    world.network.requests.clear()
    result = await world.run(TWO)
    assert (result.exit, result.counts["finished"]) == (0, 2)
    assert world.network.requests == []
    assert (world.output / "battle.wav").stat().st_size > 6


async def test_one_more_take_buys_one(world: World) -> None:
    """`takes: 2` to `3`; the pick stays, and the index remembers how many were bought."""
    await world.run(TWO)
    pick = world.index["battle.wav"]["sha256"]
    world.network.requests.clear()
    await world.run(TWO.replace("takes: 2", "takes: 3"))
    assert len(world.network.submits) == 1
    row = world.index["battle.wav"]
    assert (row["sha256"], row["provenance"]["takes"]) == (pick, 3)


async def test_takes_differ_and_say_so_to_the_gateway(world: World) -> None:
    """A take after the first skips the gateway's cache."""
    await world.run(TWO)
    asked = {(json.loads(one.content)["prompt"], one.headers["x-cache"]) for one in world.network.submits}
    assert asked == {("calm menu", "auto"), ("loud battle", "auto"), ("loud battle", "skip")}


async def test_two_tracks_with_one_purchase_pay_once(world: World) -> None:
    """One job, two assets."""
    result = await world.run("  menu: {prompt: same}\n  credits: {prompt: same, loudness: mobile}\n")
    assert (result.exit, len(world.network.submits)) == (0, 1)
    assert {"menu.wav", "credits.wav"} <= world.files


async def test_one_manifests_run_leaves_the_others_rows_alone(world: World) -> None:
    """Each run rewrites only the rows of the manifests that it was given."""
    await world.run(TWO, beside=[world.manifest(OTHER)])
    row = world.index["spot.wav"]
    await world.run(TWO.replace("calm menu", "calmer menu"))
    assert world.index["spot.wav"] == row
    assert {manifest["name"] for manifest in world.report["manifests"]} == {"game", "adverts"}


async def test_a_track_that_is_gone_leaves_an_orphan_that_nobody_touches(world: World) -> None:
    """Its file and its row stay."""
    await world.run(TWO)
    result = await world.run("  menu: {prompt: calm menu}\n")
    assert [row.path for row in result.manifests[0].plan.orphans] == ["battle.wav"]
    assert "battle.wav" in world.files


async def test_only_touches_only_what_it_names(world: World) -> None:
    """The rest counts as skipped, and stays in the index."""
    await world.run(TWO)
    result = await world.run(TWO.replace("calm menu", "new").replace("loud battle", "new battle"), only=["menu"])
    assert (status(result, "menu"), status(result, "battle")) == ("generated", "skipped")
    assert world.index["battle.wav"]["provenance"]["prompt"] == "loud battle"


async def test_placeholders_are_free_and_the_real_run_replaces_them(world: World) -> None:
    """And no local run ever replaces a real asset."""
    local = await world.run(TWO, kind="local")
    assert (local.exit, local.committed.total, world.index["menu.wav"]["placeholder"]) == (0, 0, True)
    real = await world.run(TWO)
    assert (real.counts["generated"], world.index["menu.wav"]["placeholder"]) == (2, False)
    again = await world.run(TWO.replace("calm menu", "another menu"), kind="local")
    assert (again.counts["kept"], world.index["menu.wav"]["placeholder"]) == (2, False)


async def test_a_recording_takes_the_place_of_a_purchase(world: World, tmp_path: Path) -> None:
    """Finished and indexed, never generated."""
    await world.run("  menu: {prompt: calm menu}\n")
    recording = tmp_path / "theme.wav"
    recording.write_bytes((world.output / "menu.wav").read_bytes())
    world.network.requests.clear()
    result = await world.run("  menu: {prompt: calm menu}\n  title: {file: theme.wav}\n")
    assert (status(result, "title"), world.network.requests) == ("finished", [])
    assert world.index["title.wav"]["provenance"]["kind"] == "file"


def quieter(sound: AudioSegment) -> AudioSegment:
    """A user's own step."""
    assert sound.sample_width == 4
    return sound.reverse()


async def test_a_users_own_step_runs_before_loudness(world: World) -> None:
    """pydub in, pydub out; the target is still met."""
    await world.run("  menu: {prompt: calm menu}\n", steps=[quieter])
    assert world.index["menu.wav"]["lufs"] == pytest.approx(-16.0, abs=0.2)


async def test_one_tracks_failure_is_its_own(world: World) -> None:
    """The others are finished; the run says which failed, and why."""
    world.network.before.append(refuse("loud battle"))
    result = await world.run("  menu: {prompt: calm menu}\n  battle: {prompt: loud battle}\n")
    assert (result.exit, status(result, "menu"), status(result, "battle")) == (1, "generated", "failed")
    assert "battle.wav" not in world.files


async def test_a_failed_regeneration_leaves_the_last_good_asset(world: World) -> None:
    """Paid again in vain it is not: a failed job is not charged."""
    await world.run("  menu: {prompt: calm menu}\n")
    good = (world.output / "menu.wav").read_bytes()
    world.network.before.append(refuse("calm menu"))
    result = await world.run("  menu: {prompt: calm menu}\n", regenerate=["menu"])
    assert status(result) == "failed"
    assert (world.output / "menu.wav").read_bytes() == good
    world.network.before.clear()
    assert (await world.run("  menu: {prompt: calm menu}\n")).counts["kept"] == 1


async def test_regenerate_pays_again_on_purpose(world: World) -> None:
    """Another piece under the same name, with the next number beside its fingerprint."""
    await world.run("  menu: {prompt: calm menu}\n")
    first = world.index["menu.wav"]
    await world.run("  menu: {prompt: calm menu}\n", regenerate=["menu"])
    second = world.index["menu.wav"]
    assert second["sha256"] != first["sha256"]
    assert (first["provenance"]["regeneration"], second["provenance"]["regeneration"]) == (0, 1)
    assert len(world.network.submits) == 2


async def test_never_more_jobs_in_flight_than_the_limit(make_world: Callable[..., World]) -> None:
    """A job holds its slot from its submit to its end."""
    world = make_world()
    tracks = "".join(f"  t{number}: {{prompt: piece {number}}}\n" for number in range(10))
    await world.run(tracks, concurrency=3)
    assert world.app.state.gateway.books.most_in_flight == 3


async def test_a_loop_may_be_split_from_its_intro(world: World) -> None:
    """Two files, each with its row; a second run keeps both, and a lost intro comes back."""
    tracks = "  menu: {prompt: calm menu, duration: 12, loop: {intro: split}}\n"
    await world.run(tracks)
    paths = sorted(path for path in world.index)
    warned = {warning["code"] for warning in world.index["menu.wav"]["warnings"]}
    assert paths == (["menu.wav"] if "no_intro" in warned else ["menu.intro.wav", "menu.wav"])
    assert (await world.run(tracks)).counts["kept"] == 1


async def test_regenerating_one_of_two_tracks_with_one_purchase_renews_both(world: World) -> None:
    """It is bought once, and the run after it has nothing to do."""
    tracks = "  a: {prompt: calm}\n  b: {prompt: calm, loudness: mobile}\n"
    await world.run(tracks)
    result = await world.run(tracks, regenerate=["b"])
    assert (result.exit, len(world.network.submits)) == (0, 2)
    assert {row["provenance"]["regeneration"] for row in world.index.values()} == {1}
    assert world.plan(tracks).nothing_to_do
