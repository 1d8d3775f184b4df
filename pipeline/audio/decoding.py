"""A file becomes sound, or is refused: by its content, never by its name, in bounded time and memory.

What a file claims is believed only as far as it can be read. Refused with an AudioError: what is not audio, what is
damaged or cut short, no frames at all, samples that are not numbers, rates and channels that music does not have, and
more samples than a worker should hold.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import numpy as np
import soundfile

from pipeline.audio.channels import STEREO, folded_to_stereo
from pipeline.audio.claims import claimed_frames
from pipeline.audio.sound import Samples, Sound
from pipeline.audio.tasks import AudioError

if TYPE_CHECKING:
    from collections.abc import Iterator

LOWEST_RATE_HZ: Final = 8_000
HIGHEST_RATE_HZ: Final = 192_000
MOST_CHANNELS: Final = 8
#: Of all channels together: 1 GiB as float32, 50 minutes of stereo at 44.1 kHz.
MOST_SAMPLES: Final = 1 << 28

_BLOCK_FRAMES: Final = 65_536
# libsndfile guesses headerless formats by a file's name where its content says nothing: those are not audio to us.
_CONTAINERS: Final = frozenset({"WAV", "WAVEX", "RF64", "AIFF", "FLAC", "OGG", "MP3"})
_NOT_AUDIO: Final = "it is not audio: nothing in it decodes as wav, mp3, flac or ogg"


def decode(path: str) -> Sound:
    """The whole file as sound, more than two channels folded down to stereo. Raises AudioError."""
    with opened(path) as file:
        # libsndfile never gives more than it has promised; memory that is not written to is not taken.
        most = min(file.frames, MOST_SAMPLES // file.channels)
        samples = np.empty((most, min(file.channels, STEREO)), np.float32)
        frames = 0
        for block in checked_blocks(file, path):
            samples[frames : frames + len(block)] = folded_to_stereo(block)
            frames += len(block)
        return Sound(samples[:frames], file.samplerate)


@contextmanager
def opened(path: str) -> Iterator[soundfile.SoundFile]:
    """The file, open for reading, with a rate and channels that can be worked with. Raises AudioError."""
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.SoundFileError, TypeError) as error:  # TypeError: soundfile took it for raw samples by its name
        raise AudioError(_NOT_AUDIO) from error
    with file:
        _check_header(file)
        yield file


def checked_blocks(file: soundfile.SoundFile, path: str) -> Iterator[Samples]:
    """Every sample of `file`, in blocks of (frames, channels) float32, each checked. Raises AudioError."""
    frames = 0
    while len(block := _next_block(file, frames)):
        frames += len(block)
        if frames * file.channels > MOST_SAMPLES:
            minutes = MOST_SAMPLES / file.channels / file.samplerate / 60
            raise AudioError(f"it is longer than the {minutes:.0f} minutes that can be finished in one piece")
        if not np.isfinite(block).all():
            raise AudioError("it holds samples that are not numbers (NaN or infinite)")
        yield block
    _check_length(frames, claimed_frames(file, path), file.samplerate)


def _check_header(file: soundfile.SoundFile) -> None:
    if file.format not in _CONTAINERS:
        raise AudioError(_NOT_AUDIO)
    if not LOWEST_RATE_HZ <= file.samplerate <= HIGHEST_RATE_HZ:
        rate = file.samplerate
        raise AudioError(f"its sample rate is {rate:,} Hz, and music has {LOWEST_RATE_HZ:,} to {HIGHEST_RATE_HZ:,}")
    if file.channels > MOST_CHANNELS:
        raise AudioError(f"it has {file.channels} channels, and at most {MOST_CHANNELS} can be folded down to stereo")


def _next_block(file: soundfile.SoundFile, frames_so_far: int) -> Samples:
    try:
        block: Samples = file.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise AudioError(f"its audio is damaged after {frames_so_far / file.samplerate:.1f} s") from error
    return block


def _check_length(frames: int, claimed: int | None, sample_rate: int) -> None:
    if frames == 0:
        raise AudioError("it holds no sound: not one frame")
    if claimed is not None and frames < claimed:
        got, said = frames / sample_rate, claimed / sample_rate
        raise AudioError(f"it is cut short: its header claims {said:,.1f} s, and {got:,.1f} s are there")
