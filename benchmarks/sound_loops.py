"""Loops with a known period, made of real music: how many periods are found to the sample, and how many seams heard.

    python benchmarks/sound_loops.py [--most 40] [--seed 5] FOLDER

A stretch of 8 to 20 s of each track is repeated, started anywhere, with noise at -60 dBFS and a fade-out of 5 s, and is
delivered as a loop in wav, ogg and mp3. Seams are measured on those files.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from pipeline.audio.decoding import decode
from pipeline.audio.finishing import finish
from pipeline.audio.measurement import measure_seam
from pipeline.audio.settings import Finishing, Loop, Output
from pipeline.audio.sound import Sound
from pipeline.audio.tasks import FinishTask, Target

OUTPUTS = (Output("wav"), Output("ogg"), Output("mp3"))
LONGEST_PERIOD_S = 20


@dataclass(frozen=True)
class Outcome:
    """What became of one piece."""

    name: str
    period_s: float
    off: int  # frames from the next multiple of the period
    flux: tuple[float, ...]  # percentiles, by output
    heard: tuple[bool, ...]
    spent_s: float


def piece_of(music: Sound, random: np.random.Generator) -> tuple[Sound, int]:
    rate = music.sample_rate
    period = int(random.uniform(8, LONGEST_PERIOD_S) * rate)
    at = int(random.uniform(0, music.frames - period))
    frames = int(random.uniform(1.5, 3) * period) + 8 * rate
    first = int(random.integers(period))
    samples = np.take(music.samples[at : at + period], np.arange(first, first + frames), axis=0, mode="wrap")
    samples = samples + random.standard_normal(samples.shape) * 1e-3
    samples[-5 * rate :] *= np.linspace(1, 0, 5 * rate)[:, np.newaxis]
    return Sound(samples.astype(np.float32), rate), period


def outcome(source: Path, seed: int) -> Outcome:
    piece, period = piece_of(decode(str(source)), np.random.default_rng(seed))
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/source.wav"
        soundfile.write(path, piece.samples, piece.sample_rate, subtype="FLOAT")
        targets = tuple(Target(output, f"{folder}/asset.{output.extension}") for output in OUTPUTS)
        finishing = Finishing(loop=Loop(min_s=0.9 * period / piece.sample_rate), gates=(("silent", "off"),))
        started = time.process_time()
        files = finish(FinishTask(path, finishing, targets, "0"))
        spent_s = time.process_time() - started
        seams = [measure_seam(file.path, *file.loop) for file in files if file.loop]
        frames = soundfile.info(files[0].path).frames
    return Outcome(
        name=source.stem,
        period_s=period / piece.sample_rate,
        off=min(frames % period, -frames % period),
        flux=tuple(seam.flux for seam in seams),
        heard=tuple(seam.is_heard for seam in seams),
        spent_s=spent_s,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default=40)
    parser.add_argument("--seed", type=int, default=5)
    arguments = parser.parse_args()
    sources = [path for path in sorted(arguments.folder.rglob("*")) if path.suffix in (".ogg", ".mp3", ".wav", ".flac")]
    long = [path for path in sources if soundfile.info(str(path)).duration > LONGEST_PERIOD_S + 5][: arguments.most]
    with ProcessPoolExecutor(2) as pool:
        outcomes = list(pool.map(outcome, long, range(arguments.seed, arguments.seed + len(long))))
    for each in outcomes:
        fluxes = ", ".join(f"{percentile:5.1f}" for percentile in each.flux)
        print(f"{each.name:28.28} period {each.period_s:5.2f} s, off by {each.off:5} frames, flux {fluxes}")
    print(f"{sum(each.off == 0 for each in outcomes)} of {len(outcomes)} periods to the sample")
    for number, output in enumerate(OUTPUTS):
        over = sum(each.flux[number] > 98.5 for each in outcomes)
        heard = sum(each.heard[number] for each in outcomes)
        print(f"{output.format}: {over} of {len(outcomes)} over the 98.5th percentile of flux, {heard} heard at all")


if __name__ == "__main__":
    main()
