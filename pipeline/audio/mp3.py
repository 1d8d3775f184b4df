"""mp3 at a constant bitrate, by LAME."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import lameenc
import numpy as np

from pipeline.audio.dither import as_16_bit
from pipeline.audio.id3 import id3_tag
from pipeline.audio.mp3_frames import Frame, info_frame

if TYPE_CHECKING:
    from pipeline.audio.labels import Label
    from pipeline.audio.settings import Output
    from pipeline.audio.sound import Samples, Sound

#: The rates that mp3 has, in Hz.
RATES: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)

_DEFAULT_BITRATE: Final = 192
_QUALITY: Final = 3  # LAME's own choice for constant bitrates; 2 takes 1.4 times as long
_BLOCK_FRAMES: Final = 65_536
# LAME makes its input quieter, so that its own distortion does not clip: to these factors, from these kbit/s up.
_SCALES: Final = ((256, 1.0), (224, 0.98), (192, 0.97), (0, 0.95))


def encode_mp3(sound: Sound, output: Output, label: Label) -> bytes:
    """An mp3 file that decodes to exactly the frames that went in."""
    bitrate = output.bitrate or _DEFAULT_BITRATE
    # Not every rate has every bitrate: which one LAME takes is seen on one frame.
    one_frame = _lame(sound.samples[:1], sound.sample_rate, bitrate)
    louder = _given_back(sound.samples, Frame.at_start_of(one_frame).bitrate)
    stream = _lame(louder, sound.sample_rate, bitrate)
    return id3_tag(label.metadata) + info_frame(stream, sound.frames) + stream


def _lame(samples: Samples, sample_rate: int, bitrate: int) -> bytes:
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_bit_rate(bitrate)
    encoder.set_in_sample_rate(sample_rate)
    encoder.set_out_sample_rate(sample_rate)  # else LAME lowers it at low bitrates, by a resampler of its own
    encoder.set_channels(samples.shape[1])
    encoder.set_quality(_QUALITY)
    steps = as_16_bit(samples)
    parts = [
        bytes(encoder.encode(steps[start : start + _BLOCK_FRAMES].tobytes()))
        for start in range(0, len(steps), _BLOCK_FRAMES)
    ]
    return b"".join([*parts, bytes(encoder.flush())])


def _given_back(samples: Samples, bitrate: int) -> Samples:
    """`samples` louder by what LAME is going to take off, as far as they stay below full scale."""
    scale = next(scale for least, scale in _SCALES if bitrate >= least)
    peak = float(max(samples.max(), -samples.min()))
    gain = min(1 / scale, max(1.0, 1 / peak)) if peak else 1.0
    return samples if gain == 1.0 else samples * np.float32(gain)
