"""What finishing costs beside its peers, side by side in one run: 30 s of mp3 to OGG at -16 LUFS / -1 dBTP.

Two processes on two cores, as a run has them, each with its imports behind it. A piece passes through all contenders
one after the other, several times, in an order that turns; each contender's cost for it is the median of its times.
CPU time is of the process and of those that it starts; it is what is judged, since other programs' load moves it least.
"""

from __future__ import annotations

import logging
import os
import resource
import statistics
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyloudnorm
import soundfile
from claims import Claim, told
from ffmpeg_normalize import FFmpegNormalize
from sound_meter import FFMPEG
from sound_music import Piece, evenly

from pipeline.audio.encoding import HEADROOM_DB, encode
from pipeline.audio.finishing import finish, prepare
from pipeline.audio.labels import Label
from pipeline.audio.levelling import first_aim
from pipeline.audio.mastering import master
from pipeline.audio.segment import quiet_pydub
from pipeline.audio.settings import Finishing, Output
from pipeline.audio.tasks import FinishTask, Target

if TYPE_CHECKING:
    from concurrent.futures import Executor

EXCERPT_S = 30
PIECES_A_GAME = 6
ROUNDS = 3
QUALITY = 5
FINISHING = Finishing(gates=(("silent", "off"),))

Cost = tuple[float, float]  # CPU and wall, in seconds


def bare(source: str, made: str) -> None:
    """Decode and encode, and nothing else, by the same libraries in the blocks that are fastest for them."""
    samples, rate = soundfile.read(source, dtype="float32", always_2d=True)
    with soundfile.SoundFile(
        made, "w", rate, samples.shape[1], format="OGG", subtype="VORBIS", compression_level=1 - QUALITY / 10
    ) as file:
        for start in range(0, len(samples), 16_384):
            file.write(samples[start : start + 16_384])


def _task(source: str, made: str) -> FinishTask:
    return FinishTask(source, FINISHING, (Target(Output("ogg"), made),), "0")


def unverified(source: str, made: str) -> None:
    """Everything up to the file on disk: gates, measuring, gain, limiter, encoding, tags."""
    prepared = prepare(_task(source, made))
    aim = first_aim(prepared.measured, FINISHING.loudness, HEADROOM_DB["ogg"])
    sound = master(prepared.sound, prepared.measured, aim).sound
    Path(made).write_bytes(encode(sound, Output("ogg"), Label()))


def verified(source: str, made: str) -> None:
    """The whole chain: the file decoded again, measured, and encoded again where it misses."""
    finish(_task(source, made))


def pydub_and_pyloudnorm(source: str, made: str) -> None:
    """Decoded and exported by pydub's ffmpeg, measured by pyloudnorm; no limiter, so peaks are clipped."""
    pydub = quiet_pydub()
    pydub.AudioSegment.converter = FFMPEG
    segment = pydub.AudioSegment.from_file(source, "mp3", codec="mp3")  # told the codec, it needs no ffprobe
    samples = np.array(segment.get_array_of_samples(), np.float32).reshape(-1, segment.channels)
    lufs = pyloudnorm.Meter(segment.frame_rate).integrated_loudness(samples / (1 << 8 * segment.sample_width - 1))
    louder = segment.apply_gain(-16 - lufs)
    louder.export(made, "ogg", codec="libvorbis", parameters=["-q:a", str(QUALITY)]).close()


def ffmpeg_normalize(source: str, made: str) -> None:
    """Two passes of ffmpeg's loudnorm, told the rate: without it, many results have 192 kHz and take twice as long."""
    _normalize(source, made)


def linear_ffmpeg_normalize(source: str, made: str) -> None:
    """The same, told to stay linear where it can besides: the shortest way for it."""
    _normalize(source, made, keep_loudness_range_target=True)


def _normalize(source: str, made: str, **options: bool) -> None:
    os.environ["FFMPEG_PATH"] = FFMPEG
    normalizer = FFmpegNormalize(
        target_level=-16,
        true_peak=-1,
        audio_codec="libvorbis",
        sample_rate=44_100,
        extra_output_options=["-q:a", str(QUALITY)],
        **options,
    )
    normalizer.add_media_file(source, made)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        normalizer.run_normalization()


BARE = "bare decode + encode"
UNVERIFIED = "ours, before it is verified"
VERIFIED = "ours"
PYDUB = "pydub + pyloudnorm"
NORMALIZE = "ffmpeg-normalize"

