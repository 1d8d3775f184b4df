"""Where the files of renamed tracks are: what lies in the output folder decides which of the renames can be made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pipeline.planning.renames import Held, Move, moves_of, renamed_tracks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from pipeline.manifest.tracks import Manifest, Track
    from pipeline.output import AssetRow, OutputFolder

    Rows = Mapping[tuple[str, str], AssetRow]  # (manifest, path) -> row

#: What game engines keep beside an asset, under its whole name: Godot's settings and ids, Unity's.
SIDECARS: Final = (".import", ".uid", ".meta")


def aside_path(path: str) -> str:
    """Where an asset waits while its name is passed on to another and its own is not free yet."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}.{name}.aside"


def find_moves(
    output: OutputFolder,
    manifest: Manifest,
    rows: Rows,
    recordings: Mapping[Path, str],
    *,
    obstacles: Collection[tuple[str, str]],
    meant: Callable[[Track], bool] = lambda _: True,
) -> tuple[Move, ...]:
    """The moves that a run of `manifest` would make before anything else.

    None over a file that is not what the index says of it, or that the index does not know. `meant`: may a track be
    touched?
    """

    def is_continued(old: AssetRow, new: AssetRow) -> bool:
        return not output.intact(old) or not output.intact(new)

    renames = renamed_tracks(manifest, rows, recordings, is_continued, meant)
    found = [
        [
            replace(move, held=_held(output, move), replaces=(manifest.name, move.new.path) in rows)
            for move in moves_of(renamed, manifest, rows, recordings)
        ]
        for renamed in renames
    ]
    return tuple(move for moves in _possible(output, found, rows, obstacles) for move in moves)


def _held(output: OutputFolder, move: Move) -> Held:
    places = (
        (Held.THERE, move.old.path),
        (Held.MOVED, move.new.path),
        (Held.ASIDE, aside_path(move.old.path)),
    )
    return next((held for held, path in places if _is_here(output, replace(move.old, path=path))), Held.GONE)


def _is_here(output: OutputFolder, row: AssetRow) -> bool:
    """A link would lead nowhere under another name: what it leads to is left alone."""
    return not output.folder.path(row.path).is_symlink() and output.intact(row)


def _possible(
    output: OutputFolder, found: Sequence[list[Move]], rows: Rows, obstacles: Collection[tuple[str, str]]
) -> list[list[Move]]:
    """Those that nothing stands in the way of: neither a stranger's file, nor one that can't move on itself."""
    possible = [moves for moves in found if not any(_is_barred(output, move, rows, obstacles) for move in moves)]
    while True:
        arriving = {move.old.path for moves in possible for move in moves}
        staying = {move.old.path for moves in found for move in moves} - arriving
        fewer = [moves for moves in possible if not any(move.new.path in staying for move in moves)]
        if len(fewer) == len(possible):
            return fewer
        possible = fewer


def _is_barred(output: OutputFolder, move: Move, rows: Rows, obstacles: Collection[tuple[str, str]]) -> bool:
    at = (move.new.manifest, move.new.path)
    if move.held is Held.MOVED or _is_one_file(output, move):
        return False
    standing = rows.get(at)
    is_strange = standing is not None and output.folder.holds(at[1]) and not output.intact(standing)
    return at in obstacles or is_strange


def _is_one_file(output: OutputFolder, move: Move) -> bool:
    """Are both names one file's, as where case counts for nothing?"""
    return output.folder.is_one_file(move.old.path, move.new.path)
