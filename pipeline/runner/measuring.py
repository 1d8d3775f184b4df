"""What only a lock has kept is measured again, so that the index can tell of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.audio.tasks import AudioError
from pipeline.picks.proving import is_unmeasured
from pipeline.runner.events import Event, Notice
from pipeline.runner.finisher import WorkerDied
from pipeline.runner.finishing import rounded

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.files import Folder
    from pipeline.output import AssetRow
    from pipeline.runner.finisher import Finisher
    from pipeline.runner.results import ManifestResult


async def measured(
    manifest: ManifestResult, output: Folder, finisher: Finisher, observe: Callable[[Event], None]
) -> ManifestResult:
    """`manifest` with the figures of its files that had none, as far as they can be had; where not, that is said."""
    if not any(map(is_unmeasured, manifest.rows)):
        return manifest
    tracks = [
        replace(track, rows=tuple([await _measured(row, output, finisher, observe) for row in track.rows]))
        for track in manifest.tracks
    ]
    return replace(manifest, tracks=tuple(tracks))


async def _measured(row: AssetRow, output: Folder, finisher: Finisher, observe: Callable[[Event], None]) -> AssetRow:
    if not is_unmeasured(row):
        return row
    try:
        found = await finisher.remeasure(str(output.path(row.path)), None)
    except (AudioError, WorkerDied, OSError) as error:
        observe(Notice(f"{row.path}: it is kept, and could not be measured again: {error}"))
        return row
    return replace(
        row,
        duration=round(found.figures.duration_s, 6),
        sample_rate=found.figures.sample_rate,
        channels=found.figures.channels,
        lufs=rounded(found.figures.lufs),
        max_short_term_lufs=rounded(found.figures.max_short_term_lufs),
        loudness_range=rounded(found.figures.loudness_range_lu),
        true_peak_dbtp=rounded(found.figures.true_peak_dbtp),
        loop=None if found.loop is None else {"start": found.loop[0], "end": found.loop[1]},
        mark=found.mark,
    )
