"""Two meters that share no code with the pipeline: ffmpeg's `ebur128`, and the standards followed word by word.

The second is there for the loudness range, on which meters differ: EBU Tech 3342's own MATLAB listing, on short-term
loudness every 100 ms, from biquads run sample by sample at the file's own rate.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from math import log10

import imageio_ffmpeg
import numpy as np
import pyloudnorm
import soundfile
from scipy.signal import lfilter

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


@dataclass(frozen=True)
class Reading:
    """What ffmpeg's meter says of a file."""

    lufs: float
    range_lu: float
    true_peak_dbtp: float


def ffmpeg_reading(path: str) -> Reading:
    """The figures after the last frame, to three decimals, where the summary has one."""
    graph = "ebur128=peak=true:metadata=1:framelog=quiet,ametadata=mode=print:file=-"
    command = [FFMPEG, "-nostdin", "-v", "error", "-i", path, "-af", graph, "-f", "null", "-"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def last(key: str) -> float:
        return float(re.findall(rf"lavfi\.r128\.{key}=(\S+)", printed)[-1])

    return Reading(last("I"), last("LRA"), 20 * log10(last("true_peak")))


def range_by_the_book(path: str) -> float:
    """EBU Tech 3342, section 2 and annex."""
    samples, rate = soundfile.read(path, always_2d=True)
    for stage in pyloudnorm.Meter(rate, filter_class="DeMan")._filters.values():  # noqa: SLF001 - its coefficients
        samples = lfilter(stage.b, stage.a, samples, axis=0)
    power = np.concatenate([[0.0], np.cumsum((samples**2).sum(axis=1))])
    ends = np.round(np.arange(30, len(samples) * 10 // rate + 1) * rate / 10).astype(int)
    starts = np.round(np.arange(len(ends)) * rate / 10).astype(int)
    with np.errstate(divide="ignore"):
        short_term = -0.691 + 10 * np.log10((power[ends] - power[starts]) / (ends - starts))
    above = short_term[short_term >= -70]
    gate = 10 * np.log10(np.mean(10 ** (above / 10))) - 20
    kept = np.sort(above[above >= gate])
    low, high = (kept[int((len(kept) - 1) * percent / 100 + 0.5)] for percent in (10, 95))
    return float(high - low)
