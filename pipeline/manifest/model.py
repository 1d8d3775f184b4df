"""The manifest's sections, version 1. The same models validate and write manifest.schema.json.

A description here is what an editor shows beside the key.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from pipeline.audio.settings import FORMATS, Marking
from pipeline.manifest.forms import (
    Age,
    Exactly,
    Number,
    OneOf,
    OneOrMore,
    OrText,
    Short,
    Spelling,
    Switch,
    Text,
    Whole,
    YesNo,
)
from pipeline.manifest.sound_model import (
    PRESET_NAMES,
    GatesSection,
    LoopSection,
    LoudnessSection,
    OutputSection,
    Section,
    TrimSection,
)
from pipeline.manifest.tracks import OnExpired, SourceFormat  # noqa: TC001 - pydantic reads it
from pipeline.store_choice import EXPECTED, LEASE_S

LONGEST_PROMPT: Final = 10_000
LONGEST_LYRICS: Final = 10_000
MOST_DOLLARS: Final = 1_000_000

_HOST: Final = (
    r"(?=.{1,253}$)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_PRICE: Final = Exactly(0, 1000, "dollars")
_STORE: Final = Text(f"a store's address: {EXPECTED}", 1000)

OptionalModel = Annotated[str | None, Text("a model such as sony-ai/mmaudio-v2-text-to-audio", pattern=r"[^\s]+")]
PricePerSecond = Annotated[Decimal, _PRICE]
MatrixValue = Annotated[str, Spelling("a word or a number", forbidden="/", may_be_blank=True)]


class GatewaySection(Section):
    """The music API, and how hard it may be asked."""

    model: OptionalModel = Field(
        default=None, description="The model that generates, unless a track or `defaults` name one."
    )
    price_per_second: Annotated[Decimal | None, _PRICE] = Field(
        default=None, description="What a second of audio costs with `model`, in USD."
    )
    prices: dict[str, PricePerSecond] = Field(
        default_factory=dict,
        description="What a second of audio costs with other models, in USD: {other/model: 0.002}.",
    )
    topup_fee: Annotated[Decimal, Exactly(0, 1, "(a share: 0.05 is 5 %)")] = Field(
        default=Decimal("0.05"),
        description="What buying credit costs on top, as a share; 0 with a provider key of one's own.",
        json_schema_extra={"default": 0.05},
    )
    concurrency: Annotated[int, Whole(1, 10_000)] = Field(default=8, description="How many jobs are in flight at once.")
    requests_per_minute: Annotated[int, Whole(1, 1_000_000)] = Field(
        default=600, description="The most requests a minute; learned downwards from the gateway's headers."
    )
    poll_interval: Annotated[float, Number(0.1, 3600, "seconds")] = Field(
        default=3.0, description="The least time between two polls of one job, in seconds."
    )
    job_timeout: Annotated[float, Number(1, 604_800, "seconds")] = Field(
        default=1800.0, description="After this, in seconds, a job frees its slot, and the next run asks for it first."
    )
    media_hosts: tuple[
        Annotated[str, Text("a host's name alone, such as cdn.example.com", 253, pattern=_HOST)], ...
    ] = Field(default=(), description="Hosts that audio may come from, besides the gateway's own.")
    resend_unknown: Annotated[bool, YesNo()] = Field(
        default=True, description="Whether a submit whose answer was lost is sent again, under its own Idempotency-Key."
    )
    on_expired: Annotated[OnExpired, OneOf(("hold", "regenerate"))] = Field(
        default="hold",
        description=(
            "What becomes of a take that the gateway no longer has before its audio was fetched: hold (it waits for "
            "--regenerate), or regenerate (it is bought again, within the budget)."
        ),
    )


class SharedKeys(Section):
    """What a track may say, and `defaults` for all tracks that leave it out."""

    duration: Annotated[float, Number(0.5, 3600, "seconds")] = Field(
        default=30.0, description="How long the track is to be, in seconds. Every second is paid for."
    )
    source_format: Annotated[SourceFormat, OneOf(("mp3", "wav"))] = Field(
        default="wav", description="The format that the gateway delivers."
    )
    takes: Annotated[int, Whole(1, 100)] = Field(
        default=1, description="How many versions to generate, each paid for; one of them is the pick."
    )
    refresh: Annotated[float | None, Age()] = Field(
        default=None,
        description=(
            "A pick that is older than this (12h, 7d, 2w) is generated again by the next run, which pays for it, and "
            "replaced where its gates let the new one through. null: never."
        ),
    )
    model: OptionalModel = Field(default=None, description="The model that generates. Left out: the gateway section's.")
    refine_lyrics: Annotated[bool, YesNo()] = Field(
        default=False, description="Whether the model may rewrite the lyrics. An advert's words are its client's."
    )
    tags: tuple[Annotated[str, Spelling("a word", longest=100)], ...] = Field(
        default=(), description="Words of your own, to filter and sum by.", max_length=100
    )
    trim: Annotated[TrimSection | None, Switch(TrimSection)] = Field(
        default=None, description="Whether to cut silence at both ends.", json_schema_extra={"default": False}
    )
    loop: Annotated[LoopSection | None, Switch(LoopSection)] = Field(
        default=None, description="Whether to make the track loop without a seam.", json_schema_extra={"default": False}
    )
    fade_in: Annotated[float, Number(0, 3600, "seconds")] = Field(
        default=0.0, description="How long the start fades in, in seconds. Not on a loop."
    )
    fade_out: Annotated[float, Number(0, 3600, "seconds")] = Field(
        default=0.0, description="How long the end fades out, in seconds. Not on a loop."
    )
    loudness: Annotated[LoudnessSection, Short(LoudnessSection, "preset", PRESET_NAMES)] = Field(
        default=LoudnessSection(),
        description=(
            "A preset, or a mapping of what differs from one (from game, unless it has a preset). A track's replaces "
            "that of `defaults` as a whole."
        ),
        json_schema_extra={"default": "game"},
    )
    sample_rate: Annotated[int | None, Whole(8000, 192_000, "Hz")] = Field(
        default=None, description="Samples a second. Left out: the source's."
    )
    channels: Annotated[Literal[1, 2] | None, OneOf((1, 2))] = Field(
        default=None, description="1 (mono) or 2 (stereo). Left out: the source's."
    )
    outputs: Annotated[tuple[Annotated[OutputSection, Short(OutputSection, "format", FORMATS)], ...], OneOrMore()] = (
        Field(
            default=(OutputSection(),),
            description="The files to make: formats, or mappings with format, bitrate, quality, bits and suffix.",
            json_schema_extra={"default": ["ogg"]},
            min_length=1,
            max_length=20,
        )
    )
    gates: GatesSection = Field(
        default_factory=GatesSection, description="What to do about the faults that generators make: off, warn or fail."
    )
    mark: Annotated[Marking, OneOf(("iptc", "none"))] = Field(
        default="iptc",
        description=(
            "Whether a file's tags say that it was generated: `iptc` (IPTC's digital source type, the model and the "
            "job id), or `none`. A recording is never marked."
        ),
    )


class DefaultsSection(SharedKeys):
    """What holds for every track that does not say otherwise: a track's keys, but prompt, file, lyrics and matrix.

    A track's own value takes the place of a default as a whole, lists and mappings too.
    """


class MatrixSection(Section):
    """Lists of values, one track for each combination; a name, prompt or lyrics take them up as {key}."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, tuple[MatrixValue, ...]] = Field(init=False)

    include: tuple[dict[str, MatrixValue], ...] = Field(
        default=(),
        description=(
            "As in GitHub Actions: each is added to every combination of which it changes no value, and is a "
            "combination of its own where there is none."
        ),
    )
    exclude: tuple[dict[str, MatrixValue], ...] = Field(
        default=(), description="As in GitHub Actions: combinations that have all values of one of these are left out."
    )

    @property
    def axes(self) -> dict[str, tuple[str, ...]]:
        return self.__pydantic_extra__


