"""Which of a track's files stand as they are, what has changed of the others, and what the index proves about them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pipeline.fingerprints import finishing_fingerprint, finishing_record
from pipeline.planning.changes import finishing_changes, in_words, paid_changes
from pipeline.planning.plans import AssetPlan, Facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.manifest.tracks import Track
    from pipeline.output import AssetRow


_NOT_THERE: Final = "not there yet"
_ANOTHER_SOURCE: Final = "another source"
_FINISHING_CHANGED: Final = "finishing changed"


def plan_assets(
    track: Track, fingerprint: str, facts: Facts, stands: Callable[[AssetRow], bool]
) -> Iterator[AssetPlan]:
    for output in track.outputs:
        path = output.path(track.name)
        settings = finishing_record(track, output, facts.steps)
        finishing = finishing_fingerprint(track, output, facts.steps)
        why = _why_not_kept(facts, (track.manifest, path), fingerprint, finishing, stands)
        intro = (track.manifest, output.intro_path(track.name))
        if not why and track.finishing.splits_intro and not _has_no_intro(facts.rows[track.manifest, path]):
            why = _why_not_kept(facts, intro, fingerprint, finishing, stands)
        asset = AssetPlan(path, output, finishing, keep=not why, why=why, settings=settings)
        yield asset if asset.keep else _with_changes(asset, track, fingerprint, facts)


def _why_not_kept(
    facts: Facts, at: tuple[str, str], paid: str, finishing: str, stands: Callable[[AssetRow], bool]
) -> str:
    row = facts.rows.get(at)
    if row is None:
        return _NOT_THERE
    if row.paid_fingerprint != paid:
        return _ANOTHER_SOURCE
    if not stands(row):
        return "another take"
    if row.finishing_fingerprint != finishing:
        return _FINISHING_CHANGED
    return "" if at in facts.intact else "missing or changed on disk"


def _with_changes(asset: AssetPlan, track: Track, paid: str, facts: Facts) -> AssetPlan:
    """`asset`, told by what has changed since its row was written."""
    row = facts.rows.get((track.manifest, asset.path))
    if row is None:
        is_new = any(one.path != asset.path for one in rows_of(track, facts))
        return replace(asset, why=f"outputs: {asset.output.extension} is new") if is_new else asset
    asked = () if row.paid_fingerprint == paid else paid_changes(row, track, facts.kind)
    changes = (*asked, *finishing_changes(row, asset.settings))
    is_changed = asset.why in (_ANOTHER_SOURCE, _FINISHING_CHANGED)
    return replace(asset, why=in_words(changes, otherwise=asset.why) if is_changed else asset.why, changes=changes)


def _has_no_intro(row: AssetRow) -> bool:
    """It loops from its first sample on, so nothing was split off."""
    return any(warning.get("code") == "no_intro" for warning in row.warnings)


def proof_of_purchase(track: Track, fingerprint: str, facts: Facts) -> AssetRow | None:
    """A row that shows that the track was bought: its paid fingerprint is the plan's, its file what was recorded.

    Where the file is gone the row still tells what was bought, so that nothing is bought again without a word. So does
    another track's, since two tracks with one paid fingerprint are one purchase.
    """
    rows = [row for row in rows_of(track, facts) if row.paid_fingerprint == fingerprint]
    rows.sort(key=lambda row: (track.manifest, row.path) not in facts.intact)
    return rows[0] if rows else facts.bought.get(fingerprint)


def rows_of(track: Track, facts: Facts) -> tuple[AssetRow, ...]:
    rows = [facts.rows.get((track.manifest, path)) for path in track.asset_paths]
    return tuple([row for row in rows if row is not None])
