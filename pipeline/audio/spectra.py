"""Short-time spectra: what a sound is made of from moment to moment, to tell what repeats and what jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.audio.sound import Samples

#: Of the flux, in frames.
FLUX_WINDOW: Final = 1_024
FLUX_HOP: Final = 256

_WINDOWS_AT_ONCE: Final = 512
_BANDS: Final = 60
_LOWEST_HZ: Final = 55.0
_HIGHEST_HZ: Final = 8_000.0
# A root of the power, roughly as the ear grades loudness: silence is near silence, where a logarithm would not have it.
_COMPRESSION: Final = 0.25


def band_levels(signal: Samples, sample_rate: int, window: int, hop: int) -> Samples:
    """(moments, bands): compressed levels in bands a little wider than a semitone, a moment each `hop` frames."""
    edges = np.geomspace(_LOWEST_HZ, min(_HIGHEST_HZ, sample_rate * 0.45), _BANDS + 1) * window / sample_rate
    cuts = np.unique(edges.astype(np.int64))
    parts = [np.add.reduceat(power, cuts, axis=1)[:, :-1] for power in _powers(signal, window, hop)]
    levels: Samples = np.concatenate(parts) ** np.float32(_COMPRESSION)
    return levels


def flux(signal: Samples) -> Samples:
    """How much becomes louder from each moment to the next, summed over frequencies; a moment each FLUX_HOP frames."""
    parts, last = [], None
    for power in _powers(signal, FLUX_WINDOW, FLUX_HOP):
        levels = power ** np.float32(_COMPRESSION)
        before = levels[:1] if last is None else last
        parts.append(np.maximum(np.diff(np.concatenate([before, levels]), axis=0), 0).sum(axis=1))
        last = levels[-1:]
    rises: Samples = np.concatenate(parts)[1:]
    return rises


def _powers(signal: Samples, window: int, hop: int) -> Iterator[Samples]:
    """(moments, frequencies): power spectra of Hann windows, some hundreds at a time. A short signal is padded."""
    missing = window + hop - len(signal)
    padded = np.pad(signal, (0, missing)) if missing > 0 else signal
    windows = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    shape = np.hanning(window).astype(np.float32)
    for at in range(0, len(windows), _WINDOWS_AT_ONCE):
        spectra = np.fft.rfft(windows[at : at + _WINDOWS_AT_ONCE] * shape)
        yield (spectra.real**2 + spectra.imag**2).astype(np.float32)
