"""The seam to pydub: sound becomes an AudioSegment of 32 bits, passes the user's own steps, and comes back.

pydub is imported only where there is something for it to do. Nothing of ours is done in it: it cuts in whole
milliseconds and rounds gains (docs/sound.md).
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pipeline.audio.channels import folded_to_stereo
from pipeline.audio.decoding import HIGHEST_RATE_HZ, LOWEST_RATE_HZ
from pipeline.audio.sound import Sound
from pipeline.audio.tasks import AudioError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydub import AudioSegment

    from pipeline.audio.tasks import Step

SAMPLE_BYTES: Final = 4
_FULL_SCALE: Final = 1 << 31
_BLOCK_FRAMES: Final = 65_536
_TYPES: Final = {1: np.int8, 2: np.int16, 4: np.int32}


def stepped(sound: Sound, steps: Sequence[Step]) -> Sound:
    """`sound` after the user's steps, in their order. Raises AudioError that names the step that went wrong.

    Peaks over full scale are made room for on the way in and given back on the way out.
    """
    if not steps:
        return sound
    over = max(1.0, float(np.abs(sound.samples).max()))
    segment = as_segment(Sound(sound.samples / np.float32(over), sound.sample_rate))
    for step in steps:
        segment = _taken(step, segment)
    after = as_sound(segment)
    return Sound(after.samples * np.float32(over), after.sample_rate)


def as_segment(sound: Sound) -> AudioSegment:
    """`sound` as a 32-bit AudioSegment, clipped at full scale."""
    steps = np.empty(sound.samples.shape, "<i4")
    for start in range(0, sound.frames, _BLOCK_FRAMES):
        block = sound.samples[start : start + _BLOCK_FRAMES].astype(np.float64) * _FULL_SCALE
        steps[start : start + _BLOCK_FRAMES] = np.clip(np.rint(block), -_FULL_SCALE, _FULL_SCALE - 1)
    return quiet_pydub().AudioSegment(
        data=steps.tobytes(),
        sample_width=SAMPLE_BYTES,
        frame_rate=sound.sample_rate,
        channels=sound.channels,
    )


def as_sound(segment: AudioSegment) -> Sound:
    """An AudioSegment of any width as sound, more than two channels folded down to stereo."""
    width = segment.sample_width
    numbers = np.frombuffer(segment.raw_data, _TYPES[width]).reshape(-1, segment.channels)
    samples = (numbers / float(1 << (8 * width - 1))).astype(np.float32)
    return Sound(folded_to_stereo(samples), segment.frame_rate)


def _taken(step: Step, segment: AudioSegment) -> AudioSegment:
    name = getattr(step, "__qualname__", type(step).__name__)
    try:
        after = step(segment)
    except Exception as error:
        reason = " ".join(str(error).split())
        raise AudioError(f"the step {name} failed: {type(error).__name__}: {reason}") from error
    if not isinstance(after, quiet_pydub().AudioSegment):
        raise AudioError(f"the step {name} gave {type(after).__name__}, and a step gives an AudioSegment")
    if not after.raw_data:
        raise AudioError(f"the step {name} left no sound")
    if not LOWEST_RATE_HZ <= after.frame_rate <= HIGHEST_RATE_HZ:
        raise AudioError(f"the step {name} left a sample rate of {after.frame_rate:,} Hz")
    return after


def quiet_pydub() -> Any:
    """The pydub package, which has no types, imported without a word.

    It warns where ffmpeg is missing, which only m4a and opus need, of `audioop`, and of its own regular expressions.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pydub  # noqa: PLC0415 - only where there is something for it to do
    return pydub
