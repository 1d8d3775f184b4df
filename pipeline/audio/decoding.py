"""A file becomes sound, or is refused: by its content, never by its name, in bounded time and memory.

What a file claims is believed only as far as it can be read. Refused with an AudioError: what is not audio, what is
damaged or cut short, no frames at all, samples that are not numbers, rates and channels that music does not have, and
more samples than a worker should hold.
"""

from __future__ import annotations

import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
import soundfile

from pipeline.audio.channels import STEREO, folded_to_stereo
from pipeline.audio.claims import check_claims
from pipeline.audio.mp3_claims import hidden_frames, recounted
from pipeline.audio.sound import Samples, Sound
from pipeline.audio.tasks import AudioError

if TYPE_CHECKING:
    from collections.abc import Iterator

LOWEST_RATE_HZ: Final = 8_000
HIGHEST_RATE_HZ: Final = 192_000
MOST_CHANNELS: Final = 8
#: Of all channels together: 1 GiB as float32, 50 minutes of stereo at 44.1 kHz.
MOST_SAMPLES: Final = 1 << 28
#: Of a sample, full scale at 1. Whole numbers of 32 bits that stand in a float file as they are stay well below it, and
#: so do their squares below what float32 holds.
HIGHEST_SAMPLE: Final = float(1 << 40)

_BLOCK_FRAMES: Final = 65_536
# libsndfile guesses headerless formats by a file's name where its content says nothing: those are not audio to us.
_CONTAINERS: Final = frozenset({"WAV", "WAVEX", "RF64", "AIFF", "FLAC", "OGG", "MP3"})
_NOT_AUDIO: Final = "it is not audio: nothing in it decodes as wav, aiff, mp3, flac or ogg"


class _Forwards(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A file that is read once, from its start to its end.

    After each read soundfile seeks to where it is, in what can be sought in; and libsndfile fails to at the end of a
    FLAC that does not say its length.
    """

    def seekable(self) -> bool:
        return False


def decode(path: str) -> Sound:
    """The whole file as sound, more than two channels folded down to stereo. Raises AudioError."""
    with opened(path) as file:
        # libsndfile never gives more than it has promised; memory that is not written to is not taken.
        most = min(file.frames, MOST_SAMPLES // file.channels)
        samples = np.empty((most, min(file.channels, STEREO)), np.float32)
        if file.channels <= STEREO:
            frames = sum(len(block) for block in checked_blocks(file, path, samples))
            return Sound(samples[:frames], file.samplerate)
        frames = 0
        for block in checked_blocks(file, path):
            samples[frames : frames + len(block)] = folded_to_stereo(block)
            frames += len(block)
        return Sound(samples[:frames], file.samplerate)


@contextmanager
def opened(path: str) -> Iterator[soundfile.SoundFile]:
    """The file, open for reading, with a rate and channels that can be worked with. Raises AudioError."""
    check_plain(path)
    with _opened(path) as file:
        _check_header(file)
        counted = recounted(Path(path)) if file.format == "MP3" and hidden_frames(Path(path), file.frames) else None
        if counted is None:
            yield file
            return
    with _opened(counted) as file:
        _check_header(file)
        yield file


def check_plain(path: str) -> None:
    """Raise AudioError for a pipe, a device or a folder, which may never end; a link leads to what it leads to."""
    try:
        mode = Path(path).stat().st_mode
        if not stat.S_ISREG(mode):
            raise AudioError("it is no plain file")
        Path(path).open("rb").close()
    except ValueError as error:  # no path at all
        raise AudioError(_NOT_AUDIO) from error
    except OSError as error:
        raise AudioError(f"it can't be read ({(error.strerror or str(error)).lower()})") from error


def _opened(source: str | BinaryIO) -> soundfile.SoundFile:
    try:
        return _Forwards(source)
    except (soundfile.SoundFileError, TypeError) as error:  # TypeError: soundfile took it for raw samples by its name
        raise AudioError(_NOT_AUDIO) from error


def checked_blocks(file: soundfile.SoundFile, path: str, into: Samples | None = None) -> Iterator[Samples]:
    """Every sample of `file`, in blocks of (frames, channels) float32, each checked. Raises AudioError.

    `into`: where the blocks are to lie, one after the other, as far as it reaches.
    """
    frames = 0
    while len(block := _next_block(file, frames, None if into is None else into[frames : frames + _BLOCK_FRAMES])):
        frames += len(block)
        if frames * file.channels > MOST_SAMPLES:
            minutes = MOST_SAMPLES / file.channels / file.samplerate / 60
            raise AudioError(f"it is longer than the {minutes:.0f} minutes that can be finished in one piece")
        _check_samples(block)
        yield block
    if frames == 0:
        raise AudioError("it holds no sound: not one frame")
    check_claims(file, path, frames)


def _check_header(file: soundfile.SoundFile) -> None:
    if file.format not in _CONTAINERS:
        raise AudioError(_NOT_AUDIO)
    if not LOWEST_RATE_HZ <= file.samplerate <= HIGHEST_RATE_HZ:
        rate = file.samplerate
        raise AudioError(f"its sample rate is {rate:,} Hz, and music has {LOWEST_RATE_HZ:,} to {HIGHEST_RATE_HZ:,}")
    if file.channels > MOST_CHANNELS:
        raise AudioError(f"it has {file.channels} channels, and at most {MOST_CHANNELS} can be folded down to stereo")


def _check_samples(block: Samples) -> None:
    """NaN is neither below nor above anything, so it fails as well."""
    if block.max() <= HIGHEST_SAMPLE and block.min() >= -HIGHEST_SAMPLE:
        return
    if np.isfinite(block).all():
        raise AudioError("it holds samples of more than a million million times full scale")
    raise AudioError("it holds samples that are not numbers (NaN or infinite)")


def _next_block(file: soundfile.SoundFile, frames_so_far: int, into: Samples | None) -> Samples:
    out = into if into is not None and len(into) else None
    try:
        block: Samples = file.read(_BLOCK_FRAMES, dtype="float32", always_2d=True, out=out)
    except soundfile.SoundFileError as error:
        raise AudioError(f"its audio is damaged after {frames_so_far / file.samplerate:.1f} s") from error
    return block
