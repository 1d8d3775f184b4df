"""Everything that is done to a source before it is measured and levelled, in order (docs/sound.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.audio.channels import with_channels
from pipeline.audio.fades import faded
from pipeline.audio.resampling import resampled
from pipeline.audio.segment import stepped
from pipeline.audio.trimming import trimmed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.audio.settings import Finishing
    from pipeline.audio.sound import Sound
    from pipeline.audio.tasks import Step


def shape(sound: Sound, finishing: Finishing, steps: Sequence[Step] = ()) -> Sound:
    """Channels and rate, trim, fades, the user's steps. Raises AudioError where a step goes wrong."""
    sound = _conformed(sound, finishing)
    sound = trimmed(sound, finishing.trim)
    sound = faded(sound, finishing.fade_in_s, finishing.fade_out_s)
    return _conformed(stepped(sound, steps), finishing)  # a step may change rate or channels; the manifest decides


def _conformed(sound: Sound, finishing: Finishing) -> Sound:
    return resampled(with_channels(sound, finishing.channels), finishing.sample_rate)
