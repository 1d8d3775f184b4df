"""A prune dies at each of its effects: what a run needs is there all along, and the next prune finds the rest."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Final

import httpx
from attic import GATEWAY, HEAD, Furnished, told
from canned_finisher import CannedFinisher
from mortality import Dead, Mortal, MortalWriter, living
from scenarios import AtEffect

from pipeline.entry import make_plan, run
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import connect_to_read
from pipeline.manifest import parse_manifest
from pipeline.planning.plans import Action
from pipeline.pruning import find_prunable, prune
from pipeline.renaming import SIDECARS
from pipeline.workspace import LEDGER_NAME, Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.manifest.tracks import Manifest

_HEAD: Final = HEAD + "  menu: {prompt: calm}\n"
_GOING: Final = "  old/map: {prompt: wide}\n  old/deep/end: {prompt: last}\n"
_A_MONTH_S: Final = 31 * 24 * 3600.0
_MOST_EFFECTS: Final = 200


class Attic(Furnished):
    """Two folders that a run has filled, of which a manifest names a part."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.workspace = Workspace(self.work / "output", self.work / "state")

    def manifest(self, more: str = "") -> Manifest:
        return parse_manifest(_HEAD + more, self.work / "attic.yaml")

    async def run(self, more: str = "") -> None:
        plan = make_plan(
            self.manifest(more),
            output=self.workspace.output.folder.root,
            state=self.workspace.state.root,
            gateway=GATEWAY,
            clock=self.clock,
        )
        alive = Mortal(None, Counter())
        await run(
            plan,
            transport=httpx.ASGITransport(self.app),
            finisher=CannedFinisher(alive),
            clock=self.clock,
            ledger=partial(MortalWriter, mortal=alive),
        )

    async def furnish(self) -> None:
        await self.run(_GOING)
        for path in list(self.workspace.output.folder.root.rglob("*.wav")):
            for sidecar in SIDECARS:
                path.with_name(path.name + sidecar).write_text("uid")
        await self.run()
        self.keep()

    async def prune(self, nth: int | None) -> bool:
        """One process; False where it died at its nth effect."""
        mortal, now = Mortal(None if nth is None else AtEffect(nth), Counter()), self.clock.now() + _A_MONTH_S
        with living(mortal, self.work, lambda _: None):
            try:
                with self.workspace.locked():
                    found = find_prunable(self.workspace, [self.manifest()], now, at_once=False)
                    ledger = MortalWriter(self.workspace.ledger_path, mortal)
                    with closing(ledger):
                        await prune(self.workspace, found, ledger, now)
            except Dead:
                return False
        return True

    # --- what has to be true ----------------------------------------------------------------------------------------

    def nothing_in_use_is_touched(self) -> None:
        """What the manifest names stands, with its sidecars and its source; a plan buys nothing, whatever it is of."""
        output = self.workspace.output.folder.root
        for ending in (".wav", ".ogg", *(f".wav{sidecar}" for sidecar in SIDECARS)):
            assert (output / f"menu{ending}").exists(), ending
        json.loads((output / "assets.json").read_bytes())
        for more in ("", _GOING):
            plan = make_plan(
                self.manifest(more), output=output, state=self.workspace.state.root, clock=self.clock,
                gateway=GATEWAY,
            )  # fmt: skip
            actions = {track.track.name: track.action for part in plan.manifests for track in part.tracks}
            assert actions["menu"] is Action.KEEP
            assert plan.estimate_microusd == 0, actions

    def all_is_gone(self) -> None:
        """Files, sidecars, folders, rows and sources; what they cost is still on the books."""
        output = self.workspace.output.folder.root
        assert not (output / "old").exists()
        assert [row["path"] for row in self.workspace.output.read_index()] == ["menu.ogg", "menu.wav"]
        with closing(connect_to_read(self.workspace.state.root / LEDGER_NAME)) as connection:
            ledger = Ledger(connection)
            sources = ledger.all_sources()
            assert [row["path"] for row in ledger.asset_rows()] == ["menu.ogg", "menu.wav"]
            assert len(ledger.all_charges()) == len(sources) == 3
        there = {path.stem for path in (self.workspace.state.root / "sources").glob("??/*")}
        assert there == {source.sha256 for source in sources if source.pruned_at is None}
        assert len(there) == 1
        found = find_prunable(self.workspace, [self.manifest()], self.clock.now() + _A_MONTH_S, at_once=True)
        assert (found.orphans, found.sources) == ((), ())


async def _tell(folder: Path) -> int:
    attic = Attic(folder)
    await attic.furnish()
    for nth in range(1, _MOST_EFFECTS):
        attic.begin_again()
        if await attic.prune(nth):
            attic.all_is_gone()
            return nth
        attic.nothing_in_use_is_touched()
        assert await attic.prune(None)
        attic.nothing_in_use_is_touched()
        attic.all_is_gone()
    raise AssertionError("it never comes to its end")


def test_a_prune_that_dies_anywhere_is_completed_by_the_next() -> None:
    """By the same words; in between nothing that is in use is touched, and nothing would be bought again."""
    assert told(_tell) > 15
