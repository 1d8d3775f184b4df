"""Real music to a target, read by an independent meter: is every file where it should be, and the index right?"""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from claims import Claim, told
from sound_meter import Reading, ffmpeg_reading, range_by_the_book
from sound_music import Piece, evenly

from pipeline.audio.finishing import finish
from pipeline.audio.settings import Finishing, Output
from pipeline.audio.tasks import FinishedFile, FinishTask, Target

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Executor

OUTPUTS = (Output("wav"), Output("flac"), Output("ogg"), Output("mp3"))
TARGET_LUFS, CEILING_DBTP = -16.0, -1.0
TOLERANCE_LU = {"wav": 0.1, "flac": 0.1, "ogg": 0.2, "mp3": 0.2}
PIECES_A_GAME = 8


@dataclass(frozen=True)
class Delivered:
    """A delivered file by its own account, by ffmpeg's, and its loudness range by the book."""

    piece: Piece
    file: FinishedFile
    meter: Reading
    book_range_lu: float

    @property
    def is_said_short(self) -> bool:
        return any(warning.code == "loudness_short" for warning in self.file.warnings)

    @property
    def off_lu(self) -> float:
        return abs(self.meter.lufs - TARGET_LUFS)


def deliver(piece: Piece) -> list[Delivered]:
    with tempfile.TemporaryDirectory() as folder:
        targets = tuple(Target(output, f"{folder}/asset.{output.extension}") for output in OUTPUTS)
        task = FinishTask(str(piece.path), Finishing(gates=(("silent", "off"),)), targets, "0")
        return [
            Delivered(piece, file, ffmpeg_reading(file.path), range_by_the_book(file.path)) for file in finish(task)
        ]


def run(music: dict[str, list[Piece]], pool: Executor) -> list[Claim]:
    pieces = [piece for game in music.values() for piece in evenly(game, PIECES_A_GAME)]
    files = [file for files in pool.map(deliver, pieces) for file in files]
    games = ", ".join(f"{min(len(game), PIECES_A_GAME)} of {name}" for name, game in music.items())
    print(f"Delivered at {TARGET_LUFS:g} LUFS / {CEILING_DBTP:g} dBTP, read by ffmpeg's ebur128: {games}\n")
    told([HEAD, *(_row(output, files) for output in OUTPUTS)])
    for each in sorted(files, key=lambda each: -each.off_lu):
        if each.is_said_short or _is_off(each):
            said = "; ".join(warning.message for warning in each.file.warnings if warning.code == "loudness_short")
            print(f"  {each.piece.name} {each.file.format}: {each.meter.lufs:.2f} LUFS, {said or 'and nothing said'}")
    print()
    return [claim for output in OUTPUTS for claim in _claims(output, files)]


HEAD = (
    "format", "files", "at the target", "said short", "neither", "over by > 0.1 dB", "highest dBTP", "LUFS apart",
    "dBTP apart", "range apart", "ffmpeg's range off the book", "ours",
)  # fmt: skip


def _is_off(each: Delivered) -> bool:
    return each.off_lu > TOLERANCE_LU[each.file.format] and not each.is_said_short


def _row(output: Output, files: list[Delivered]) -> tuple[str, ...]:
    mine = [each for each in files if each.file.format == output.format]
    at_target = sum(each.off_lu <= TOLERANCE_LU[output.format] for each in mine)
    return (
        output.format,
        str(len(mine)),
        str(at_target),
        str(sum(each.is_said_short and each.off_lu > TOLERANCE_LU[output.format] for each in mine)),
        str(sum(map(_is_off, mine))),
        str(sum(each.meter.true_peak_dbtp > CEILING_DBTP + 0.1 for each in mine)),
        f"{max(each.meter.true_peak_dbtp for each in mine):.2f}",
        *map(_spread, (_lufs_apart(mine), _peaks_apart(mine), _ranges_apart(mine), _ffmpeg_off(mine), _ours_off(mine))),
    )


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.3f} (most {max(values):.2f})"


def _lufs_apart(files: Iterable[Delivered]) -> list[float]:
    return [abs(each.meter.lufs - (each.file.lufs or 0)) for each in files]


def _peaks_apart(files: Iterable[Delivered]) -> list[float]:
    return [abs(each.meter.true_peak_dbtp - (each.file.true_peak_dbtp or 0)) for each in files]


def _ranges_apart(files: Iterable[Delivered]) -> list[float]:
    return [abs(each.meter.range_lu - (each.file.loudness_range_lu or 0)) for each in files]


def _ffmpeg_off(files: Iterable[Delivered]) -> list[float]:
    return [abs(each.meter.range_lu - each.book_range_lu) for each in files]


def _ours_off(files: Iterable[Delivered]) -> list[float]:
    return [abs((each.file.loudness_range_lu or 0) - each.book_range_lu) for each in files]


def _claims(output: Output, files: list[Delivered]) -> list[Claim]:
    mine = [each for each in files if each.file.format == output.format]
    highest = max(each.meter.true_peak_dbtp for each in mine)
    return [
        Claim(f"{output.format}: files off their target, and nothing said", sum(map(_is_off, mine)), 0),
        Claim(f"{output.format}: the highest true peak over its ceiling, dB", highest - CEILING_DBTP, 0.1),
        Claim(f"{output.format}: the index and ffmpeg's meter apart, LU", max(_lufs_apart(mine)), 0.1),
        Claim(f"{output.format}: the index and ffmpeg's meter apart, dBTP", max(_peaks_apart(mine)), 0.1),
        Claim(f"{output.format}: the index's loudness range off EBU Tech 3342, LU", max(_ours_off(mine)), 0.1),
    ]
