"""A request -> a file, from the first word read to the last byte written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.local_gateway.composer.arranging import arranged
from pipeline.local_gateway.composer.form import Form, shaped
from pipeline.local_gateway.composer.mastering import mastered
from pipeline.local_gateway.composer.mixing import Pump, mixed
from pipeline.local_gateway.composer.mp3 import mp3_bytes
from pipeline.local_gateway.composer.performing import performed
from pipeline.local_gateway.composer.reading import read
from pipeline.local_gateway.composer.rooms import room_for
from pipeline.local_gateway.composer.singing import lines_of
from pipeline.local_gateway.composer.sketch import Sketch, sketch_of
from pipeline.local_gateway.composer.sound import SAMPLE_RATE, Samples
from pipeline.local_gateway.composer.wav import wav_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST_S: Final = 3600.0
WRITERS: Final = {"wav": wav_bytes, "mp3": mp3_bytes}
FADE_S: Final = 0.9


def render_file(prompt: str, lyrics: str, duration_s: float, audio_format: str, variation: int) -> bytes:
    """The piece as a file of the format asked for."""
    if audio_format not in WRITERS:
        raise ValueError(f"audio format {audio_format!r} is not one of {', '.join(sorted(WRITERS))}")
    return WRITERS[audio_format](render_pcm(prompt, lyrics, duration_s, variation))


def render_pcm(prompt: str, lyrics: str, duration_s: float, variation: int) -> NDArray[np.int16]:
    """The piece as 16-bit samples, (frames, 2)."""
    frames = _frames(duration_s)
    sketch = sketch_of(read(prompt), f"{prompt}\x1f{lyrics}", variation)
    form, sketch = shaped(sketch, frames / SAMPLE_RATE)
    events = performed(arranged(sketch, form, lines_of(lyrics)), form, sketch)
    room = room_for(sketch.style.room, sketch.style.colour)
    pump = Pump(sketch.style.pumping if sketch.cast.kit else 0.0, sketch.beat_s)
    if form.ending_beat is None:
        period = max(1, round(form.beats * sketch.beat_s * SAMPLE_RATE))
        once = mastered(mixed(events, period, room, pump, circular=True))
        return np.resize(once, (frames, 2))
    mix = mixed(events, frames, room, pump, circular=False)
    _fade(mix, _last_ring_s(form, sketch))
    return mastered(mix)


def _frames(duration_s: float) -> int:
    frames = round(duration_s * SAMPLE_RATE) if 0 < duration_s <= LONGEST_S else 0
    if frames < 1:
        raise ValueError(f"a duration of {duration_s} s can't be composed: between 0 and {LONGEST_S:.0f} s can")
    return frames


def _last_ring_s(form: Form, sketch: Sketch) -> float:
    return (form.beats - (form.ending_beat or 0.0)) * sketch.beat_s


def _fade(mix: Samples, ring_s: float) -> None:
    """Let the last chord go, so that the file ends in silence and not in a cut."""
    frames = min(mix.shape[1], round(min(FADE_S, 0.5 * ring_s) * SAMPLE_RATE))
    if frames > 1:
        mix[:, -frames:] *= (0.5 + 0.5 * np.cos(np.pi * np.arange(frames) / (frames - 1))).astype(np.float32)
