"""Everything that is done to a source before it is measured and levelled, in order (docs/sound.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.audio.channels import with_channels
from pipeline.audio.fades import fade_warnings, faded
from pipeline.audio.faults import without_offset
from pipeline.audio.looping import looped
from pipeline.audio.resampling import resampled
from pipeline.audio.segment import stepped
from pipeline.audio.tasks import AudioError
from pipeline.audio.trimming import trimmed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.audio.looping import Looped
    from pipeline.audio.settings import Finishing
    from pipeline.audio.sound import Sound
    from pipeline.audio.tasks import Step
    from pipeline.audio.tasks import Warning as AssetWarning

_SAME_LENGTH_S: Final = 0.001


@dataclass(frozen=True, slots=True, eq=False)
class Shaped:
    """A sound that is ready to be measured; where it loops, `loop` says how, and its end leads back to `loop_start`."""

    sound: Sound
    loop: Looped | None = None
    loop_start: int | None = None
    trimmed_s: tuple[float, float] = (0.0, 0.0)  # what was cut off its ends, in seconds
    warnings: tuple[AssetWarning, ...] = ()


def shape(sound: Sound, finishing: Finishing, steps: Sequence[Step] = (), asked_s: float | None = None) -> Shaped:
    """Channels and rate, trim, loop, fades, the user's steps. Raises AudioError where a step goes wrong."""
    sound = _conformed(sound, finishing)
    whole_s = sound.duration_s
    sound, begins = trimmed(sound, finishing.trim)
    loop = None if finishing.loop is None else looped(without_offset(sound), finishing.loop, asked_s)
    before = sound if loop is None else loop.sound
    after = stepped(faded(before, finishing.fade_in_s, finishing.fade_out_s), steps)
    after = _conformed(after, finishing)  # a step may change rate or channels; the manifest decides
    warnings = fade_warnings(before, finishing.fade_in_s, finishing.fade_out_s) if loop is None else loop.warnings
    head_s = (begins + (0 if loop is None else loop.begins)) / sound.sample_rate
    cut_s = head_s, max(0.0, whole_s - head_s - before.duration_s)
    return Shaped(after, loop, None if loop is None else _moved(loop.start, before, after), cut_s, warnings)


def _conformed(sound: Sound, finishing: Finishing) -> Sound:
    return resampled(with_channels(sound, finishing.channels), finishing.sample_rate)


def _moved(loop_start: int, before: Sound, after: Sound) -> int:
    """Where a loop starts after the user's steps. Raises AudioError where they leave that open."""
    if loop_start == 0:
        return 0
    if abs(before.duration_s - after.duration_s) > _SAME_LENGTH_S:
        raise AudioError("the steps change its length, and so nobody knows where its loop starts: drop its intro")
    return round(loop_start * after.sample_rate / before.sample_rate)
