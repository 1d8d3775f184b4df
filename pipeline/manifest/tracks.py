"""What a manifest says once it is expanded: plain values that every later room reads."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.audio.settings import Finishing, Output
    from pipeline.store_choice import StoreChoice

SourceFormat = Literal["mp3", "wav"]
OnExpired = Literal["hold", "regenerate"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a manifest something stands, for messages. Lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """The manifest's `gateway:` section, with its defaults filled in."""

    model: str | None = None
    prices: tuple[tuple[str, Decimal], ...] = ()  # (model, USD a second of audio), sorted
    topup_fee: Decimal = Decimal("0.05")
    concurrency: int = 8
    requests_per_minute: int = 600
    poll_interval_s: float = 3.0
    job_timeout_s: float = 1800.0
    media_hosts: tuple[str, ...] = ()
    resend_unknown: bool = True
    on_expired: OnExpired = "hold"  # about a job that the gateway dropped before its audio was fetched


@dataclass(frozen=True, slots=True)
class Track:
    """A named entry after expansion: something somebody wants to hear.

    Either `prompt` is set (generated: `model` and `price_usd_per_s` are set too) or `file` is (a person's recording).
    """

    manifest: str  # the manifest's name
    name: str
    place: Place
    finishing: Finishing
    outputs: tuple[Output, ...]
    prompt: str | None = None
    lyrics: str = ""  # empty: instrumental
    refine_lyrics: bool = False
    duration_s: float = 30.0
    source_format: SourceFormat = "wav"
    takes: int = 1
    refresh_s: float | None = None  # a pick that is older is generated again; None: none ever is
    model: str = ""
    price_usd_per_s: Decimal = Decimal(0)
    tags: tuple[str, ...] = ()
    file: Path | None = None  # absolute, or relative to the working folder as the manifest's own path is

    @property
    def asked_s(self) -> float | None:
        """How long its source was asked to be; None for a recording, which nobody asked for."""
        return None if self.prompt is None else self.duration_s

    @property
    def asset_paths(self) -> tuple[str, ...]:
        """Every asset's path below the output folder, in the outputs' order, a loop's intro after its loop."""
        if not self.finishing.splits_intro:
            return tuple([output.path(self.name) for output in self.outputs])
        both = ((output.path(self.name), output.intro_path(self.name)) for output in self.outputs)
        return tuple(path for one in both for path in one)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One manifest file, checked and expanded."""

    path: Path
    name: str
    gateway: GatewaySettings
    budget_microusd: int | None
    tracks: tuple[Track, ...]
    store: StoreChoice | None = None  # what a team shares
