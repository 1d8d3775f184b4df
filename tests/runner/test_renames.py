"""Renamed tracks: assets and what engines keep beside them take the new name, and nothing is bought or lost."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from worlds import HEAD, World, error, status

from pipeline.files import FolderError
from pipeline.planning.plans import Action
from pipeline.runner.events import Notice, TrackMoved

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

ONE = "  menu: {prompt: calm menu}\n"
RENAMED = "  title: {prompt: calm menu}\n"
ROW = "  battle/1: {prompt: one}\n  battle/2: {prompt: two}\n  battle/3: {prompt: three}\n"
SIDECARS = (".import", ".uid", ".meta")


def beside(world: World, path: str, content: str = "") -> None:
    """What Godot and Unity keep beside an asset."""
    for sidecar in SIDECARS:
        (world.output / f"{path}{sidecar}").write_text(content or f"{path}{sidecar}")


def contents(world: World) -> dict[str, bytes]:
    """What stands in the output folder, but for index and reports."""
    own = ("assets.json", "cost-report", "report.html")
    return {path: (world.output / path).read_bytes() for path in world.files if not path.startswith((*own, ".pipe"))}


def lose_state(world: World) -> None:
    shutil.rmtree(world.state)


@pytest.mark.parametrize("ledger", [True, False], ids=["with its ledger", "without"])
async def test_a_renamed_track_moves_its_asset_and_its_sidecars(world: World, *, ledger: bool) -> None:
    """The same bytes under the new name, a row of its own, no orphan, and not one request."""
    await world.run(ONE)
    beside(world, "menu.wav", "uid")
    before = (world.output / "menu.wav").read_bytes()
    row = world.index["menu.wav"]
    if not ledger:
        lose_state(world)
    world.network.requests.clear()
    (plan,) = world.plan(RENAMED).manifests
    assert [(track.action, track.old_name) for track in plan.tracks] == [(Action.KEEP, "menu")]
    result = await world.run(RENAMED)
    assert (result.exit, status(result, "title"), world.network.requests) == (0, "kept", [])
    assert contents(world) == {"title.wav": before} | {f"title.wav{sidecar}": b"uid" for sidecar in SIDECARS}
    assert world.index == {"title.wav": row | {"name": "title", "path": "title.wav"}}
    assert TrackMoved("game", "title", "menu", ("title.wav",)) in world.events
    assert world.plan(RENAMED).nothing_to_do


async def test_a_name_that_changes_back_moves_back(world: World) -> None:
    """Free, as often as somebody likes."""
    await world.run(ONE)
    beside(world, "menu.wav")
    before = contents(world)
    await world.run(RENAMED)
    await world.run(ONE)
    assert contents(world) == before
    assert len(world.network.submits) == 1


async def test_another_folder_is_another_name_and_an_empty_one_goes(world: World) -> None:
    """Folders are made as they are needed; the one that is left is removed where nothing else is in it."""
    await world.run("  old/deep/menu: {prompt: calm menu}\n  old/keep: {prompt: x}\n")
    await world.run("  new/menu: {prompt: calm menu}\n  old/keep: {prompt: x}\n")
    assert contents(world).keys() == {"new/menu.wav", "old/keep.wav"}
    assert not (world.output / "old/deep").exists()


async def test_all_files_of_a_track_move_with_its_takes(world: World) -> None:
    """Outputs with and without a suffix, the loop's intro, and the takes beside the pick."""
    more = "prompt: calm, duration: 6, takes: 2, loop: {intro: split}, outputs: [wav, {format: wav, suffix: -b}]"
    await world.run(f"  menu: {{{more}}}\n")
    before = contents(world)
    assert len(before) >= 2
    lose_ledger_of_takes = {path.name for path in (world.state / "takes/game").iterdir()}
    world.network.requests.clear()
    result = await world.run(f"  a/title: {{{more}}}\n")
    assert (result.exit, world.network.requests, world.finisher.finished[2:]) == (0, [], [])
    assert contents(world) == {path.replace("menu", "a/title"): content for path, content in before.items()}
    assert {path.name for path in (world.state / "takes/game/a").iterdir()} == {
        name.replace("menu", "title") for name in lose_ledger_of_takes
    }


