"""From a track's keys to what finishing is told."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, cast

from pipeline.audio.settings import PRESETS, Finishing, Loop, Loudness, Output, Trim
from pipeline.manifest.model import SHARED, DefaultsSection, SharedKeys, TrackSection
from pipeline.manifest.names import normal
from pipeline.manifest.sound_model import GatesSection

if TYPE_CHECKING:
    from pipeline.audio.settings import GateAction
    from pipeline.manifest.sound_model import LoopSection, LoudnessSection, OutputSection, TrimSection

#: The keys by which what is made of a source does not differ.
_SHAPES_NOTHING: Final = frozenset({"duration", "source_format", "takes", "refresh", "model", "refine_lyrics", "tags"})
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
    own = {key: track.__dict__[key] for key in track.model_fields_set & SHARED}
    # As good as a copy of the model to whoever reads it, and there is one for each track.
    return cast(SharedKeys, SimpleNamespace(**(defaults.__dict__ | own)))


def is_shaped_alike(track: TrackSection) -> bool:
    """Does `track` leave to `defaults` all that says what is made of its source?"""
    return track.model_fields_set & SHARED <= _SHAPES_NOTHING


def finishing_of(keys: SharedKeys) -> Finishing:
    return Finishing(
        trim=_trim(keys.trim),
        loop=_loop(keys.loop),
        fade_in_s=keys.fade_in,
        fade_out_s=keys.fade_out,
        loudness=loudness_of(keys.loudness),
        sample_rate=keys.sample_rate,
        channels=keys.channels,
        gates=_gates(keys.gates),
        mark=keys.mark,
    )


def outputs_of(keys: SharedKeys) -> tuple[Output, ...]:
    return _outputs(keys.outputs)


# Few differ from track to track: each is made once, and told by what stands in its section and what was left out.
@lru_cache(maxsize=1000)
def _outputs(sections: tuple[OutputSection, ...]) -> tuple[Output, ...]:
    return tuple(Output(one.format, normal(one.suffix), one.bits, one.quality, one.bitrate) for one in sections)


@lru_cache(maxsize=1000)
def _gates(section: GatesSection) -> tuple[tuple[str, GateAction], ...]:
    """What differs from the defaults."""
    return tuple(sorted((gate, action) for gate, action in section if action != _default_action(gate)))


@lru_cache(maxsize=1000)
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