CONTENDERS = {
    BARE: bare,
    UNVERIFIED: unverified,
    VERIFIED: verified,
    PYDUB: pydub_and_pyloudnorm,
    NORMALIZE: ffmpeg_normalize,
    f"{NORMALIZE}, linear": linear_ffmpeg_normalize,
}


def cost(contender: str, source: str, made: str) -> Cost:
    wall, cpu = time.perf_counter(), _cpu_s()
    CONTENDERS[contender](source, made)
    spent = _cpu_s() - cpu, time.perf_counter() - wall
    assert soundfile.info(made).duration > EXCERPT_S - 1
    Path(made).unlink()
    return spent


def _cpu_s() -> float:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


_warm: set[str] = set()


def _warm_up_once(source: str, made: str) -> None:
    """In each process, uncounted: what a contender imports and keeps is there from now on."""
    logging.disable(logging.WARNING)  # ffmpeg-normalize says of nearly every piece that it can't stay linear
    for contender in CONTENDERS.keys() - _warm:
        cost(contender, source, made)
        _warm.add(contender)


def costs(piece: Piece, turn: int) -> dict[str, Cost]:
    """Each contender's cost for an excerpt of `piece`."""
    names = list(CONTENDERS)
    taken: dict[str, list[Cost]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        source = f"{folder}/source.mp3"
        cut = [
            FFMPEG,
            "-nostdin",
            "-v",
            "error",
            "-i",
            str(piece.path),
            "-t",
            str(EXCERPT_S),
            "-ar",
            "44100",
            "-ac",
            "2",
        ]
        subprocess.run([*cut, "-map_metadata", "-1", "-c:a", "libmp3lame", "-b:a", "192k", source], check=True)
        _warm_up_once(source, f"{folder}/made.ogg")
        for number in range(ROUNDS):
            by = (turn + number) % len(names)
            for name in names[by:] + names[:by]:
                taken[name].append(cost(name, source, f"{folder}/made.ogg"))
    return {
        name: (statistics.median(cpu for cpu, _ in spent), statistics.median(wall for _, wall in spent))
        for name, spent in taken.items()
    }


def run(music: dict[str, list[Piece]], pool: Executor) -> list[Claim]:
    long = {game: [piece for piece in pieces if piece.duration_s >= EXCERPT_S] for game, pieces in music.items()}
    pieces = [piece for game in long.values() for piece in evenly(game, PIECES_A_GAME)]
    table = list(pool.map(costs, pieces, range(len(pieces))))
    print(f"Speed: {EXCERPT_S} s of mp3 to OGG at -16 LUFS / -1 dBTP, {len(pieces)} pieces, two processes\n")
    rows = [_row(name, table) for name in CONTENDERS]
    told([HEAD, *rows])
    return [
        Claim("speed: ours, before it is verified, in times bare", _ratio(UNVERIFIED, BARE, table), 1.25),
        Claim("speed: ours in times bare", _ratio(VERIFIED, BARE, table), 1.5),
        *(_beside_peer(peer, least, table) for peer, least in ((NORMALIZE, 6.0), (PYDUB, 2.3))),
    ]


def _beside_peer(peer: str, least: float, table: list[dict[str, Cost]]) -> Claim:
    """Held against what does the same: no peer looks at what it has made."""
    name = f"speed: {peer} in times ours before it is verified ({_ratio(peer, VERIFIED, table):.2f} in times all of it)"
    return Claim(name, _ratio(peer, UNVERIFIED, table), least, at_least=True)


HEAD = ("", "CPU ms", "wall ms", "times bare", "its quartiles", "its most", "of all, summed", "by the wall clock")


def _ratios(name: str, beside: str, table: list[dict[str, Cost]], clock: int = 0) -> list[float]:
    return sorted(costs_[name][clock] / costs_[beside][clock] for costs_ in table)


def _ratio(name: str, beside: str, table: list[dict[str, Cost]]) -> float:
    return statistics.median(_ratios(name, beside, table))


def _row(name: str, table: list[dict[str, Cost]]) -> tuple[str, ...]:
    ratios = _ratios(name, BARE, table)
    low, _, high = statistics.quantiles(ratios, n=4)
    summed = sum(each[name][0] for each in table) / sum(each[BARE][0] for each in table)
    return (
        name,
        *(f"{1000 * statistics.median(each[name][clock] for each in table):,.0f}" for clock in (0, 1)),
        f"{statistics.median(ratios):.2f}",
        f"{low:.2f} to {high:.2f}",
        f"{ratios[-1]:.2f}",
        f"{summed:.2f}",
        f"{statistics.median(_ratios(name, BARE, table, clock=1)):.2f}",
    )
