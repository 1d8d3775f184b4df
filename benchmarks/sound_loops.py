"""Loops with a known period, made of real music: is the period found to the sample, and is the seam heard?

A stretch of 8 to 20 s of each piece is repeated, started anywhere, with noise at -60 dBFS and a fade-out of 5 s, and is
delivered as a loop in wav, ogg and mp3. PyMusicLooper is given the same file and the same least length; its best pair
is cut to the sample. Seams are measured on the delivered files, by the pipeline's own measure, for want of another.
"""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from claims import Claim, told
from sound_music import Piece, evenly

from pipeline.audio.decoding import decode
from pipeline.audio.finishing import finish
from pipeline.audio.measurement import measure_seam
from pipeline.audio.seam import MOST_FLUX, seam_of
from pipeline.audio.settings import Finishing, Loop, Output
from pipeline.audio.sound import Sound
from pipeline.audio.tasks import FinishTask, Target

if TYPE_CHECKING:
    from concurrent.futures import Executor

OUTPUTS = (Output("wav"), Output("ogg"), Output("mp3"))
LONGEST_PERIOD_S = 20
LEAST_SHARE = 0.9  # of the period, told to both
PIECES_A_GAME = 14
PEER = "PyMusicLooper"


@dataclass(frozen=True)
class Found:
    """A loop that was found: how far from the next multiple of the period, and its seam's flux as a percentile."""

    off: int
    flux: float


def known_loop(music: Sound, random: np.random.Generator) -> tuple[Sound, int]:
    """A piece that repeats after so many frames."""
    rate = music.sample_rate
    period = int(random.uniform(8, LONGEST_PERIOD_S) * rate)
    at = int(random.uniform(0, music.frames - period))
    frames = int(random.uniform(1.5, 3) * period) + 8 * rate
    first = int(random.integers(period))
    samples = np.take(music.samples[at : at + period], np.arange(first, first + frames), axis=0, mode="wrap")
    samples = samples + random.standard_normal(samples.shape) * 1e-3
    samples[-5 * rate :] *= np.linspace(1, 0, 5 * rate)[:, np.newaxis]
    return Sound(samples.astype(np.float32), rate), period


def find(piece: Piece, seed: int) -> tuple[Piece, dict[str, Found]]:
    """What each finds in one piece: ours by format, and the peer."""
    sound, period = known_loop(decode(str(piece.path)), np.random.default_rng(seed))
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/source.wav"
        soundfile.write(path, sound.samples, sound.sample_rate, subtype="FLOAT")
        least_s = LEAST_SHARE * period / sound.sample_rate
        targets = tuple(Target(output, f"{folder}/asset.{output.extension}") for output in OUTPUTS)
        finishing = Finishing(loop=Loop(min_s=least_s), gates=(("silent", "off"),))
        found = {}
        for file in finish(FinishTask(path, finishing, targets, "0")):
            assert file.loop is not None
            found[file.format] = Found(_off(file.loop, period), measure_seam(file.path, *file.loop).flux)
        return piece, found | _peer(path, sound, period, least_s)


def _peer(path: str, sound: Sound, period: int, least_s: float) -> dict[str, Found]:
    """Nothing where it is not installed. What it finds no loop in is off by half a period."""
    logging.disable(logging.WARNING)
    os.environ["NUMBA_CACHE_DIR"] = _compiled_folder().name
    try:
        from pymusiclooper.core import MusicLooper  # noqa: PLC0415 - not there for every Python
        from pymusiclooper.exceptions import LoopNotFoundError  # noqa: PLC0415
    except ImportError:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            best = MusicLooper(path).find_loop_pairs(min_loop_duration=least_s)[0]
        except LoopNotFoundError:
            return {PEER: Found(period // 2, 100.0)}
    loop = int(best.loop_start), int(best.loop_end)
    return {PEER: Found(_off(loop, period), seam_of(sound, *loop).flux)}


@cache
def _compiled_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder of this process's own: two that compile into one, as they do without it, leave what crashes."""
    return tempfile.TemporaryDirectory(prefix="bench-")


def _off(loop: tuple[int, int], period: int) -> int:
    length = loop[1] - loop[0]
    return min(length % period, -length % period)


def run(music: dict[str, list[Piece]], pool: Executor) -> list[Claim]:
    long = {
        game: [piece for piece in pieces if piece.duration_s > LONGEST_PERIOD_S + 5] for game, pieces in music.items()
    }
    pieces = [piece for game in long.values() for piece in evenly(game, PIECES_A_GAME)]
    found = list(pool.map(find, pieces, range(len(pieces))))
    print(f"Loops with a known period, in {len(pieces)} pieces\n")
    contenders = [*(output.format for output in OUTPUTS), PEER]
    rows = [_row(name, [loops[name] for _, loops in found if name in loops]) for name in contenders]
    told([HEAD, *rows])
    for piece, loops in found:
        if loops["wav"].off or loops["wav"].flux > MOST_FLUX:
            print(f"  {piece.name}: off by {loops['wav'].off:,} frames, flux {loops['wav'].flux:.1f}")
    print()
    exact = [loops["wav"].off == 0 for _, loops in found]
    return [
        Claim("loops: periods found to the sample, of ten", 10 * sum(exact) / len(exact), 9, at_least=True),
        *(
            Claim(
                f"loops: {output.format} seams over percentile {MOST_FLUX:g} of flux, of ten", _over(found, output), 1
            )
            for output in OUTPUTS
        ),
    ]


HEAD = ("", "pieces", "to the sample", "within 22 frames", "median frames off", "most", f"flux over {MOST_FLUX:g}")


def _row(name: str, loops: list[Found]) -> tuple[str, ...]:
    if not loops:
        return (f"{name} is not installed", "", "", "", "", "", "")
    offs = sorted(each.off for each in loops)
    return (
        name,
        str(len(loops)),
        str(sum(off == 0 for off in offs)),
        str(sum(off <= 22 for off in offs)),  # half a millisecond at 44.1 kHz
        str(offs[len(offs) // 2]),
        f"{offs[-1]:,}",
        str(sum(each.flux > MOST_FLUX for each in loops)),
    )


def _over(found: list[tuple[Piece, dict[str, Found]]], output: Output) -> float:
    return 10 * sum(loops[output.format].flux > MOST_FLUX for _, loops in found) / len(found)
