"""What single values can't know: which keys of a track make sense together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.manifest.finishing import loudness_of
from pipeline.manifest.mistakes import Fault, quoted
from pipeline.manifest.names import normal, part_fault, suffix_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.manifest.mistakes import KeyPath
    from pipeline.manifest.model import SharedKeys, TrackSection
    from pipeline.manifest.sound_model import LoudnessSection, OutputSection

_BELONGS_TO: Final = {"bitrate": ("mp3", "m4a", "opus"), "quality": ("ogg",), "bits": ("wav", "flac")}
_BITRATES: Final = {
    "mp3": (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    "m4a": range(16, 513),
    "opus": range(6, 511),
}
_MP3_RATES: Final = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_OF_GENERATING: Final = ("lyrics", "refine_lyrics", "duration", "source_format", "refresh", "model", "mark")


def section_faults(keys: SharedKeys, at: KeyPath) -> Iterator[Fault]:
    """What is wrong within one of the keys that stand at `at`, be it a track or `defaults`."""
    if "outputs" in keys.model_fields_set:
        for place, output in enumerate(keys.outputs):
            yield from _output_faults(output, (*at, "outputs", place))
    if "loudness" in keys.model_fields_set:
        yield from _loudness_faults(keys.loudness, (*at, "loudness"))


def _output_faults(output: OutputSection, at: KeyPath) -> Iterator[Fault]:
    for key, formats in _BELONGS_TO.items():
        if key in output.model_fields_set and output.format not in formats:
            what = f"means nothing for {output.format}, expected it with {' or '.join(formats)} only"
            yield Fault((*at, key), what, at_key=True)
    bitrates = _BITRATES.get(output.format)
    if output.bitrate is not None and bitrates is not None and output.bitrate not in bitrates:
        named = f"{bitrates[0]} to {bitrates[-1]}" if isinstance(bitrates, range) else ", ".join(map(str, bitrates))
        yield Fault((*at, "bitrate"), f"{output.format} has no bitrate {output.bitrate}, expected one of {named}")
    fault = suffix_fault(normal(output.suffix))
    if fault:
        yield Fault((*at, "suffix"), fault)


def _loudness_faults(loudness: LoudnessSection, at: KeyPath) -> Iterator[Fault]:
    given = loudness.model_fields_set - {"preset"}
    if loudness.preset == "none":
        for key in sorted(given):
            yield Fault((*at, key), "means nothing with preset none, which changes nothing", at_key=True)
        return
    fault = part_fault(normal(loudness.group)) if loudness.group is not None else None
    if fault:
        yield Fault((*at, "group"), fault)
    meant = loudness_of(loudness)
    highest, target = meant.max_short_term_lufs, meant.target_lufs
    if highest is not None and target is not None and highest < target:
        key = "max_short_term" if "max_short_term" in given else "target"
        what = f"a short-term loudness of at most {highest:g} can't have a target of {target:g}"
        yield Fault((*at, key), f"{what}, expected a target below it")


def track_faults(track: TrackSection, keys: SharedKeys, written: Mapping[str, object], at: KeyPath) -> Iterator[Fault]:
    """What in a track does not go together. `keys`: what holds for it; `written`: what stands in the file."""
    if "prompt" not in written and "file" not in written:
        yield Fault(at, "missing, expected a prompt (what to hear), or the file of a recording")
    if "file" in written:
        yield from _recording_faults(track, written, at)
    if keys.loop is not None:
        yield from _loop_faults(track, keys, at, generated="file" not in written)
    rate = keys.sample_rate
    if rate is not None and rate not in _MP3_RATES and any(output.format == "mp3" for output in keys.outputs):
        what = f"mp3 has no sample rate {rate}, expected one of {', '.join(map(str, _MP3_RATES))}"
        yield Fault(_nearest_key(track, at, "sample_rate", "outputs"), what)


def _recording_faults(track: TrackSection, written: Mapping[str, object], at: KeyPath) -> Iterator[Fault]:
    if "prompt" in written:
        yield Fault((*at, "prompt"), "stands beside file, expected one of the two: generated, or recorded", at_key=True)
    for key in _OF_GENERATING:
        if key in written:
            yield Fault((*at, key), "means nothing for a recording (file), which is never generated", at_key=True)
    if "takes" in track.model_fields_set and track.takes > 1:
        yield Fault((*at, "takes"), f"a recording (file) has one take, expected 1 instead of {track.takes}")


def _loop_faults(track: TrackSection, keys: SharedKeys, at: KeyPath, *, generated: bool) -> Iterator[Fault]:
    for key in ("fade_in", "fade_out"):
        length = getattr(keys, key)
        if length:
            origin = "" if key in track.model_fields_set else " (from defaults)"
            what = f"a loop can't have a {key}{origin}: it would be heard each time round, expected {key}: 0"
            yield Fault(_nearest_key(track, at, key, "loop"), what)
    if generated and keys.loop is not None and keys.loop.min is not None and keys.loop.min > keys.duration:
        what = f"a loop of {keys.loop.min:g} s can't come from {keys.duration:g} s, expected at most that"
        path = _nearest_key(track, at, "loop", "duration")
        yield Fault((*path, "min") if path[-1] == "loop" else path, what)


def _nearest_key(track: TrackSection, at: KeyPath, *keys: str) -> KeyPath:
    """The first of `keys` that the track itself gives; the track, where all come from `defaults`."""
    return next(((*at, key) for key in keys if key in track.model_fields_set), at)


def name_faults(name: str, at: KeyPath) -> Iterator[Fault]:
    """What keeps `name` from being a manifest's."""
    fault = part_fault(normal(name))
    if "/" in name:
        yield Fault(at, f"found '/' in {quoted(name)}, expected a name without it")
    elif fault:
        yield Fault(at, fault)
