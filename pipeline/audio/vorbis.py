"""Ogg Vorbis, by libsndfile."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import soundfile

from pipeline.audio import ogg

if TYPE_CHECKING:
    from pipeline.audio.labels import Label
    from pipeline.audio.settings import Output
    from pipeline.audio.sound import Sound

_DEFAULT_QUALITY: Final = 5.0
_BEST_QUALITY: Final = 10.0
# libvorbis looks at all of the first write at once, on the stack: a large one can overflow it. The later ones cost less
# where they are larger, and the sound is the same.
_FIRST_FRAMES: Final = 4_096
_BLOCK_FRAMES: Final = 16_384


def encode_vorbis(sound: Sound, output: Output, label: Label) -> bytes:
    """An Ogg Vorbis file: the same bytes every time, where libsndfile's own carry a random serial."""
    quality = _DEFAULT_QUALITY if output.quality is None else output.quality
    stream = io.BytesIO()
    with soundfile.SoundFile(
        stream,
        "w",
        sound.sample_rate,
        sound.channels,
        format="OGG",
        subtype="VORBIS",
        compression_level=1 - quality / _BEST_QUALITY,
    ) as file:
        file.write(sound.samples[:_FIRST_FRAMES])
        for start in range(_FIRST_FRAMES, sound.frames, _BLOCK_FRAMES):
            file.write(sound.samples[start : start + _BLOCK_FRAMES])
    return ogg.with_label(stream.getvalue(), label)
