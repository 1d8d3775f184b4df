"""Formats that can't be made on this machine: nothing is bought for them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import anyio
import pytest
from worlds import HEAD, World, error, status

from pipeline.audio import formats
from pipeline.jobs import State
from pipeline.planning.plans import Action

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

AS_M4A = "  menu: {prompt: calm menu, outputs: [wav, m4a]}\n"


@pytest.fixture(autouse=True)
def no_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "ffmpeg_is_there", lambda: False)


@pytest.mark.parametrize("kind", ["real", "local"])
@pytest.mark.parametrize("audio_format", ["m4a", "opus"])
async def test_nothing_is_bought_for_a_format_that_cant_be_made_here(
    world: World, audio_format: str, kind: str
) -> None:
    """The track fails before money is spent, with what to install or to ask for; the others are made."""
    tracks = f"  menu: {{prompt: calm, outputs: [wav, {audio_format}]}}\n  more: {{prompt: more}}\n"
    result = await world.run(tracks, kind=kind)
    assert (result.exit, status(result), status(result, "more")) == (1, "failed", "generated")
    assert len(world.network.submits) == 1
    assert error(result) == f"{audio_format} needs ffmpeg on the PATH: install it, or ask for ogg, mp3, flac or wav"


async def test_where_ffmpeg_is_there_the_track_is_generated(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan is the same as for any other format."""
    assert [track.action for track in world.plan(AS_M4A).manifests[0].tracks] == [Action.BLOCKED]
    monkeypatch.setattr(formats, "ffmpeg_is_there", lambda: True)
    assert [track.action for track in world.plan(AS_M4A).manifests[0].tracks] == [Action.GENERATE]


async def test_what_is_paid_for_is_collected_though_it_cant_be_made(world: World) -> None:
    """The format was changed while the job was generated: its source comes home, and another format is free."""
    with anyio.move_on_after(2.0):
        await world.run("  menu: {prompt: calm menu}\n")
    result = await world.run(AS_M4A)
    assert (result.exit, status(result), [job.state for job in world.jobs]) == (1, "failed", [State.COLLECTED])
    result = await world.run("  menu: {prompt: calm menu}\n")
    assert (result.exit, status(result), len(world.network.submits)) == (0, "finished", 1)


def test_a_plan_asks_without_numpy(tmp_path: Path) -> None:
    """It starts fast, whatever formats it is about."""
    (tmp_path / "game.yaml").write_text(HEAD + AS_M4A)
    program = (
        "import sys, pathlib, pipeline; folder = pathlib.Path(sys.argv[1]);"
        "manifest = pipeline.load_manifest(folder / 'game.yaml');"
        "plan = pipeline.make_plan(manifest, output=folder / 'output', state=folder / 'state');"
        "print(*sys.modules)"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "pipeline.audio.formats" in loaded
    assert {"numpy", "soundfile", "pydub"}.isdisjoint(loaded)
