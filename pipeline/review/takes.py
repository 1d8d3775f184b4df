"""The takes of a track as the page has them side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from pipeline.history import history_of
from pipeline.money import as_usd
from pipeline.report.text import one_line_or_none
from pipeline.review.figures import Figures
from pipeline.review.hearing import exact, heard

if TYPE_CHECKING:
    from pipeline.history import Generation, History
    from pipeline.manifest.tracks import Manifest, Track
    from pipeline.review.figures import Measurer
    from pipeline.review.hearing import Heard
    from pipeline.workspace import Workspace


async def takes_document(workspace: Workspace, manifest: Manifest, track: Track, measurer: Measurer) -> dict[str, Any]:
    """Every take of what the manifest asks for now, with what is measured of its sound.

    `take` is what it is called, `version` what means it and no other. Raises LedgerError, LockMistake, FolderError.
    """
    if track.prompt is None:
        return {"takes": []}
    history = history_of(workspace, manifest, track)
    current = [one for one in history.generations if one.is_current]
    sounds = [heard(workspace, history, one) for one in current]
    figures = await _measured(sounds, measurer)
    return {"takes": [_take(*of_one, history) for of_one in zip(current, sounds, figures, strict=True)]}


async def _measured(sounds: list[Heard | None], measurer: Measurer) -> list[Figures]:
    found = [Figures() for _ in sounds]

    async def measure(number: int, sound: Heard) -> None:
        found[number] = await measurer.figures(sound.path)

    async with anyio.create_task_group() as tasks:
        for number, sound in enumerate(sounds):
            if sound is not None:
                tasks.start_soon(measure, number, sound)
    return found


def _take(one: Generation, sound: Heard | None, figures: Figures, history: History) -> dict[str, Any]:
    return {
        "take": str(one.version),
        "version": exact(one),
        "audio": None if sound is None else sound.address,
        "finished": sound is not None and sound.is_finished,
        "is_pick": one.version == history.pick,
        "lufs": figures.lufs,
        "true_peak_dbtp": figures.true_peak_dbtp,
        "duration": figures.duration_s or one.seconds,
        "cost_usd": None if one.cost_microusd is None else as_usd(one.cost_microusd),
        "cost_basis": one.cost_basis,
        "date": one.date,
        "placeholder": one.placeholder,
        "unfit": one_line_or_none(one.unfit),
        "starred": one.starred,
        "note": one.note,
        "kept": one.kept,
        "status": one.status,
        "drawing": figures.drawing,
    }
