"""From a track's keys to what finishing is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pipeline.audio.settings import PRESETS, Finishing, Loop, Loudness, Output, Trim
from pipeline.manifest.model import SHARED, DefaultsSection, SharedKeys, TrackSection
from pipeline.manifest.names import normal
from pipeline.manifest.sound_model import GatesSection

if TYPE_CHECKING:
    from pipeline.manifest.sound_model import LoopSection, LoudnessSection, TrimSection

_LOUDNESS_NAMES: Final = {
    "target": "target_lufs",
    "true_peak": "true_peak_dbtp",
    "max_short_term": "max_short_term_lufs",
    "tolerance": "tolerance_lu",
    "limit": "limit_db",
    "group": "group",
}


def keys_in_force(track: TrackSection, defaults: DefaultsSection) -> SharedKeys:
    """What holds for `track`: its own keys, else those of `defaults`, else the house's."""
    own = {key: getattr(track, key) for key in track.model_fields_set & SHARED}
    return defaults.model_copy(update=own)


def finishing_of(keys: SharedKeys) -> Finishing:
    return Finishing(
        trim=_trim(keys.trim),
        loop=_loop(keys.loop),
        fade_in_s=keys.fade_in,
        fade_out_s=keys.fade_out,
        loudness=loudness_of(keys.loudness),
        sample_rate=keys.sample_rate,
        channels=keys.channels,
        gates=tuple(sorted((gate, action) for gate, action in keys.gates if action != _default_action(gate))),
    )


def outputs_of(keys: SharedKeys) -> tuple[Output, ...]:
    return tuple(Output(one.format, normal(one.suffix), one.bits, one.quality, one.bitrate) for one in keys.outputs)


def loudness_of(section: LoudnessSection) -> Loudness:
    """The preset, with what differs from it."""
    own = {_LOUDNESS_NAMES[key]: getattr(section, key) for key in section.model_fields_set - {"preset"}}
    if section.group is not None:
        own["group"] = normal(section.group)
    return replace(PRESETS[section.preset], **own)


def _trim(section: TrimSection | None) -> Trim | None:
    return None if section is None else Trim(section.threshold, section.keep_head, section.keep_tail)


def _loop(section: LoopSection | None) -> Loop | None:
    return None if section is None else Loop(section.min, section.crossfade, section.intro)


def _default_action(gate: str) -> object:
    return GatesSection.model_fields[gate].default
