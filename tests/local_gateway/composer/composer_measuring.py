"""What the composer's tests measure in its audio: tempo, pitch classes, loudness, each from its definition."""

from __future__ import annotations

import io
import struct
from functools import cache

import numpy as np

SAMPLE_RATE = 44_100


def samples_of(wav: bytes) -> np.ndarray:
    """The samples of a plain 16-bit stereo WAV file, (frames, 2), full scale 1.0; its header is checked on the way."""
    riff, size, wave, fmt, length = struct.unpack_from("<4sI4s4sI", wav)
    assert (riff, wave, fmt, size) == (b"RIFF", b"WAVE", b"fmt ", len(wav) - 8)
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", wav, 20)
    assert (kind, channels, rate, bits) == (1, 2, SAMPLE_RATE, 16)
    data, count = struct.unpack_from("<4sI", wav, 20 + length)
    assert data == b"data"
    assert count == len(wav) - 28 - length
    return np.frombuffer(wav, "<i2", offset=28 + length).reshape(-1, 2) / 32768.0


def decoded(file: bytes) -> np.ndarray:
    """The samples of any file libsndfile reads, (frames, channels)."""
    import soundfile

    audio, rate = soundfile.read(io.BytesIO(file), always_2d=True)
    assert rate == SAMPLE_RATE
    return audio


def onset_strength(audio: np.ndarray, hop: int = 256, size: int = 1024) -> np.ndarray:
    """How much rises from one moment to the next, summed over 24 bands of equal width in octaves."""
    mono = audio.mean(axis=1).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(mono, size)[::hop] * np.hanning(size).astype(np.float32)
    edges = np.unique(np.round(np.geomspace(2, size // 2, 25)).astype(int))
    bands = np.log1p(300 * np.add.reduceat(np.abs(np.fft.rfft(frames)), edges[:-1], axis=1))
    rises = np.maximum(np.diff(bands, axis=0), 0).sum(axis=1)
    return rises - rises.mean()


def tempo_of(audio: np.ndarray) -> float:
    """Beats a minute between 50 and 190: the fastest period of which six multiples in a row are strong.

    From the autocorrelation of the onset strength, with a mild preference for tempos around 110.
    """
    onsets = onset_strength(audio)
    count = len(onsets)
    spectrum = np.fft.rfft(onsets, 2 * count)
    likeness = np.fft.irfft(spectrum * spectrum.conj())[:count] / np.arange(count, 0, -1)
    tempos = np.arange(50, 190, 0.25)
    lags = 60 / tempos * SAMPLE_RATE / 256
    near = np.array([-1.5, -0.75, 0, 0.75, 1.5])
    places = lags[:, None, None] * np.arange(1, 7)[None, :, None] + near
    strengths = np.interp(places, np.arange(count), likeness).max(axis=2).min(axis=1)
    strengths *= np.exp(-0.5 * np.log2(tempos / 110) ** 2)
    strong = np.flatnonzero(strengths >= 0.8 * strengths.max())
    peaks = [place for place in strong if strengths[place] >= strengths[max(0, place - 6) : place + 7].max()]
    return float(tempos[peaks[-1]])


def pitch_classes(audio: np.ndarray) -> np.ndarray:
    """The share of energy in each of the twelve pitch classes, between 100 and 1200 Hz."""
    size = 16_384
    mono = audio.mean(axis=1).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(mono, size)[:: size // 2] * np.hanning(size).astype(np.float32)
    energy = np.square(np.abs(np.fft.rfft(frames))).sum(axis=0)
    hertz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    heard = (hertz > 100) & (hertz < 1200)
    classes = np.round(69 + 12 * np.log2(hertz[heard] / 440)).astype(int) % 12
    shares = np.bincount(classes, energy[heard], 12)
    return shares / shares.sum()


def loudness_of(audio: np.ndarray) -> float:
    """Integrated loudness in LUFS: ITU-R BS.1770-4, K-weighted by convolving with the biquads' impulse response."""
    impulse = _impulse_response()
    size = 1 << (len(audio) + len(impulse)).bit_length()
    weighted = np.fft.irfft(np.fft.rfft(audio.T, size) * np.fft.rfft(impulse, size), size)[:, : len(audio)]
    block, hop = SAMPLE_RATE * 2 // 5, SAMPLE_RATE // 10
    sums = np.concatenate(([0.0], np.cumsum(np.square(weighted).sum(axis=0))))
    starts = np.arange(0, max(1, len(audio) - block + 1), hop)
    powers = (sums[np.minimum(starts + block, len(audio))] - sums[starts]) / block
    loud = powers[powers > 10 ** ((-70 + 0.691) / 10)]
    gated = loud[loud > loud.mean() / 10]
    return float(-0.691 + 10 * np.log10(gated.mean()))


@cache
def _impulse_response() -> np.ndarray:
    impulse = np.zeros(8192)
    impulse[0] = 1.0
    for biquad in _k_weighting():
        impulse = _filtered(impulse, *biquad)
    return impulse


def _k_weighting() -> list[tuple[np.ndarray, np.ndarray]]:
    """The two biquads for 44.1 kHz, derived from their analogue parameters as libebur128 does."""
    k = np.tan(np.pi * 1681.974450955533 / SAMPLE_RATE)
    q, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    low = high**0.4996667741545416
    shelf = (
        np.array([high + low * k / q + k * k, 2 * (k * k - high), high - low * k / q + k * k]),
        np.array([1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k]),
    )
    k, q = np.tan(np.pi * 38.13547087602444 / SAMPLE_RATE), 0.5003270373238773
    cut = np.array([1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k])
    return [shelf, (np.array([1.0, -2.0, 1.0]) * cut[0], cut)]


def _filtered(signal: np.ndarray, above: np.ndarray, below: np.ndarray) -> np.ndarray:
    above, below = above / below[0], below / below[0]
    out = np.zeros(len(signal))
    for place, value in enumerate(signal):
        past = [out[place - back] if place >= back else 0.0 for back in (1, 2)]
        came = [signal[place - back] if place >= back else 0.0 for back in (1, 2)]
        out[place] = (
            above[0] * value + above[1] * came[0] + above[2] * came[1] - below[1] * past[0] - below[2] * past[1]
        )
    return out
