"""The disclosure: which of the files that ship were generated, by which model, when, and who picked them. Pure.

Index, locks and ledger say it; what none of them knows is None, and told as not known. Nothing is guessed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from pipeline.audio.origin_marks import TRAINED, public_job_id
from pipeline.gateway_choice import EMBEDDED_ORIGIN
from pipeline.report.finishing_words import finishing_words, own_steps
from pipeline.times import timestamp

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pipeline.audio.origin_marks import SourceMarks
    from pipeline.jobs import Job
    from pipeline.output import AssetRow
    from pipeline.picks.values import Lock

Kind = Literal["generated", "placeholder", "recording"]
Picker = Literal["program", "person"]
State = Literal["delivered", "changed", "missing"]

LOCAL_GATEWAY: Final = "the local gateway"


@dataclass(frozen=True, slots=True)
class DisclosureInput:
    """What a disclosure is made from: the given manifests' tracks and locks, the index, and the ledger's jobs."""

    tracks: Mapping[str, Sequence[tuple[str, Sequence[str]]]]  # manifest -> (track, the paths of its assets)
    rows: Sequence[AssetRow]  # the index's, of every manifest
    locks: Mapping[str, Lock] = field(default_factory=dict)
    jobs: Sequence[Job] = ()
    states: Mapping[str, State] = field(default_factory=dict)  # path -> what became of the delivered file
    unreadable_rows: int = 0
    has_ledger: bool = True
    generated_at: float = 0.0


@dataclass(frozen=True, slots=True)
class DisclosedAsset:
    """One file in the output folder. What nobody knows is None."""

    manifest: str
    track: str
    path: str
    kind: Kind
    state: State
    is_orphan: bool  # no track asks for it any more, and it still lies there
    model: str | None = None  # that generated it
    gateway: str | None = None  # the host that generated it
    date: str | None = None  # when its source came
    job_id: str | None = None
    take: str | None = None
    takes: int | None = None  # how many were generated
    is_sung: bool = False
    words_refined: bool = False  # the model was allowed to change its lyrics
    picked_by: Picker | None = None
    picked_at: str | None = None  # when a person did
    finishing: tuple[str, ...] | None = None
    steps: tuple[str, ...] = ()  # the project's own, that were run over it
    mark: str | None = None
    source_marks: SourceMarks | None = None

    @property
    def provider(self) -> str | None:
        """By the model's name, `provider/model`."""
        provider, slash, _ = (self.model or "").partition("/")
        return provider if slash and provider else None

    @property
    def says_it_was_generated(self) -> bool:
        """Is it taken for a recording, though its own source says that a model made it?"""
        marks = self.source_marks
        return self.kind == "recording" and marks is not None and _is_trained(marks.digital_source_type)


def _is_trained(digital_source_type: str | None) -> bool:
    """Also where only a part of it was: `compositeWithTrainedAlgorithmicMedia`."""
    return (digital_source_type or "").lower().endswith(TRAINED.rpartition("/")[2].lower())


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What one model generated. `gateways`: the hosts that are known."""

    model: str | None
    provider: str | None
    gateways: tuple[str, ...]
    files: int
    tracks: int
    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True)
class Disclosure:
    """All that the disclosure's files say."""

    generated_at: str
    manifests: tuple[str, ...]
    assets: tuple[DisclosedAsset, ...]
    not_made: tuple[tuple[str, str], ...]  # (manifest, track) without a file
    others: tuple[tuple[str, int], ...]  # manifests that were not given, and how many files of them are there
    unreadable_rows: int = 0
    has_ledger: bool = True

    def of_kind(self, kind: Kind) -> tuple[DisclosedAsset, ...]:
        return tuple(asset for asset in self.assets if asset.kind == kind)

    @property
    def unmarked(self) -> tuple[DisclosedAsset, ...]:
        """Generated, and its file does not say so."""
        return tuple(asset for asset in self.assets if asset.kind != "recording" and asset.mark is None)

    @property
    def with_c2pa(self) -> tuple[DisclosedAsset, ...]:
        """Their sources had a C2PA manifest, which the files do not carry."""
        return tuple(one for one in self.assets if one.source_marks is not None and one.source_marks.c2pa)

    @property
    def models(self) -> tuple[ModelUse, ...]:
        """By name, what has none last."""
        generated = self.of_kind("generated")
        names = sorted({one.model for one in generated}, key=lambda model: (model is None, model or ""))
        return tuple(_use([one for one in generated if one.model == name]) for name in names)

    def picked(self, by: Picker | None) -> int:
        """How many of the generated tracks were picked so."""
        return len(tracks_of(one for one in self.of_kind("generated") if one.picked_by == by))

    def in_state(self, state: State) -> tuple[DisclosedAsset, ...]:
        return tuple(asset for asset in self.assets if asset.state == state)


