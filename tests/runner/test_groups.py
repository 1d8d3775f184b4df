"""One gain for all tracks of a loudness group: what is softer among them stays softer, whatever becomes of the rest."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import numpy as np
import pytest
import soundfile
from worlds import HEAD, World, error, is_media, refuse, status

from pipeline.audio.decoding import decode
from pipeline.audio.loudness import joint_loudness, momentary_powers
from pipeline.jobs import State
from pipeline.planning.plans import Action

if TYPE_CHECKING:
    from pathlib import Path

    from pydub import AudioSegment

    from pipeline.local_gateway.composition import CompositionRequest

pytestmark = pytest.mark.anyio

LOW, MIDDLE, HIGH = (
    f"  battle/{name}: {{prompt: {name}, loudness: {{group: battle}}}}\n" for name in ("low", "middle", "high")
)
GROUP = LOW + MIDDLE + HIGH
NAMES = ("battle/low", "battle/middle", "battle/high")


@dataclass
class Levels:
    """Composes a tone at the level that its prompt stands for."""

    dbfs: dict[str, float] = field(default_factory=lambda: {"low": -38.0, "middle": -32.0, "high": -26.0})
    silent: set[str] = field(default_factory=set)  # prompts whose first piece is
    seconds: float | None = None  # of each piece; None: as long as asked

    async def compose(self, request: CompositionRequest) -> bytes:
        level = self.dbfs[request.prompt] - 0.5 * request.variation
        level = -90.0 if request.prompt in self.silent and request.variation == 0 else level
        return tone(level, self.seconds or request.duration_s, 500.0 + 7 * request.variation)


def tone(dbfs: float, seconds: float, hertz: float = 500.0) -> bytes:
    """A WAV file: a sine whose peaks are at this level."""
    time = np.arange(round(seconds * 8000)) / 8000
    content = io.BytesIO()
    soundfile.write(content, 10 ** (dbfs / 20) * np.sin(2 * np.pi * hertz * time), 8000, "PCM_16", format="WAV")
    return content.getvalue()


@pytest.fixture
def battle(world: World) -> World:
    """A world whose gateway gives pieces as loud as their prompts say."""
    world.composer = Levels()
    world.restart_gateway()
    return world


def lufs(world: World, *names: str) -> list[float]:
    return [world.index[f"{name}.wav"]["lufs"] for name in names or NAMES]


def joint(world: World, *names: str) -> float | None:
    """The joint loudness of the files as they were delivered."""
    files = (world.output / f"{name}.wav" for name in names or NAMES)
    return joint_loudness(momentary_powers(decode(str(path))) for path in files)


def gains(world: World, *names: str) -> set[float]:
    return {world.index[f"{name}.wav"]["group"]["gain_db"] for name in names or NAMES}


def incomplete(world: World, name: str) -> list[str]:
    warnings = world.index[f"{name}.wav"]["warnings"]
    return [warning["message"] for warning in warnings if warning["code"] == "group_incomplete"]


def written(world: World) -> dict[str, tuple[int, int]]:
    """Which file stands under each name: one that was made anew is another."""
    files = [path for path in world.output.rglob("*.wav") if path.is_file()]
    return {path.relative_to(world.output).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def planned(world: World, tracks: str, **options: Any) -> dict[str, tuple[str, str]]:
    (manifest,) = world.plan(tracks, **options).manifests
    return {track.track.name: (track.action.value, track.why) for track in manifest.tracks}


async def test_a_group_meets_its_target_together_and_keeps_its_differences(battle: World) -> None:
    """One gain in every row, and the softer piece is as much softer as it came."""
    result = await battle.run(GROUP)
    assert (result.exit, result.counts["generated"]) == (0, 3)
    assert joint(battle) == pytest.approx(-16, abs=0.1)
    low, middle, high = lufs(battle)
    assert (middle - low, high - middle) == (pytest.approx(6, abs=0.05), pytest.approx(6, abs=0.05))
    assert len(gains(battle)) == 1
    row = battle.index["battle/low.wav"]
    assert (row["group"]["name"], row["group"]["target_lufs"], set(row["group"]["members"])) == (
        "battle", -16.0, set(NAMES),
    )  # fmt: skip
    assert incomplete(battle, "battle/low") == []


async def test_a_group_of_stings_says_that_their_peaks_have_levelled_it(battle: World) -> None:
    """None of them has a loudness; once one has, nothing is said."""
    stings = GROUP.replace("}}", "}, gates: {length: off, ending: off}}")
    battle.composer.seconds = 0.3
    await battle.run(stings)
    assert battle.index["battle/high.wav"]["true_peak_dbtp"] == pytest.approx(-6, abs=0.05)
    for name in NAMES:
        assert [warning["code"] for warning in battle.index[f"{name}.wav"]["warnings"]] == ["levelled_by_peak"]
    battle.composer.seconds = None
    await battle.run(stings, regenerate=["battle/high"])
    assert [battle.index[f"{name}.wav"]["warnings"] for name in NAMES] == [[], [], []]


async def test_a_group_that_stands_is_kept(battle: World) -> None:
    """Not a request, not a measurement, not a byte; with its sources and without."""
    await battle.run(GROUP)
    before = written(battle)
    battle.finisher.weighed.clear()
    assert battle.plan(GROUP).nothing_to_do
    assert (await battle.run(GROUP)).counts["kept"] == 3
    battle.state.rename(battle.folder / "lost")
    assert battle.plan(GROUP).nothing_to_do
    assert (battle.finisher.weighed, written(battle)) == ([], before)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("fade_out: 0.5", "fade_out 0 -> 0.5 s"),
        ("trim: true", "trim off -> on"),
        ("channels: 2", "channels source -> 2"),
        ("sample_rate: 16000", "sample_rate source -> 16000 Hz"),
    ],
)
async def test_a_change_to_one_finishes_all_of_them_again(battle: World, change: str, told: str) -> None:
    """Free, and the plan says why: another shape is another joint loudness."""
    await battle.run(GROUP)
    changed = GROUP.replace("{prompt: high", f"{{{change}, prompt: high")
    why = "group battle: battle/high changed"
    assert planned(battle, changed) == {
        "battle/low": ("finish", why), "battle/middle": ("finish", why), "battle/high": ("finish", told),
    }  # fmt: skip
    submits = len(battle.network.submits)
    result = await battle.run(changed)
    assert (result.exit, result.counts["finished"], len(battle.network.submits)) == (0, 3, submits)
    assert joint(battle) == pytest.approx(-16, abs=0.1)
    assert battle.plan(changed).nothing_to_do


async def test_a_regeneration_of_one_finishes_all_of_them_again(battle: World) -> None:
    """The others from the sources that are here."""
    await battle.run(GROUP)
    before = gains(battle)
    result = await battle.run(GROUP, regenerate=["battle/high"])
    assert [status(result, name) for name in NAMES] == ["finished", "finished", "generated"]
    assert len(battle.network.submits) == 4
    assert (gains(battle) == before, len(gains(battle))) == (False, 1)
    assert joint(battle) == pytest.approx(-16, abs=0.1)
    assert battle.plan(GROUP).nothing_to_do


async def test_a_change_of_the_target_moves_all_of_them(battle: World) -> None:
    """Nobody stays at the gain of the old target."""
    await battle.run(GROUP)
    await battle.run(GROUP.replace("group:", "target: -20, group:"))
    assert joint(battle) == pytest.approx(-20, abs=0.1)


async def test_a_group_waits_for_its_last_member(battle: World) -> None:
    """Whatever has come stays unfinished until then, and nothing is finished twice."""
    battle.network.delay_s = lambda request: 20.0 if b"high" in request.content else 0.0
    await battle.run(GROUP)
    assert len(battle.finisher.finished) == 3
    assert joint(battle) == pytest.approx(-16, abs=0.1)


class TestMembersThatFail:
    """They are left out, and the rest says so."""

    async def test_the_rest_is_levelled_without_it(self, battle: World) -> None:
        """Jointly at the target, with a warning that names who is missing."""
        battle.network.before.append(refuse("high"))
        result = await battle.run(GROUP)
        assert [status(result, name) for name in NAMES] == ["generated", "generated", "failed"]
        assert joint(battle, "battle/low", "battle/middle") == pytest.approx(-16, abs=0.1)
        assert incomplete(battle, "battle/low") == ["group battle: without battle/high"]
        assert battle.index["battle/low.wav"]["group"]["members"]["battle/high"] is None

    async def test_its_coming_later_finishes_all_of_them_again(self, battle: World) -> None:
        """Free for those that were here; the warning goes."""
        battle.network.before.append(refuse("high"))
        await battle.run(GROUP)
        battle.network.before.clear()
        assert planned(battle, GROUP)["battle/low"] == ("finish", "group battle: battle/high to come")
        result = await battle.run(GROUP)
        assert [status(result, name) for name in NAMES] == ["finished", "finished", "generated"]
        assert joint(battle) == pytest.approx(-16, abs=0.1)
        assert (incomplete(battle, "battle/low"), battle.plan(GROUP).nothing_to_do) == ([], True)

    async def test_where_it_fails_again_nothing_is_rewritten(self, battle: World) -> None:
        """The group is what it was."""
        battle.network.before.append(refuse("high"))
        await battle.run(GROUP)
        before = written(battle)
        result = await battle.run(GROUP)
        assert [status(result, name) for name in NAMES] == ["kept", "kept", "failed"]
        assert written(battle) == before

    async def test_a_failed_gate_leaves_it_out_before_anything_is_finished(self, battle: World) -> None:
        """What is silent brings nothing, and its error is its own."""
        battle.composer.silent.add("middle")
        result = await battle.run(GROUP)
        assert [status(result, name) for name in NAMES] == ["generated", "failed", "generated"]
        assert error(result, "battle/middle") == "silent: nothing in it is above -60 LUFS"
        assert len(battle.finisher.finished) == 2
        assert joint(battle, "battle/low", "battle/high") == pytest.approx(-16, abs=0.1)

    async def test_a_failed_regeneration_changes_nothing(self, battle: World) -> None:
        """Its last good asset stands among the others as it stood."""
        await battle.run(GROUP)
        before = written(battle)
        battle.network.before.append(refuse("high"))
        result = await battle.run(GROUP, regenerate=["battle/high"])
        assert [status(result, name) for name in NAMES] == ["kept", "kept", "failed"]
        assert written(battle) == before
        assert battle.plan(GROUP).nothing_to_do

    async def test_one_that_leaves_the_group_finishes_the_rest_again(self, battle: World) -> None:
        """The same is true of one that leaves the manifest."""
        await battle.run(GROUP)
        assert planned(battle, LOW + MIDDLE)["battle/low"] == ("finish", "group battle: battle/high left out")
        alone = LOW + MIDDLE + HIGH.replace("loudness: {group: battle}", "loudness: game")
        await battle.run(alone)
        assert joint(battle, "battle/low", "battle/middle") == pytest.approx(-16, abs=0.1)
        assert battle.index["battle/high.wav"]["group"] is None
        assert lufs(battle, "battle/high") == [pytest.approx(-16, abs=0.1)]


class TestWhatStands:
    """What can't be finished again now sets the gain: whatever comes beside it has to fit."""

    async def test_a_fresh_clone_buys_nothing_and_keeps_what_it_has(self, battle: World) -> None:
        """A new member takes the gain at which the others stand, whose sources are gone."""
        await battle.run(LOW + HIGH)
        before, gain = written(battle), gains(battle, "battle/low", "battle/high")
        battle.state.rename(battle.folder / "lost")
        battle.restart_gateway()
        assert [action for action, _ in planned(battle, GROUP).values()] == ["keep", "generate", "keep"]
        result = await battle.run(GROUP)
        assert (result.exit, len(battle.network.submits)) == (0, 1)
        assert gains(battle) == gain
        assert {path: file for path, file in written(battle).items() if path in before} == before
        low, middle, _ = lufs(battle)
        assert middle - low == pytest.approx(6, abs=0.05)
        told = "group battle: at the gain of battle/low, battle/high, not finished again with it"
        assert incomplete(battle, "battle/middle") == [told]
        assert battle.plan(GROUP).nothing_to_do

    async def test_a_change_without_its_source_is_held_back_and_moves_nobody(self, battle: World) -> None:
        """The plan says what it would cost; the others are as they should be, beside what stands."""
        await battle.run(GROUP)
        battle.state.rename(battle.folder / "lost")
        changed = GROUP.replace("{prompt: high", "{fade_out: 0.5, prompt: high")
        plan = planned(battle, changed)
        assert [action for action, _ in plan.values()] == ["keep", "keep", "blocked"]
        assert "source missing: generating again costs $0.0020" in plan["battle/high"][1]
        before = written(battle)
        submits = len(battle.network.submits)
        assert (await battle.run(changed)).exit == 1
        assert (written(battle), len(battle.network.submits)) == (before, submits)

    async def test_a_source_that_the_gateway_still_has_is_fetched_for_its_group(self, battle: World) -> None:
        """It is paid for: that costs nothing."""
        await battle.run(GROUP)
        (job,) = (job for job in battle.jobs if job.intent.track == "battle/low")
        next((battle.state / "sources").glob(f"??/{job.source}.*")).unlink()
        changed = GROUP.replace("{prompt: high", "{fade_out: 0.5, prompt: high")
        result = await battle.run(changed)
        assert (result.exit, len(battle.network.submits)) == (0, 3)
        assert joint(battle) == pytest.approx(-16, abs=0.1)

    async def test_only_touches_only_what_it_names(self, battle: World) -> None:
        """It takes the gain of those outside; the next run without it joins them all anew."""
        await battle.run(GROUP)
        before, gain = written(battle), gains(battle)
        result = await battle.run(GROUP, only=["battle/high"], regenerate=["battle/high"])
        assert [status(result, name) for name in NAMES] == ["skipped", "skipped", "generated"]
        after = written(battle)
        assert (gains(battle), after["battle/low.wav"]) == (gain, before["battle/low.wav"])
        told = "group battle: at the gain of battle/low, battle/middle, not finished again with it"
        assert incomplete(battle, "battle/high") == [told]
        plan = planned(battle, GROUP)
        assert [action for action, _ in plan.values()] == ["finish"] * 3
        assert plan["battle/high"][1] == "group battle: levelled apart from the rest"
        await battle.run(GROUP)
        assert joint(battle) == pytest.approx(-16, abs=0.1)
        assert (incomplete(battle, "battle/high"), battle.plan(GROUP).nothing_to_do) == ([], True)

    async def test_only_of_a_group_that_was_never_made_names_the_others(self, battle: World) -> None:
        """There is nothing to fit to: it is levelled by itself, and says without whom."""
        await battle.run(GROUP, only=["battle/low"])
        assert lufs(battle, "battle/low") == [pytest.approx(-16, abs=0.1)]
        assert incomplete(battle, "battle/low") == ["group battle: without battle/middle, battle/high"]

    async def test_a_lost_file_comes_back_at_the_groups_gain(self, battle: World) -> None:
        """To the byte, and the others are not even measured."""
        await battle.run(GROUP)
        good = (battle.output / "battle/low.wav").read_bytes()
        (battle.output / "battle/low.wav").unlink()
        others = written(battle)
        battle.finisher.weighed.clear()
        result = await battle.run(GROUP)
        assert [status(result, name) for name in NAMES] == ["finished", "kept", "kept"]
        assert (battle.output / "battle/low.wav").read_bytes() == good
        assert {path: file for path, file in written(battle).items() if path in others} == others
        assert (len(battle.finisher.weighed), battle.plan(GROUP).nothing_to_do) == (1, True)

    async def test_one_more_output_is_made_at_the_same_gain(self, battle: World) -> None:
        """What stands is kept."""
        await battle.run(GROUP)
        before = written(battle)
        await battle.run(GROUP.replace("{prompt: low", "{outputs: [wav, flac], prompt: low"))
        assert written(battle) == before
        assert battle.index["battle/low.flac"]["lufs"] == lufs(battle)[0]


