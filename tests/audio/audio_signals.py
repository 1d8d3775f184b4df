"""Signals by formula, files of them, and tasks that finish them: what the tests of this room are made of."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, wraps
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from pipeline.audio.settings import Finishing, Loudness, Output
from pipeline.audio.sound import Sound
from pipeline.audio.tasks import FinishTask, Target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_KEPT = 32  # signals of each kind: some tens of megabytes


def kept(make: Callable[..., Sound]) -> Callable[..., Sound]:
    """`make`, whose signals are made once for all tests that want the same, none of which can write into them."""

    @lru_cache(_KEPT)
    @wraps(make)
    def made(*arguments: object, **options: object) -> Sound:
        sound = make(*arguments, **options)
        sound.samples.flags.writeable = False
        return sound

    return made


def is_near(samples: np.ndarray, expected: np.ndarray, *, within: float = 1e-12, rel: float = 0.0) -> bool:
    """What `samples == pytest.approx(expected, abs=within, rel=rel)` says, without an object for each of them."""
    tolerance = np.maximum(within, rel * np.abs(expected))
    return samples.shape == expected.shape and bool((np.abs(samples - expected) <= tolerance).all())


@kept
def tone(
    *parts: tuple[float, float],
    rate: int = 48_000,
    hertz: float = 1_000.0,
    channels: int = 2,
    phase_degrees: float = 0.0,
) -> Sound:
    """A sine of one frequency, in parts of (level in dBFS of its peaks, seconds), the same in every channel."""
    level = np.concatenate([np.full(round(seconds * rate), 10 ** (dbfs / 20)) for dbfs, seconds in parts])
    wave = level * np.sin(2 * np.pi * hertz / rate * np.arange(len(level)) + np.radians(phase_degrees))
    return Sound(np.repeat(wave.astype(np.float32)[:, np.newaxis], channels, axis=1), rate)


@kept
def noise(seconds: float, dbfs: float = -20.0, rate: int = 44_100, channels: int = 2, seed: int = 1) -> Sound:
    """White noise of this RMS level."""
    samples = np.random.default_rng(seed).standard_normal((round(seconds * rate), channels)) * 10 ** (dbfs / 20)
    return Sound(samples.astype(np.float32), rate)


@kept
def music(seconds: float, rate: int = 44_100, channels: int = 2, gain_db: float = 0.0) -> Sound:
    """Plucked notes with overtones, some to the left and some to the right: something that codecs know how to treat."""
    time = np.arange(round(seconds * rate)) / rate
    samples = np.zeros((len(time), channels))
    for number, semitones in enumerate((0, 7, 3, 10, 12, 5)):
        since = (time - number * 0.11) % 0.66
        pluck = sum(
            np.sin(2 * np.pi * 220 * 2 ** (semitones / 12) * overtone * since) / overtone for overtone in (1, 2, 3, 5)
        )
        pan = (0.3 + 0.4 * (number % 2), 0.7 - 0.4 * (number % 2))[:channels]
        samples += (0.15 * pluck * np.exp(-6 * since))[:, np.newaxis] * np.array(pan)
    return Sound((samples * 10 ** (gain_db / 20)).astype(np.float32), rate)


@kept
def percussion(seconds: float, rate: int = 44_100, decay_s: float = 0.01, seed: int = 3) -> Sound:
    """Four hits a second of noise that dies away: it reaches up to half the rate, and is clipped nowhere."""
    random = np.random.default_rng(seed)
    frames, length = round(seconds * rate), 4_000
    samples = np.zeros((frames + length, 2))
    for at in range(0, frames, rate // 4):
        hit = random.uniform(-1, 1, (length, 2)) * np.exp(-np.arange(length) / rate / decay_s)[:, np.newaxis]
        samples[at : at + length] += hit
    return Sound(samples[:frames].astype(np.float32), rate)


def silence(seconds: float, rate: int = 44_100, channels: int = 2) -> Sound:
    return Sound(np.zeros((round(seconds * rate), channels), np.float32), rate)


def save(path: Path, sound: Sound, subtype: str = "FLOAT") -> str:
    """A WAV file of `sound`, whose path this gives."""
    soundfile.write(path, sound.samples, sound.sample_rate, subtype=subtype, format="WAV")
    return str(path)


SOURCE_GATES_OFF = tuple((gate, "off") for gate in ("clipping", "dc", "ending", "gap", "length", "mono"))


def task_for(
    folder: Path,
    sound: Sound,
    *outputs: Output,
    finishing: Finishing | None = None,
    gated: bool = False,
    **more: object,
) -> FinishTask:
    """A task that finishes `sound` into `outputs` within `folder`.

    Signals by formula have faults that music has not, such as an end without an ending: unless `gated`, nobody looks.
    """
    finishing = finishing or Finishing()
    return FinishTask(
        source=save(folder / "source.wav", sound),
        finishing=finishing if gated else replace(finishing, gates=(*SOURCE_GATES_OFF, *finishing.gates)),
        targets=tuple(
            Target(output, str(folder / f"{number}.{output.extension}")) for number, output in enumerate(outputs)
        ),
        serial_seed="5eed",
        **more,
    )


UNTOUCHED = Finishing(loudness=Loudness("none", None))


@kept
def composition(seconds: float, seed: int = 1, rate: int = 44_100) -> Sound:
    """Notes of random pitch, place, length and side that ring on over the end into the start: a perfect loop.

    Of two seconds or more, so that no note meets its own beginning.
    """
    random = np.random.default_rng(seed)
    frames = round(seconds * rate)
    samples = np.zeros((frames, 2), np.float32)
    for _ in range(round(seconds * 5)):
        time = np.arange(round(random.uniform(0.3, 1.5) * rate)) / rate
        hertz = 110 * 2 ** (random.integers(0, 37) / 12)
        note = sum(np.sin(2 * np.pi * hertz * overtone * time) / overtone for overtone in (1, 2, 3, 4))
        note *= np.exp(-3 * time) * np.minimum(1, time / 0.005) * np.minimum(1, (time[-1] - time) / 0.02)
        pan = random.uniform(0.2, 0.8)
        places = (random.integers(frames) + np.arange(len(time))) % frames
        samples[places] += 0.12 * note[:, np.newaxis] * np.array([pan, 1 - pan])
    return Sound(samples, rate)


def repeated(
    loop: Sound, frames: int, *, first: int = 0, noise_dbfs: float = -60.0, fade_s: float = 4.0, seed: int = 1
) -> Sound:
    """`loop` from its frame `first` on, over and over, with noise over it and a fade-out at the end."""
    samples = np.take(loop.samples, np.arange(first, first + frames), axis=0, mode="wrap")
    samples = samples + noise(frames / loop.sample_rate, noise_dbfs, loop.sample_rate, seed=seed).samples[:frames]
    fade = round(fade_s * loop.sample_rate)
    if fade:
        samples[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)[:, np.newaxis]
    return Sound(samples, loop.sample_rate)
