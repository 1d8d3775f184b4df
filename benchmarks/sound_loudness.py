"""Real music to a target, measured by an independent meter: how many files are where they should be.

    python benchmarks/sound_loudness.py --ffmpeg FFMPEG [--most 20] FOLDER

Every audio file of 15 s or more below FOLDER (evenly chosen, at most `--most`) is delivered as wav, ogg and mp3 at
-16 LUFS / -1 dBTP and read by ffmpeg's `ebur128`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import soundfile

from pipeline.audio.finishing import finish
from pipeline.audio.settings import Finishing, Output
from pipeline.audio.tasks import FinishedFile, FinishTask, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTPUTS = (Output("wav"), Output("ogg"), Output("mp3"))
TOLERANCE_LU = {"wav": 0.1, "ogg": 0.2, "mp3": 0.2}


@dataclass(frozen=True)
class Reading:
    """A delivered file by its own account and by ffmpeg's."""

    name: str
    file: FinishedFile
    lufs: float
    true_peak_dbtp: float


def music_in(folder: Path, most: int) -> list[Path]:
    found = [path for path in sorted(folder.rglob("*")) if path.suffix in (".ogg", ".mp3", ".wav", ".flac")]
    long = [path for path in found if soundfile.info(str(path)).duration >= 15]
    return long[:: max(1, len(long) // most)][:most]


def deliver(source: Path, ffmpeg: str) -> tuple[list[Reading], float]:
    """`source` in every format, each read by ffmpeg; and the CPU seconds that finishing took."""
    with tempfile.TemporaryDirectory() as folder:
        targets = tuple(Target(output, f"{folder}/asset.{output.extension}") for output in OUTPUTS)
        started = time.process_time()
        finished = finish(FinishTask(str(source), Finishing(gates=(("silent", "off"),)), targets, "0"))
        spent_s = time.process_time() - started
        return [Reading(source.stem, file, *ffmpeg_reading(ffmpeg, file.path)) for file in finished], spent_s


def ffmpeg_reading(ffmpeg: str, path: str) -> tuple[float, float]:
    command = [ffmpeg, "-nostdin", "-hide_banner", "-i", path, "-af", "ebur128=peak=true", "-f", "null", "-"]
    summary = subprocess.run(command, capture_output=True, text=True, check=True).stderr.rpartition("Summary:")[2]
    lufs = re.search(r"I:\s+(-?[\d.]+) LUFS", summary)
    peak = re.search(r"Peak:\s+(-?[\d.]+) dBFS", summary)
    assert lufs
    assert peak
    return float(lufs[1]), float(peak[1])


def table(readings: list[Reading]) -> Iterator[str]:
    for reading in readings:
        file = reading.file
        notes = "; ".join(f"{warning.code}: {warning.message}" for warning in file.warnings)
        yield (
            f"{reading.name:28.28} {file.format:4} {reading.lufs:6.1f} LUFS {reading.true_peak_dbtp:5.1f} dBTP, "
            f"by itself {file.lufs:7.2f} {file.true_peak_dbtp:6.2f}, limited {file.limited_db:4.2f}  {notes}"
        )


def counts(readings: list[Reading], audio_format: str) -> str:
    mine = [reading for reading in readings if reading.file.format == audio_format]
    short = [reading for reading in mine if any(note.code == "loudness_short" for note in reading.file.warnings)]
    # ffmpeg prints tenths: half of one is its own rounding.
    near = [reading for reading in mine if abs(reading.lufs + 16) <= TOLERANCE_LU[audio_format] + 0.051]
    over = [reading for reading in mine if reading.true_peak_dbtp > -0.9]
    apart = max(abs(reading.lufs - reading.file.lufs) for reading in mine)
    peaks_apart = max(abs(reading.true_peak_dbtp - reading.file.true_peak_dbtp) for reading in mine)
    return (
        f"{audio_format}: {len(near)} of {len(mine)} within {TOLERANCE_LU[audio_format]} LU of -16, {len(short)} said "
        f"to be short, {len(over)} more than 0.1 dB over -1 dBTP; the meters differ by up to {apart:.2f} LU and "
        f"{peaks_apart:.2f} dB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ffmpeg", default="ffmpeg")
    parser.add_argument("--most", type=int, default=20)
    arguments = parser.parse_args()
    sources = music_in(arguments.folder, arguments.most)
    with ProcessPoolExecutor(2) as pool:
        results = list(pool.map(deliver, sources, [arguments.ffmpeg] * len(sources)))
    readings = [reading for found, _ in results for reading in found]
    print(*table(readings), sep="\n")
    print(*(counts(readings, output.format) for output in OUTPUTS), sep="\n")
    print(f"{sum(spent_s for _, spent_s in results):.0f} CPU seconds for {len(sources)} tracks")


if __name__ == "__main__":
    main()