class TestKinds:
    """Placeholders, real assets and recordings."""

    async def test_placeholders_and_real_assets_share_no_loudness(self, battle: World) -> None:
        """Each kind is levelled for itself; the real run that brings the rest joins them."""
        await battle.run(LOW)
        before = written(battle)
        await battle.run(GROUP, kind="local")
        assert written(battle).items() >= before.items()
        assert joint(battle, "battle/middle", "battle/high") == pytest.approx(-16, abs=0.1)
        assert incomplete(battle, "battle/high") == ["group battle: without battle/low"]
        assert battle.plan(GROUP, kind="local").nothing_to_do
        await battle.run(GROUP)
        assert joint(battle) == pytest.approx(-16, abs=0.1)
        assert {row["placeholder"] for row in battle.index.values()} == {False}
        assert battle.plan(GROUP, kind="local").nothing_to_do

    async def test_a_recording_is_a_member_like_any_other(self, battle: World, tmp_path: Path) -> None:
        """Another recording under its name finishes the group again."""
        recorded = LOW + "  battle/theme: {file: theme.wav, loudness: {group: battle}}\n"
        (tmp_path / "theme.wav").write_bytes(tone(-30, 3))
        await battle.run(recorded)
        assert joint(battle, "battle/low", "battle/theme") == pytest.approx(-16, abs=0.1)
        assert battle.plan(recorded).nothing_to_do
        (tmp_path / "theme.wav").write_bytes(tone(-44, 3))
        assert planned(battle, recorded)["battle/low"] == ("finish", "group battle: battle/theme changed")
        await battle.run(recorded)
        assert joint(battle, "battle/low", "battle/theme") == pytest.approx(-16, abs=0.1)
        assert len(battle.network.submits) == 1

    async def test_the_same_name_in_two_manifests_is_two_groups(self, battle: World) -> None:
        """A group is one manifest's."""
        other = battle.manifest(HEAD.replace("name: game", "name: other") + HIGH.replace("battle/", "boss/"))
        await battle.run(LOW + MIDDLE, beside=[other])
        assert lufs(battle, "boss/high") == [pytest.approx(-16, abs=0.1)]
        assert joint(battle, "battle/low", "battle/middle") == pytest.approx(-16, abs=0.1)


