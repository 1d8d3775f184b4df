"""The sections of a manifest that say how a track is finished; docs/sound.md says what each does."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.audio.settings import FORMATS, PRESETS, Format, GateAction, LoopIntro
from pipeline.manifest.forms import Number, OneOf, Text, Whole

PRESET_NAMES: Final = tuple(PRESETS)


class Section(BaseModel):
    """A mapping with known keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TrimSection(Section):
    """What to cut from both ends. `true` stands for the defaults."""

    threshold: Annotated[float, Number(-120, -1, "dBFS")] = Field(
        default=-60.0, description="What lies below this level at either end is cut, in dBFS."
    )
    keep_head: Annotated[float, Number(0, 60, "seconds")] = Field(
        default=0.005, description="How much of the quiet before the first sound stays, in seconds."
    )
    keep_tail: Annotated[float, Number(0, 60, "seconds")] = Field(
        default=0.1, description="How much of the quiet after the last sound stays, in seconds."
    )


class LoopSection(Section):
    """How to make the asset loop. `true` leaves everything to the music itself."""

    min: Annotated[float | None, Number(0.1, 3600, "seconds")] = Field(
        default=None, description="The shortest loop to accept, in seconds. Left out: 40 % of the duration asked for."
    )
    crossfade: Annotated[float | None, Number(0, 30, "seconds")] = Field(
        default=None, description="How long the end fades into the start, in seconds. Left out: as long as needed."
    )
    intro: Annotated[LoopIntro, OneOf(("drop", "keep", "split"))] = Field(
        default="drop",
        description=(
            "What happens to the music before the loop: `drop` it; `keep` it in the file, with the loop's points in "
            "assets.json and the file's tags; `split` it into <track>.intro.<ext> beside <track>.<ext>."
        ),
    )


class LoudnessSection(Section):
    """How loud the asset is: a preset, and what differs from it."""

    preset: Annotated[str, OneOf(PRESET_NAMES)] = Field(
        default="game",
        description=(
            "game -16 LUFS, mobile -18, console -24, broadcast-eu -23 (EBU R 128), advert-eu -23 with short-term at "
            "most -18 (EBU R 128 s1), broadcast-us and advert-us -24 (ATSC A/85), podcast -16, streaming -14; none: "
            "measured, not changed."
        ),
    )
    target: Annotated[float | None, Number(-60, 0, "LUFS")] = Field(
        default=None, description="Integrated loudness, in LUFS. Left out: the preset's."
    )
    true_peak: Annotated[float | None, Number(-20, 0, "dBTP")] = Field(
        default=None, description="The ceiling of the true peak, in dBTP. Left out: the preset's."
    )
    max_short_term: Annotated[float | None, Number(-60, 0, "LUFS")] = Field(
        default=None, description="The highest short-term loudness (3 s), in LUFS. Left out: the preset's."
    )
    tolerance: Annotated[float | None, Number(0.1, 20, "LU")] = Field(
        default=None, description="How far from the target is still right, in LU. Left out: the preset's."
    )
    limit: Annotated[float, Number(0, 24, "dB")] = Field(
        default=3.0, description="The most that the limiter may take off peaks, in dB; 0: linear gain only."
    )
    group: Annotated[str | None, Text("a group's name", 100)] = Field(
        default=None,
        description=(
            "One gain for all tracks of the group, from their joint loudness: what is softer in it stays softer."
        ),
    )


class OutputSection(Section):
    """One file of a track."""

    format: Annotated[Format, OneOf(FORMATS)] = Field(
        default="ogg", description="The file's format and extension. m4a and opus need ffmpeg on PATH."
    )
    bitrate: Annotated[int | None, Whole(6, 512, "kbit/s")] = Field(
        default=None, description="mp3, m4a and opus: kbit/s. Left out: 192."
    )
    quality: Annotated[float | None, Number(0, 10)] = Field(
        default=None, description="ogg: Vorbis quality from 0 to 10. Left out: 5."
    )
    bits: Annotated[Literal[16, 24] | None, OneOf((16, 24))] = Field(
        default=None, description="wav and flac: bits a sample. Left out: 16."
    )
    suffix: Annotated[str, Text("a suffix such as -low", 40)] = Field(
        default="", description="Stands between the track's name and the extension: two outputs of one format need it."
    )


_ANY_ACTION: Final = OneOf(("off", "warn", "fail"))


class GatesSection(Section):
    """What generators do wrong, and what follows: `off`, `warn`, or `fail` the track (its paid source is kept)."""

    audio: Annotated[GateAction, OneOf(("fail",))] = Field(
        default="fail", description="It does not decode: always fails."
    )
    silent: Annotated[GateAction, _ANY_ACTION] = Field(default="fail", description="Nothing in it is above -60 LUFS.")
    length: Annotated[GateAction, _ANY_ACTION] = Field(default="fail", description="Under half as long as was asked.")
    ending: Annotated[GateAction, _ANY_ACTION] = Field(default="warn", description="It ends early, or is cut off.")
    gap: Annotated[GateAction, _ANY_ACTION] = Field(
        default="warn", description="Half a second or more of silence inside."
    )
    clipping: Annotated[GateAction, _ANY_ACTION] = Field(default="warn", description="Runs of samples at full scale.")
    mono: Annotated[GateAction, _ANY_ACTION] = Field(
        default="warn", description="It loses much when folded down to mono."
    )
    dc: Annotated[GateAction, _ANY_ACTION] = Field(default="warn", description="Its mean is off zero.")
    twin: Annotated[GateAction, _ANY_ACTION] = Field(default="warn", description="Two takes are nearly the same.")