class TrackSection(SharedKeys):
    """Something somebody wants to hear: a prompt to generate it from, or the file of a recording."""

    prompt: Annotated[str | None, Text("text that says what to hear", LONGEST_PROMPT, lines=True)] = Field(
        default=None,
        description="What to hear: mood, instruments, tempo. {key} takes up a matrix value, {{ is a brace.",
    )
    file: Annotated[str | None, Text("a file's path", 1000)] = Field(
        default=None,
        description="Instead of a prompt: a recording, relative to the manifest. Never generated, still finished.",
    )
    lyrics: Annotated[str, Text("the words to sing", LONGEST_LYRICS, lines=True, may_be_blank=True)] = Field(
        default="", description="The words to sing, as written. Left out: instrumental."
    )
    matrix: MatrixSection | None = Field(
        default=None, description="Expands this entry into one track for each combination."
    )


class StoreSection(Section):
    """A team's store: what one machine paid for, all have."""

    url: Annotated[str, _STORE] = Field(
        description=f"Where it is: {EXPECTED} (relative to the manifest). Credentials come from the environment."
    )
    required: Annotated[bool, YesNo()] = Field(
        default=False, description="Whether nothing is bought while the store can't be asked."
    )
    lease: Annotated[float, Number(2, 86_400, "seconds")] = Field(
        default=LEASE_S,
        description="After so long without a word, in seconds, a machine is taken for dead, and another goes on.",
    )


class ManifestSection(Section):
    """A manifest of named tracks for `pipeline`."""

    model_config = ConfigDict(title="Music asset manifest")

    version: Annotated[int, OneOf((1,))] = Field(description="The version of this form of manifest: 1.")
    name: Annotated[str, Text("the manifest's name, such as skyhaven", 100)] = Field(
        description="Names this manifest's rows in the index, its runs and its cost tags."
    )
    gateway: GatewaySection = Field(default_factory=GatewaySection, description="The music API: model, prices, pace.")
    budget: Annotated[Decimal | None, Exactly(0, MOST_DOLLARS, "dollars")] = Field(
        default=None, description="What a run may commit itself to, in USD. Left out: twice what its plan asks for."
    )
    store: Annotated[StoreSection | None, OrText(StoreSection, "url", _STORE)] = Field(
        default=None,
        description="A store that a team shares: takes that it has are fetched, what is bought is put there.",
    )
    defaults: DefaultsSection = Field(
        default_factory=DefaultsSection, description="What holds for every track that leaves it out."
    )
    tracks: dict[str, TrackSection] = Field(
        description=(
            "The tracks, by name. A name is its path in the output folder: one to eight parts joined by /, each of "
            "letters, digits, space and _ - . + ( )."
        )
    )


SHARED: Final = frozenset(SharedKeys.model_fields)