class TestTakes:
    """The pick counts; the others are there to be compared with it."""

    async def test_takes_beside_the_pick_get_the_same_gain(self, battle: World) -> None:
        """So that they can be told apart by ear."""
        tracks = LOW + HIGH.replace("{prompt", "{takes: 2, prompt")
        await battle.run(tracks, concurrency=1)
        beside = decode(str(battle.state / "takes/game/battle/high.take2.wav"))
        pick = decode(str(battle.output / "battle/high.wav"))
        first, second = (joint_loudness([momentary_powers(sound)]) for sound in (pick, beside))
        assert second == pytest.approx(first - 0.5, abs=0.05)
        assert joint(battle, "battle/low", "battle/high") == pytest.approx(-16, abs=0.1)

    async def test_the_take_that_passes_its_gates_counts(self, battle: World) -> None:
        """The first is silent: the second is the pick, here as anywhere."""
        battle.composer.silent.add("high")
        tracks = LOW + HIGH.replace("{prompt", "{takes: 2, prompt")
        result = await battle.run(tracks, concurrency=1)
        assert (result.exit, battle.index["battle/high.wav"]["provenance"]["take"]) == (0, 2)
        codes = [warning["code"] for warning in battle.index["battle/high.wav"]["warnings"]]
        assert "take_failed" in codes
        assert joint(battle, "battle/low", "battle/high") == pytest.approx(-16, abs=0.1)
        assert battle.plan(tracks).nothing_to_do

    async def test_one_more_take_leaves_the_group_alone(self, battle: World) -> None:
        """The pick stays, and so does all that was made of it."""
        await battle.run(GROUP)
        before = written(battle)
        result = await battle.run(GROUP.replace("{prompt: high", "{takes: 2, prompt: high"))
        assert (result.exit, written(battle)) == (0, before)
        assert [status(result, name) for name in NAMES] == ["kept", "kept", "generated"]


