"""What has changed since an asset was made, in the manifest's own words. Pure.

Its row says with which settings it was finished and what was asked for, next to a fingerprint of each: a record is
believed where it is what the fingerprint was made of. Rows without one are from an older version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pipeline.audio.gates import DEFAULT_ACTIONS
from pipeline.fingerprints import fingerprint_of, recorded_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.audio.settings import Finishing, Loudness, Output
    from pipeline.jobs import Kind
    from pipeline.manifest.tracks import Track
    from pipeline.output import AssetRow

_DEFAULT_BITS: Final = 16
_DEFAULT_QUALITY: Final = 5.0
_DEFAULT_BITRATE: Final = 192
_LOSSLESS: Final = ("wav", "flac")


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that is not what it was. Texts that are too long for a line are only named."""

    what: str
    before: str
    after: str
    unit: str = ""
    is_text: bool = False

    def __str__(self) -> str:
        if self.is_text:
            return f"{self.what} changed"
        if self.after[-1:].isalpha():  # `none`, `source`: the unit belongs to the figure before it
            return f"{self.what} {self.before}{self.unit} -> {self.after}"
        return f"{self.what} {self.before} -> {self.after}{self.unit}"

    def document(self) -> dict[str, str]:
        """The change as JSON has it."""
        return {"what": self.what, "before": self.before, "after": self.after, "unit": self.unit.strip()}


def in_words(changes: Sequence[Change], otherwise: str) -> str:
    """`fade_out 0 -> 2 s, prompt changed`; `otherwise` where nothing is known to have."""
    return ", ".join(dict.fromkeys(map(str, changes))) or otherwise


# --- finishing ------------------------------------------------------------------------------------------------------


def finishing_changes(row: AssetRow, settings: dict[str, Any]) -> tuple[Change, ...]:
    """What is other in `settings`, a finishing record, than when `row` was made; nothing where that is not known."""
    before = recorded_settings(row.settings, row.finishing_fingerprint)
    now = recorded_settings(settings, fingerprint_of(settings))
    if before is None or now is None:
        return ()
    try:
        return tuple(_compared(_spelled(*before), _spelled(*now)))
    except (TypeError, ValueError, AttributeError):  # of a newer version, with values of its own
        return ()


Spelled = dict[str, tuple[str, str]]  # setting -> (value, unit)


def _spelled(finishing: Finishing, output: Output, steps: Sequence[str]) -> Spelled:
    return {
        **_spelled_shape(finishing),
        **_spelled_loudness(finishing.loudness),
        "sample_rate": (_figure(finishing.sample_rate, "source"), " Hz"),
        "channels": (_figure(finishing.channels, "source"), ""),
        **{f"gates.{gate}": (action, "") for gate, action in (DEFAULT_ACTIONS | dict(finishing.gates)).items()},
        "mark": (finishing.mark, ""),
        **_spelled_output(output),
        "steps": (", ".join(steps) or "none", ""),
    }


def _spelled_shape(finishing: Finishing) -> Spelled:
    trim, loop = finishing.trim, finishing.loop
    spelled: Spelled = {"trim": ("off" if trim is None else "on", ""), "loop": ("off" if loop is None else "on", "")}
    if trim is not None:
        spelled |= {
            "trim.threshold": (_figure(trim.threshold_dbfs), " dBFS"),
            "trim.keep_head": (_figure(trim.keep_head_s), " s"),
            "trim.keep_tail": (_figure(trim.keep_tail_s), " s"),
        }
    if loop is not None:
        spelled |= {
            "loop.min": (_figure(loop.min_s, "auto"), " s"),
            "loop.crossfade": (_figure(loop.crossfade_s, "auto"), " s"),
            "loop.intro": (loop.intro, ""),
        }
    return spelled | {
        "fade_in": (_figure(finishing.fade_in_s), " s"),
        "fade_out": (_figure(finishing.fade_out_s), " s"),
    }


def _spelled_loudness(loudness: Loudness) -> Spelled:
    return {
        "preset": (loudness.preset, ""),
        "loudness": (_figure(loudness.target_lufs, "as it is"), " LUFS"),
        "true_peak": (_figure(loudness.true_peak_dbtp), " dBTP"),
        "max_short_term": (_figure(loudness.max_short_term_lufs), " LUFS"),
        "tolerance": (_figure(loudness.tolerance_lu), " LU"),
        "limit": (_figure(loudness.limit_db), " dB"),
        "group": (loudness.group or "none", ""),
    }


def _spelled_output(output: Output) -> Spelled:
    name = f"outputs: {output.format}{output.suffix}"
    if output.format in _LOSSLESS:
        return {name: (_figure(output.bits or _DEFAULT_BITS), " bits")}
    if output.format == "ogg":
        return {name: (_figure(_DEFAULT_QUALITY if output.quality is None else output.quality), " quality")}
    return {name: (_figure(output.bitrate or _DEFAULT_BITRATE), " kbit/s")}


def _compared(before: Spelled, after: Spelled) -> Iterator[Change]:
    """What only one of both has, as a trim's threshold, is told by what switches it on."""
    for word, (value, unit) in after.items():
        earlier = before.get(word)
        if earlier is not None and earlier[0] != value:
            yield Change(word, earlier[0], value, unit)


def _figure(value: float | None, otherwise: str = "none") -> str:
    return otherwise if value is None else f"{value:g}"


# --- what is paid for -----------------------------------------------------------------------------------------------


def paid_changes(row: AssetRow, track: Track, kind: Kind) -> tuple[Change, ...]:
    """What has changed in what is asked for since `row` was made, as far as it says what that was."""
    was_generated, is_generated = row.provenance.kind == "generated", track.prompt is not None
    if was_generated and is_generated:
        return tuple(_asked_changes(row, track, kind))
    if was_generated or is_generated:
        return (Change("source", _origin(is_generated=was_generated), _origin(is_generated=is_generated)),)
    return (Change("recording", "", "", is_text=True),)


def _origin(*, is_generated: bool) -> str:
    return "generated" if is_generated else "a recording"


def _asked_changes(row: AssetRow, track: Track, kind: Kind) -> Iterator[Change]:
    source = row.provenance
    if source.prompt != track.prompt:
        yield Change("prompt", source.prompt or "", track.prompt or "", is_text=True)
    if (source.lyrics or "") != track.lyrics:
        yield Change("lyrics", source.lyrics or "", track.lyrics, is_text=True)
    if source.model != track.model:
        yield Change("model", source.model or "none", track.model)
    if source.duration is not None and source.duration != track.duration_s:
        yield Change("duration", _figure(source.duration), _figure(track.duration_s), " s")
    if source.refine_lyrics is not None and source.refine_lyrics != track.refine_lyrics:
        yield Change("refine_lyrics", str(source.refine_lyrics).lower(), str(track.refine_lyrics).lower())
    if source.source_format is not None and source.source_format != track.source_format:
        yield Change("source_format", source.source_format, track.source_format)
    if row.placeholder and kind == "real":
        yield Change("source", "placeholder", "real")
