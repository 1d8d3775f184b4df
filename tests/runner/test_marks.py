"""What a run writes of its assets' origin: into their tags, and into the index."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import mutagen
import numpy as np
import pytest
import soundfile
from worlds import status

from pipeline.audio.marks import ALGORITHMIC, TRAINED

if TYPE_CHECKING:
    from pathlib import Path

    from worlds import World

pytestmark = pytest.mark.anyio

MENU = "  menu: {prompt: calm menu, outputs: [flac]}\n"
UNMARKED = "  menu: {prompt: calm menu, outputs: [flac], mark: none}\n"


def tags(path: Path) -> dict[str, str]:
    return dict(mutagen.File(path).tags)


async def test_what_was_bought_says_so(world: World) -> None:
    """In its tags: IPTC's source type, the model and the job; the index says that it does. So do takes beside it."""
    await world.run("  menu: {prompt: calm menu, outputs: [flac], takes: 2}\n")
    jobs = {job.key.take: job.job_id for job in world.jobs}
    for take, path in ((1, world.output / "menu.flac"), (2, world.state / "takes/game/menu.take2.flac")):
        assert tags(path) == {
            "title": ["menu"],
            "digitalsourcetype": [TRAINED],
            "aisystemused": ["sony-ai/mmaudio-v2-text-to-audio"],
            "jobid": [jobs[take]],
        }
    row = world.index["menu.flac"]
    assert row["mark"] == TRAINED
    assert row["source_marks"] == {"c2pa": False, "digital_source_type": None, "tags": {}}


async def test_a_placeholder_and_a_recording_say_what_they_are(world: World, tmp_path: Path) -> None:
    """A placeholder was made by rules, and no model had a part in it; a recording says nothing."""
    hum = 0.1 * np.sin(np.arange(88_200) / 20)
    soundfile.write(tmp_path / "theme.wav", hum, 44_100)
    await world.run(MENU + "  theme: {file: theme.wav, outputs: [flac]}\n", kind="local")
    assert tags(world.output / "menu.flac").keys() == {"title", "digitalsourcetype", "jobid"}
    assert tags(world.output / "theme.flac") == {"title": ["theme"]}
    assert [world.index[path]["mark"] for path in ("menu.flac", "theme.flac")] == [ALGORITHMIC, None]


async def test_a_mark_is_taken_off_and_put_on_for_nothing(world: World) -> None:
    """A change of `mark` finishes again, by itself; the plan says what has changed."""
    await world.run(MENU)
    assert world.plan(UNMARKED).manifests[0].tracks[0].why == "mark iptc -> none"
    bought = len(world.network.submits)
    assert status(await world.run(UNMARKED)) == "finished"
    assert (tags(world.output / "menu.flac"), world.index["menu.flac"]["mark"]) == ({"title": ["menu"]}, None)
    await world.run(MENU)
    assert world.index["menu.flac"]["mark"] == TRAINED
    assert len(world.network.submits) == bought


async def test_what_stands_from_before_there_were_marks_stays(world: World) -> None:
    """An older index says nothing of them: nothing is finished again, and `mark: none` is the first to change that."""
    await world.run(MENU)
    index = json.loads((world.output / "assets.json").read_text())
    for row in index["assets"]:
        del row["mark"], row["source_marks"]
    (world.output / "assets.json").write_text(json.dumps(index))
    assert world.plan(MENU).nothing_to_do
    assert "mark" not in world.index["menu.flac"]["settings"]["finishing"]
    assert not world.plan(UNMARKED).nothing_to_do