@pytest.mark.parametrize("ledger", [True, False], ids=["with its ledger", "without"])
async def test_names_are_passed_on_in_a_row(world: World, *, ledger: bool) -> None:
    """A new first one: each moves on before the next takes its place, and only the new one is bought."""
    await world.run(ROW)
    for number in (1, 2, 3):
        beside(world, f"battle/{number}.wav", f"uid {number}")
    before = contents(world)
    if not ledger:
        lose_state(world)
    shifted = "".join(
        f"  battle/{place}: {{prompt: {prompt}}}\n" for place, prompt in enumerate(["new", "one", "two", "three"], 1)
    )
    result = await world.run(shifted)
    assert (result.exit, len(world.network.submits)) == (0, 4)
    after = contents(world)
    for number in (1, 2, 3):
        for ending in ("", *SIDECARS):
            assert after[f"battle/{number + 1}.wav{ending}"] == before[f"battle/{number}.wav{ending}"]
    assert len(after) == 13  # the new one has no sidecars yet
    assert world.plan(shifted).nothing_to_do


@pytest.mark.parametrize("ledger", [True, False], ids=["with its ledger", "without"])
async def test_names_are_swapped(world: World, *, ledger: bool) -> None:
    """One is put aside for the other; the sidecars go with the sound."""
    await world.run("  day: {prompt: bright}\n  night: {prompt: dark}\n")
    beside(world, "day.wav", "uid of bright")
    before = contents(world)
    if not ledger:
        lose_state(world)
    world.network.requests.clear()
    swapped = "  day: {prompt: dark}\n  night: {prompt: bright}\n"
    result = await world.run(swapped)
    assert (result.exit, world.network.requests) == (0, [])
    after = contents(world)
    assert (after["day.wav"], after["night.wav"]) == (before["night.wav"], before["day.wav"])
    assert {path for path in after if path.endswith(SIDECARS)} == {f"night.wav{sidecar}" for sidecar in SIDECARS}
    assert world.plan(swapped).nothing_to_do


async def test_what_is_finished_otherwise_too_is_finished_from_its_source(world: World) -> None:
    """Free; its sidecars go with it, and no file is left under the old name."""
    await world.run(ONE)
    beside(world, "menu.wav", "uid")
    world.network.requests.clear()
    result = await world.run("  title: {prompt: calm menu, fade_out: 0.5}\n")
    assert (result.exit, status(result, "title"), world.network.requests) == (0, "finished", [])
    assert contents(world).keys() == {"title.wav", *(f"title.wav{sidecar}" for sidecar in SIDECARS)}
    assert world.index["title.wav"]["settings"]["finishing"] == {"fade_out_s": 0.5}


async def test_what_waits_for_a_word_stands_under_its_new_name(world: World) -> None:
    """Its source is gone and its finishing changed: nothing is bought, and the last good asset is where it belongs."""
    await world.run(ONE)
    before = contents(world)["menu.wav"]
    lose_state(world)
    result = await world.run("  title: {prompt: calm menu, fade_out: 0.5}\n")
    assert (result.exit, len(world.network.submits)) == (1, 1)
    assert "source missing" in error(result, "title")
    assert contents(world) == {"title.wav": before}
    assert list(world.index) == ["title.wav"]


async def test_a_strangers_file_under_the_new_name_is_left_alone(world: World) -> None:
    """Nothing moves, nothing is bought, and the plan says what is in the way."""
    await world.run(ONE)
    (world.output / "title.wav").write_text("my own")
    lose_state(world)
    result = await world.run(RENAMED)
    assert (result.exit, len(world.network.submits)) == (1, 1)
    assert "no run made it" in error(result, "title")
    assert contents(world)["title.wav"] == b"my own"
    assert contents(world)["menu.wav"]
    (world.output / "title.wav").unlink()
    assert (await world.run(RENAMED)).exit == 0
    assert contents(world).keys() == {"title.wav"}


async def test_a_strangers_file_holds_up_a_whole_row(world: World) -> None:
    """What can't move on keeps its place: nobody takes it."""
    await world.run(ROW)
    before = contents(world)
    (world.output / "battle/4.wav").write_text("my own")
    lose_state(world)
    shifted = "  battle/2: {prompt: one}\n  battle/3: {prompt: two}\n  battle/4: {prompt: three}\n"
    result = await world.run(shifted)
    assert (result.exit, len(world.network.submits)) == (1, 3)
    assert contents(world) == before | {"battle/4.wav": b"my own"}