def tracks_of(assets: Iterable[DisclosedAsset]) -> frozenset[tuple[str, str]]:
    """(manifest, track) of each of them, once."""
    return frozenset((one.manifest, one.track) for one in assets)


def _use(assets: Sequence[DisclosedAsset]) -> ModelUse:
    dates = sorted(one.date for one in assets if one.date)
    return ModelUse(
        model=assets[0].model,
        provider=assets[0].provider,
        gateways=tuple(sorted({one.gateway for one in assets if one.gateway})),
        files=len(assets),
        tracks=len(tracks_of(assets)),
        first=dates[0] if dates else None,
        last=dates[-1] if dates else None,
    )


def disclosure(given: DisclosureInput) -> Disclosure:
    """What `given` says. Equal input gives an equal disclosure."""
    claimed = {(name, path) for name, tracks in given.tracks.items() for _, paths in tracks for path in paths}
    ours = [row for row in given.rows if row.manifest in given.tracks]
    made = {(row.manifest, row.name) for row in ours}
    others = Counter(row.manifest for row in given.rows if row.manifest not in given.tracks)
    origins = {(job.key.fingerprint, job.job_id): job.intent.origin for job in given.jobs if job.job_id}
    return Disclosure(
        generated_at=timestamp(given.generated_at),
        manifests=tuple(given.tracks),
        assets=tuple(_assets(ours, claimed, origins, given)),
        not_made=tuple(
            (name, track) for name, tracks in given.tracks.items() for track, _ in tracks if (name, track) not in made
        ),
        others=tuple(sorted(others.items())),
        unreadable_rows=given.unreadable_rows,
        has_ledger=given.has_ledger,
    )


def _assets(
    rows: Iterable[AssetRow],
    claimed: Collection[tuple[str, str]],
    origins: Mapping[tuple[str, str], str],
    given: DisclosureInput,
) -> Iterator[DisclosedAsset]:
    for row in sorted(rows, key=lambda row: (row.manifest, row.path)):
        asset = DisclosedAsset(
            row.manifest,
            row.name,
            row.path,
            "recording",
            state=given.states.get(row.path, "missing"),
            is_orphan=(row.manifest, row.path) not in claimed,
            finishing=finishing_words(row),
            steps=own_steps(row),
            mark=row.mark,
            source_marks=row.source_marks,
        )
        is_generated = row.provenance.kind == "generated"
        yield _as_generated(asset, row, given.locks.get(row.manifest), origins) if is_generated else asset


def _as_generated(
    asset: DisclosedAsset, row: AssetRow, lock: Lock | None, origins: Mapping[tuple[str, str], str]
) -> DisclosedAsset:
    source = row.provenance
    picked_by, picked_at = _picked(row, lock)
    origin = origins.get((row.paid_fingerprint, source.job_id or ""), EMBEDDED_ORIGIN if row.placeholder else "")
    return replace(
        asset,
        kind="placeholder" if row.placeholder else "generated",
        model=None if row.placeholder else source.model or None,  # a placeholder only stands in for its work
        gateway=_host(origin),
        date=source.date or None,
        job_id=public_job_id(source.job_id),
        take=str(source.version),
        takes=source.takes,
        is_sung=bool(source.lyrics),
        words_refined=bool(source.lyrics and source.refine_lyrics),
        picked_by=picked_by,
        picked_at=picked_at,
    )


def _picked(row: AssetRow, lock: Lock | None) -> tuple[Picker | None, str | None]:
    """Who made it the track's pick, and when a person did, by the lock.

    A lock keeps of placeholders only what somebody chose.
    """
    if lock is None:
        return None, None
    pick = lock.track(row.name).pick_of(row.paid_fingerprint)
    if pick is None:
        return ("program" if row.placeholder else None), None
    if pick.version != row.provenance.version:
        return None, None
    return ("person", pick.at or None) if pick.chosen else ("program", None)


def _host(origin: str) -> str | None:
    """Of a gateway's address no more than the host: what else stands in it is nobody's business."""
    return LOCAL_GATEWAY if origin == EMBEDDED_ORIGIN else urlsplit(origin).hostname