def reversed_step(sound: AudioSegment) -> AudioSegment:
    """A user's own step."""
    return sound.reverse()


async def test_a_users_own_steps_belong_to_what_is_measured(battle: World) -> None:
    """Another list of them finishes the group again."""
    await battle.run(GROUP, steps=[reversed_step])
    assert joint(battle) == pytest.approx(-16, abs=0.1)
    with_steps = dict(battle.index["battle/low.wav"]["group"]["members"])
    await battle.run(GROUP)
    assert battle.index["battle/low.wav"]["group"]["members"] != with_steps


async def test_an_asset_of_an_older_version_joins_its_group(battle: World) -> None:
    """It was levelled by itself, and its row knows of no group."""
    index = battle.output / "assets.json"
    await battle.run(GROUP)
    text = index.read_text()
    for name in NAMES:
        text = text.replace(f'"{name}": "', f'"no {name}": "')
    index.write_text(text)
    assert {action for action, _ in planned(battle, GROUP).values()} == {Action.FINISH.value}


async def test_an_interrupted_group_is_finished_by_the_next_run(battle: World) -> None:
    """What was paid for is here; nothing is bought again."""
    with anyio.move_on_after(7.0):
        battle.network.delay_s = lambda request: 60.0 if is_media(request) and b"high" not in request.content else 0.0
        await battle.run(GROUP)
    battle.network.delay_s = lambda _: 0.0
    result = await battle.run(GROUP)
    assert (result.exit, len(battle.network.submits)) == (0, 3)
    assert {job.state for job in battle.jobs} == {State.COLLECTED}
    assert joint(battle) == pytest.approx(-16, abs=0.1)


async def test_a_key_that_is_refused_leaves_the_group_for_the_next_run(battle: World) -> None:
    """No member is finished without the others because of it."""
    await battle.run(LOW)
    battle.network.before.append(
        lambda request: httpx.Response(401, json={"error": {}}) if b"high" in request.content else None
    )
    result = await battle.run(GROUP)
    assert result.exit == 4
    battle.network.before.clear()
    assert (await battle.run(GROUP)).exit == 0
    assert joint(battle) == pytest.approx(-16, abs=0.1)