async def test_a_file_that_appears_while_the_run_starts_is_left_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked at once more when the name is given."""
    await world.run(ONE)
    from pipeline.runner import starting

    real = starting.move_assets

    async def late(*arguments: object) -> None:
        (world.output / "title.wav").write_text("my own")
        await real(*arguments)

    monkeypatch.setattr(starting, "move_assets", late)
    with pytest.raises(FolderError, match="no run made it"):
        await world.run(RENAMED)
    assert contents(world).keys() == {"menu.wav", "title.wav"}
    assert contents(world)["title.wav"] == b"my own"


async def test_a_sidecar_of_its_own_is_never_replaced(world: World) -> None:
    """The older one stays where it is, and that is said."""
    await world.run(ONE)
    beside(world, "menu.wav", "old")
    (world.output / "title.wav.import").write_text("new")
    await world.run(RENAMED)
    after = contents(world)
    assert (after["title.wav.import"], after["menu.wav.import"], after["title.wav.meta"]) == (b"new", b"old", b"old")
    said = [event.text for event in world.events if isinstance(event, Notice)]
    assert said == ["menu.wav.import stays where it is: title.wav has one of its own"]


@pytest.mark.parametrize("sidecars", ["moved", "left"])
async def test_an_asset_that_somebody_has_moved_by_hand_is_known_by_its_content(world: World, sidecars: str) -> None:
    """As with `git mv`: without a ledger it is kept, and what was left beside its old name follows."""
    await world.run(ONE)
    beside(world, "menu.wav", "uid")
    for ending in ("", *SIDECARS) if sidecars == "moved" else ("",):
        (world.output / f"menu.wav{ending}").rename(world.output / f"title.wav{ending}")
    lose_state(world)
    world.network.requests.clear()
    result = await world.run(RENAMED)
    assert (result.exit, world.network.requests) == (0, [])
    assert contents(world).keys() == {"title.wav", *(f"title.wav{sidecar}" for sidecar in SIDECARS)}
    assert world.index["title.wav"]["name"] == "title"
    assert world.plan(RENAMED).nothing_to_do


async def test_an_asset_that_was_edited_by_hand_stays_where_it_is(world: World) -> None:
    """It is not what the index says, so it is nobody's to move; the source is finished under the new name."""
    await world.run(ONE)
    beside(world, "menu.wav", "uid")
    (world.output / "menu.wav").write_bytes(b"edited")
    result = await world.run(RENAMED)
    assert (result.exit, len(world.network.submits)) == (0, 1)
    after = contents(world)
    assert (after["menu.wav"], after["menu.wav.import"]) == (b"edited", b"uid")
    assert set(world.index) == {"title.wav"}


async def test_an_asset_behind_a_link_stays_where_it_is(world: World) -> None:
    """Under another name the link might lead nowhere."""
    await world.run(ONE)
    (world.output / "real").mkdir()
    (world.output / "menu.wav").rename(world.output / "real/content")
    (world.output / "menu.wav").symlink_to("real/content")
    result = await world.run("  deep/title: {prompt: calm menu}\n")
    assert (result.exit, len(world.network.submits)) == (0, 1)
    assert (world.output / "menu.wav").is_symlink()
    assert not (world.output / "deep/title.wav").is_symlink()


async def test_of_two_names_for_one_purchase_each_asset_finds_one(world: World) -> None:
    """Neither file is lost, and nothing is bought."""
    await world.run("  a/day: {prompt: x}\n  b/night: {prompt: x}\n")
    before = contents(world)
    lose_state(world)
    await world.run("  c/night: {prompt: x}\n  c/day: {prompt: x}\n")
    after = contents(world)
    assert (after["c/day.wav"], after["c/night.wav"]) == (before["a/day.wav"], before["b/night.wav"])
    assert len(world.network.submits) == 1


async def test_one_of_two_that_fit_stays_an_orphan(world: World) -> None:
    """Its file and its row are where they were."""
    await world.run("  a/day: {prompt: x}\n  b/night: {prompt: x}\n")
    result = await world.run("  day: {prompt: x}\n")
    assert (result.exit, len(world.network.submits)) == (0, 1)
    assert set(world.index) == {"day.wav", "b/night.wav"}
    assert contents(world).keys() == {"day.wav", "b/night.wav"}


async def test_a_recording_is_moved_by_its_content(world: World, tmp_path: Path) -> None:
    """It is not finished again."""
    await world.run(ONE)
    shutil.copy(world.output / "menu.wav", tmp_path / "theme.wav")
    await world.run("  theme: {file: theme.wav}\n")
    world.finisher.finished.clear()
    before = contents(world)["theme.wav"]
    await world.run("  title/theme: {file: theme.wav}\n")
    assert (contents(world)["title/theme.wav"], world.finisher.finished) == (before, [])


