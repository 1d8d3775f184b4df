"""Each delivered file is drawn when it is made; what was never drawn is drawn by the next run that does something."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pipeline.audio.waveform import COLUMNS, unpacked

if TYPE_CHECKING:
    from worlds import World

pytestmark = pytest.mark.anyio
TWO = "  menu: {prompt: calm, takes: 2, duration: 2, outputs: [wav]}\n"


def drawings(world):
    with closing(sqlite3.connect(world.state / "ledger.sqlite3")) as ledger:
        return {path: unpacked(blob) for path, blob in ledger.execute("SELECT path, waveform FROM drawings")}


async def test_assets_and_the_takes_beside_them_are_drawn_as_they_are_finished(world: World) -> None:
    """Nothing is decoded for a report; and the page has the asset's outline."""
    assert (await world.run(TWO)).exit == 0
    found = drawings(world)
    assert set(found) == {"menu.wav", "takes/game/menu.take2.wav"}
    assert {len(waveform.peaks) for waveform in found.values()} == {COLUMNS}
    assert (world.output / "report.html").read_text().count('class="peak"') == 1


async def test_what_was_never_drawn_is_drawn_once_by_a_run_that_does_something(world: World) -> None:
    """As after a clone without a ledger, or with an older one."""
    await world.run(TWO)
    with closing(sqlite3.connect(world.state / "ledger.sqlite3")) as ledger, ledger:
        ledger.execute("DELETE FROM drawings")
    more = f"{TWO}  title: {{prompt: bright, duration: 1, outputs: [wav]}}\n"
    assert (await world.run(more)).exit == 0
    assert {"menu.wav", "title.wav"} <= set(drawings(world))
    assert (world.output / "report.html").read_text().count('class="peak"') == 2
