"""SIGKILL while two tracks swap their names, and the same words again: the real program, over a real socket."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from boundaries import MOVES
from places import TRACKS, Place, once

if TYPE_CHECKING:
    from lives import At

SIDECARS = (".import", ".uid", ".meta")
#: One goes aside, the other to its name, and then it comes back; its sidecars go before it each time.
MOVED: list[At] = [(name, when, nth) for name in MOVES for nth in (1, 3) for when in ("before", "after")]
OTHERS: list[At] = [(name, "after", 1) for name in ("opening", "asset on the books", "index", "report", "closing")]


@pytest.fixture
def swapped(finished: Place) -> Place:
    """Everything is made, one asset has sidecars, and then the tracks' prompts change places."""
    for sidecar in SIDECARS:
        (finished.output / f"demo/menu.wav{sidecar}").write_text("menu")
    manifest = finished.folder / "demo.yaml"
    text = manifest.read_text().replace("demo/menu:", "demo/x:").replace("demo/battle:", "demo/menu:")
    manifest.write_text(text.replace("demo/x:", "demo/battle:"))
    return finished


@pytest.mark.parametrize(
    ("at", "ledger"),
    [*((at, True) for at in MOVED + OTHERS), *((at, False) for at in MOVED if at[0] == "asset move")],
    ids=lambda value: f"{value[1]} {value[0]} {value[2]}" if isinstance(value, tuple) else "" if value else "no ledger",
)
def test_a_swap_that_was_killed_is_carried_to_its_end(swapped: Place, at: At, *, ledger: bool) -> None:
    """Each sound under its new name, sidecars with it, every row right, and nothing bought."""
    before = {path: content for path, content in swapped.assets.items() if not path.endswith(SIDECARS)}
    assert swapped.live("demo.yaml", at=at).status == -signal.SIGKILL
    if not ledger:
        swapped.lose_ledger()
    swapped.run("demo.yaml")
    after = swapped.assets
    assert (after["demo/battle.wav"], after["demo/menu.wav"]) == (before["demo/menu.wav"], before["demo/battle.wav"])
    assert {path for path in after if path.endswith(SIDECARS)} == {f"demo/battle.wav{one}" for one in SIDECARS}
    assert swapped.proven == {f"demo/{track}.wav" for track in TRACKS}
    assert [path.name for path in swapped.output.rglob(".*.aside*")] == []
    assert swapped.bought == once("demo")
    swapped.assert_settled("demo.yaml")