async def test_a_local_run_moves_real_assets_and_a_real_one_placeholders(world: World) -> None:
    """Whoever renames a track first; a placeholder's sidecars are there for the real thing."""
    await world.run(ONE)
    before = contents(world)["menu.wav"]
    result = await world.run(RENAMED, kind="local")
    assert (result.exit, contents(world)) == (0, {"title.wav": before})
    assert len(world.network.submits) == 1
    await world.run("  a: {prompt: a}\n", kind="local")
    beside(world, "a.wav", "uid")
    result = await world.run("  b: {prompt: a}\n")
    assert (result.exit, world.index["b.wav"]["placeholder"]) == (0, False)
    assert contents(world)["b.wav.import"] == b"uid"
    assert "a.wav" not in contents(world)


async def test_only_moves_only_what_it_names(world: World) -> None:
    """The rest keeps its names."""
    await world.run("  a: {prompt: a}\n  b: {prompt: b}\n")
    renamed = "  x: {prompt: a}\n  y: {prompt: b}\n"
    await world.run(renamed, only=("x",))
    assert contents(world).keys() == {"x.wav", "b.wav"}
    await world.run(renamed)
    assert contents(world).keys() == {"x.wav", "y.wav"}
    assert len(world.network.submits) == 2


async def test_a_member_of_a_loudness_group_is_renamed_without_finishing_the_group_again(world: World) -> None:
    """The same sounds are the same group."""
    group = "loudness: {group: all}"
    await world.run(f"  a: {{prompt: a, {group}}}\n  b: {{prompt: b, {group}}}\n")
    world.finisher.finished.clear()
    renamed = f"  x: {{prompt: a, {group}}}\n  b: {{prompt: b, {group}}}\n"
    result = await world.run(renamed)
    assert (result.counts["kept"], world.finisher.finished) == (2, [])
    assert set(world.index["b.wav"]["group"]["members"]) == {"x", "b"}
    assert world.plan(renamed).nothing_to_do


async def test_a_plan_over_its_budget_moves_nothing(world: World) -> None:
    """Nothing of it is done."""
    await world.run(ONE)
    head = HEAD.replace("name: game", "name: game\nbudget: 0.001")
    result = await world.run(RENAMED + "  more: {prompt: more}\n", head=head)
    assert (result.exit, contents(world).keys()) == (3, {"menu.wav"})


async def test_a_regeneration_of_a_renamed_track_is_one(world: World) -> None:
    """The last good asset takes the new name first, and then the new one its place."""
    await world.run(ONE)
    beside(world, "menu.wav", "uid")
    result = await world.run(RENAMED, regenerate=("title",))
    assert (result.exit, len(world.network.submits)) == (0, 2)
    assert world.index["title.wav"]["provenance"]["regeneration"] == 1
    assert contents(world).keys() == {"title.wav", *(f"title.wav{sidecar}" for sidecar in SIDECARS)}


async def test_another_format_is_no_rename(world: World) -> None:
    """The track is the same: its old file becomes an orphan, with what belongs to it."""
    await world.run(ONE)
    beside(world, "menu.wav", "uid")
    result = await world.run("  menu: {prompt: calm menu, outputs: [flac]}\n")
    assert (result.exit, len(world.network.submits)) == (0, 1)
    assert contents(world).keys() == {"menu.wav", "menu.flac", *(f"menu.wav{sidecar}" for sidecar in SIDECARS)}


async def test_where_case_counts_for_nothing_another_case_is_another_name(world: World) -> None:
    """Menu and menu are one file there, so that it is in nobody's way: played by a second name for the file."""
    await world.run("  Menu: {prompt: calm menu}\n")
    os.link(world.output / "Menu.wav", world.output / "menu.wav")
    lose_state(world)
    result = await world.run(ONE)
    assert (result.exit, len(world.network.submits)) == (0, 1)
    assert set(world.index) == {"menu.wav"}
    assert world.plan(ONE).nothing_to_do


async def test_of_another_manifest_nothing_moves(world: World) -> None:
    """Its assets are its own, though they were bought for the same; and they prove that it was."""
    await world.run(ONE)
    lose_state(world)
    result = await world.run(RENAMED, head=HEAD.replace("name: game", "name: sequel"))
    assert (result.exit, len(world.network.submits)) == (1, 1)
    assert "source missing" in error(result, "title")
    assert contents(world).keys() == {"menu.wav"}
