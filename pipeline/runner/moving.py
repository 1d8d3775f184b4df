"""Renamed tracks' assets take their new names, and what engines keep beside them goes with them.

Each step is one rename, and the asset's own comes last: what a kill leaves is either still to be moved, sidecars or
not, or has been moved whole. Where an asset is, its hash tells (`pipeline.renaming`), so that no record of the moves is
needed. Where names are passed around in a circle, one asset is put aside for the others to go on.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pipeline.manifest.names import folded
from pipeline.planning.renames import Held
from pipeline.renaming import SIDECARS, aside_path
from pipeline.runner.events import Notice, TrackMoved
from pipeline.sources import take_path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pipeline.files import Folder
    from pipeline.ledger.ledger import Ledger
    from pipeline.planning.plans import ManifestPlan
    from pipeline.planning.renames import Move
    from pipeline.runner.tools import Tools


async def move_assets(tools: Tools, plans: Iterable[ManifestPlan]) -> None:
    """Make the moves of `plans`. Raises FolderError and OSError; whatever is moved by then stays so."""
    for plan in plans:
        moves = plan.moves
        if not moves:
            continue
        # On the books before they stand, as every asset is.
        await tools.ledger.write(partial(_note_on_the_books, moves))
        claimed = {path for track in plan.tracks for path in track.track.asset_paths}
        _Mover(tools.output.folder, claimed, lambda text: tools.observe(Notice(text))).move_all(moves)
        for track in plan.tracks:
            if track.moves:
                _move_takes(tools.state, track.moves)
                paths = tuple(move.new.path for move in track.moves)
                tools.observe(TrackMoved(plan.manifest.name, track.track.name, track.moves[0].old.name, paths))


def _note_on_the_books(moves: Iterable[Move], ledger: Ledger) -> None:
    ledger.add_assets([move.new.document() for move in moves])


@dataclass(eq=False)
class _Waiting:
    """An asset that has not arrived yet, and where it is."""

    move: Move
    at: str


class _Mover:
    """Passes names on in one output folder. `claimed`: the paths that the manifest's tracks have now."""

    def __init__(self, folder: Folder, claimed: set[str], say: Callable[[str], None]) -> None:
        self._folder = folder
        self._claimed = claimed
        self._say = say

    def move_all(self, moves: Sequence[Move]) -> None:
        """Each as soon as its new name is free."""
        waiting: dict[str, _Waiting] = {}  # by where it is; where case counts for nothing, two spellings are one
        for move in moves:
            if move.held in (Held.THERE, Held.ASIDE):
                at = aside_path(move.old.path) if move.held is Held.ASIDE else move.old.path
                waiting[folded(at)] = _Waiting(move, at)
            else:
                self._follow(move)
        for one in list(waiting.values()):
            for ready in self._in_turn(one, waiting):
                del waiting[folded(ready.at)]
                self._arrive(ready)

    def _in_turn(self, one: _Waiting, waiting: dict[str, _Waiting]) -> Iterator[_Waiting]:
        """What has to go first, each from the other's new name, and `one` last; a circle is broken where it closes."""
        row: list[_Waiting] = []
        following = waiting.get(folded(one.at))
        while following is not None:
            row.append(following)
            blocker = waiting.get(folded(following.move.new.path))
            if blocker is following:  # only its case is another
                break
            if blocker is not None and blocker is row[0]:
                del waiting[folded(blocker.at)]
                self._put_aside(blocker)
                waiting[folded(blocker.at)] = blocker
                break
            following = blocker
        return reversed(row)

    def _put_aside(self, one: _Waiting) -> None:
        aside = aside_path(one.move.old.path)
        self._move_sidecars(one.at, aside)
        self._folder.move(one.at, aside)
        one.at = aside

    def _arrive(self, one: _Waiting) -> None:
        move = one.move
        # Whoever died while it put an asset aside may have moved no more than what belongs to that.
        for place in dict.fromkeys((one.at, aside_path(move.old.path))):
            self._move_sidecars(place, move.new.path)
        self._folder.move(one.at, move.new.path, over=move.replaces)
        self._folder.remove_empty_above(move.old.path)

    def _follow(self, move: Move) -> None:
        """The asset was moved by hand, or is gone: what belongs to it follows, unless that is another's by now."""
        if not self._folder.holds(move.old.path) and move.old.path not in self._claimed:
            self._move_sidecars(move.old.path, move.new.path)
            self._folder.remove_empty_above(move.old.path)

    def _move_sidecars(self, path: str, to: str) -> None:
        for sidecar in SIDECARS:
            old, new = path + sidecar, to + sidecar
            if not self._folder.holds(old):
                continue
            if self._folder.holds(new) and not self._folder.is_one_file(old, new):
                self._say(f"{old} stays where it is: {to} has one of its own")
            else:
                self._folder.move(old, new)


def _move_takes(state: Folder, moves: Sequence[Move]) -> None:
    """The takes beside the pick, as far as they are there: they could be finished again."""
    for move in moves:
        old, new = move.old, move.new
        ending = old.path.removeprefix(old.name)
        for take in range(1, old.provenance.takes + 1):
            with suppress(OSError):
                state.move(
                    take_path_of(old.manifest, old.name, take, ending),
                    take_path_of(new.manifest, new.name, take, ending),
                )
