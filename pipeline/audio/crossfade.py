"""Two stretches of sound become one: the first fades out while the second fades in, with the level kept even.

Equal-power gains keep the level of stretches that have nothing in common, and would swell by 3 dB where they are the
same. So both are divided by what their correlation r adds: sqrt(1 + 2 r sin cos).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.audio.loop_alignment import correlation

if TYPE_CHECKING:
    from pipeline.audio.sound import Samples


def crossfaded(leaving: Samples, coming: Samples) -> Samples:
    """(frames, channels): from the first frame of `leaving` to the last of `coming`, both of the same length."""
    frames = len(leaving)
    angle = (np.arange(frames) + 0.5) * (np.pi / 2 / max(1, frames))
    rise, fall = np.sin(angle), np.cos(angle)
    alike = max(0.0, correlation(leaving.reshape(-1), coming.reshape(-1)))
    even = np.sqrt(1 + 2 * alike * rise * fall)
    mixed: Samples = (leaving * (fall / even)[:, np.newaxis] + coming * (rise / even)[:, np.newaxis]).astype(np.float32)
    return mixed
