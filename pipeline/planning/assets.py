"""Which of a track's files stand as they are, and what the index proves about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.fingerprints import finishing_fingerprint
from pipeline.planning.plans import AssetPlan, Facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.manifest.tracks import Track
    from pipeline.output import AssetRow


def plan_assets(
    track: Track, fingerprint: str, facts: Facts, stands: Callable[[AssetRow], bool]
) -> Iterator[AssetPlan]:
    for output in track.outputs:
        path = output.path(track.name)
        finishing = finishing_fingerprint(track, output, facts.steps)
        why = _why_not_kept(facts, (track.manifest, path), fingerprint, finishing, stands)
        intro = (track.manifest, output.intro_path(track.name))
        if not why and track.finishing.splits_intro and not _has_no_intro(facts.rows[track.manifest, path]):
            why = _why_not_kept(facts, intro, fingerprint, finishing, stands)
        yield AssetPlan(path, output, finishing, keep=not why, why=why)


def _why_not_kept(
    facts: Facts, at: tuple[str, str], paid: str, finishing: str, stands: Callable[[AssetRow], bool]
) -> str:
    row = facts.rows.get(at)
    if row is None:
        return "not there yet"
    if row.paid_fingerprint != paid:
        return "another source"
    if not stands(row):
        return "another take"
    if row.finishing_fingerprint != finishing:
        return "finishing changed"
    return "" if at in facts.intact else "missing or changed on disk"


def _has_no_intro(row: AssetRow) -> bool:
    """It loops from its first sample on, so nothing was split off."""
    return any(warning.get("code") == "no_intro" for warning in row.warnings)


def proof_of_purchase(track: Track, fingerprint: str, facts: Facts) -> AssetRow | None:
    """A row that shows that the track was bought: its paid fingerprint is the plan's, its file what was recorded.

    Where the file is gone the row still tells what was bought, so that nothing is bought again without a word.
    """
    rows = [row for row in rows_of(track, facts) if row.paid_fingerprint == fingerprint]
    rows.sort(key=lambda row: (track.manifest, row.path) not in facts.intact)
    return rows[0] if rows else None


def rows_of(track: Track, facts: Facts) -> tuple[AssetRow, ...]:
    rows = (facts.rows.get((track.manifest, path)) for path in track.asset_paths)
    return tuple(row for row in rows if row is not None)
