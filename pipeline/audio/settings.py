"""What finishing is told: plain frozen values that manifests produce, workers are sent, and fingerprints cover.

No numpy here: planning reads these, and a plan must start fast.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Format = Literal["wav", "flac", "ogg", "mp3", "m4a", "opus"]
GateAction = Literal["off", "warn", "fail"]
LoopIntro = Literal["drop", "keep", "split"]
Marking = Literal["iptc", "none"]

FORMATS: Final[tuple[Format, ...]] = ("wav", "flac", "ogg", "mp3", "m4a", "opus")


@dataclass(frozen=True, slots=True)
class Loudness:
    """How loud an asset is delivered. `target_lufs` None: measured, not changed (preset `none`)."""

    preset: str = "game"
    target_lufs: float | None = -16.0
    true_peak_dbtp: float = -1.0
    max_short_term_lufs: float | None = None
    tolerance_lu: float | None = None
    limit_db: float = 3.0
    group: str | None = None


# Sources: docs/sound.md. `game` is what published games' pipelines use; broadcast by EBU R 128, its supplement s1
# (adverts) and ATSC A/85; mobile and console by Sony's figures (AES 135).
PRESETS: Final[dict[str, Loudness]] = {
    preset.preset: preset
    for preset in (
        Loudness("game", -16.0, -1.0),
        Loudness("mobile", -18.0, -1.0, tolerance_lu=2.0),
        Loudness("console", -24.0, -1.0, tolerance_lu=2.0),
        Loudness("broadcast-eu", -23.0, -1.0, tolerance_lu=0.5),
        Loudness("advert-eu", -23.0, -1.0, max_short_term_lufs=-18.0, tolerance_lu=0.5),
        Loudness("broadcast-us", -24.0, -2.0, tolerance_lu=2.0),
        Loudness("advert-us", -24.0, -2.0, tolerance_lu=2.0),
        Loudness("podcast", -16.0, -1.0, tolerance_lu=1.5),
        Loudness("streaming", -14.0, -1.0),
        Loudness("none", None),
    )
}


@dataclass(frozen=True, slots=True)
class Trim:
    """Cut what lies below `threshold_dbfs` at both ends, keeping a little of it, in seconds."""

    threshold_dbfs: float = -60.0
    keep_head_s: float = 0.005
    keep_tail_s: float = 0.1


@dataclass(frozen=True, slots=True)
class Loop:
    """Make the asset loop. None: decided by the music itself."""

    min_s: float | None = None
    crossfade_s: float | None = None
    intro: LoopIntro = "drop"


@dataclass(frozen=True, slots=True)
class Output:
    """One file of a track. What does not belong to `format` is None."""

    format: Format = "ogg"
    suffix: str = ""
    bits: Literal[16, 24] | None = None  # wav, flac; None: 16
    quality: float | None = None  # ogg: Vorbis 0 to 10; None: 5
    bitrate: int | None = None  # mp3, m4a, opus: kbit/s; None: 192

    @property
    def extension(self) -> str:
        return self.format

    def path(self, track: str) -> str:
        """The asset's path below the output folder, with `/`."""
        return f"{track}{self.suffix}.{self.extension}"

    def intro_path(self, track: str) -> str:
        """The path of what comes before the loop, where that is split off."""
        return f"{track}{self.suffix}.intro.{self.extension}"


@dataclass(frozen=True, slots=True)
class Finishing:
    """All that is done to a source after its download, but for the outputs themselves. Free to repeat."""

    trim: Trim | None = None
    loop: Loop | None = None
    fade_in_s: float = 0.0
    fade_out_s: float = 0.0
    loudness: Loudness = field(default_factory=Loudness)
    sample_rate: int | None = None  # Hz; None: the source's
    channels: int | None = None  # 1 or 2; None: the source's
    gates: tuple[tuple[str, GateAction], ...] = ()  # only those that differ from the default, sorted
    mark: Marking = "iptc"  # whether files say that they were generated; of a recording none does

    @property
    def splits_intro(self) -> bool:
        """Does each output come to two files?"""
        return self.loop is not None and self.loop.intro == "split"


def canonical(settings: Any) -> dict[str, Any]:
    """`settings` as a JSON object that leaves out what stands at its default.

    So a later version may add a setting without changing the fingerprint of anything that does not use it.
    """
    document: dict[str, Any] = {}
    for item in dataclasses.fields(settings):
        value = getattr(settings, item.name)
        default = item.default if item.default_factory is dataclasses.MISSING else item.default_factory()
        if value != default:
            document[item.name] = canonical(value) if dataclasses.is_dataclass(value) else value
    return document
