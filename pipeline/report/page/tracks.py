"""The page's table: each track with all that there is to say of it, as plain values for a template."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipeline.audio.settings import PRESETS, Loudness
from pipeline.money import Basis, dollars
from pipeline.report.page.waveform_paths import loudness_y, paths_of
from pipeline.report.purchases import KEPT, UNSENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipeline.audio.waveform import Waveform
    from pipeline.manifest.tracks import Track
    from pipeline.output import AssetRow
    from pipeline.report.failures import Failure
    from pipeline.report.page.inputs import PageInput
    from pipeline.report.page.waveform_paths import WaveformPaths
    from pipeline.report.purchases import Purchase

#: What a track's status is on the page, the most urgent first: the order in which it is sorted.
STATUSES = ("failed", "planned", "generated", "finished", "kept", "skipped")
_LEAST_TRIM_S = 0.05
_WHOLE_DB = 0.05


@dataclass(frozen=True, slots=True)
class FileView:
    """A finished file. `href` None: its path leads out of the folder, and nothing is loaded from there."""

    path: str
    href: str | None
    format: str
    size: int
    duration_s: float
    sample_rate: int
    channels: int
    lufs: float | None
    max_short_term_lufs: float | None
    loudness_range_lu: float | None
    true_peak_dbtp: float | None
    loop_s: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class TakeView:
    """One take that was asked for."""

    number: str
    cost: str
    basis: str
    status: str
    date: str | None
    job_id: str | None
    error: str | None
    is_pick: bool


@dataclass(frozen=True, slots=True)
class WaveformView:
    """What is drawn of a track. Marks are in units of the drawing's width; texts say the same in words."""

    paths: WaveformPaths
    target_y: int | None
    loop: tuple[float, float] | None
    trimmed_s: tuple[float, float]
    window: str  # what the loudness line shows


@dataclass(frozen=True, slots=True)
class TrackView:
    """A row of the table."""

    id: str
    manifest: str
    name: str
    status: str
    placeholder: bool
    kind: str  # generated, file, or none where there is nothing yet
    files: tuple[FileView, ...]
    takes: tuple[TakeView, ...]
    cost_microusd: int | None
    cost: str
    basis: str
    waveform: WaveformView | None
    asked_s: float | None
    target_lufs: float | None
    ceiling_dbtp: float | None
    takes_asked: int
    prompt: str | None
    lyrics: str | None
    model: str | None
    date: str | None
    tags: tuple[str, ...]
    warnings: tuple[tuple[str, str], ...]  # (code, message)
    failure: Failure | None
    place: str | None  # of its entry in the manifest: file:line

    @property
    def folder(self) -> str:
        """The name's part before its last, with its stroke; empty where it has one part."""
        return self.name[: len(self.name) - len(self.leaf)]

    @property
    def leaf(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def file(self) -> FileView | None:
        """What is played: its first file."""
        return self.files[0] if self.files else None

    @property
    def status_rank(self) -> int:
        return STATUSES.index(self.status)


def track_views(given: PageInput) -> tuple[TrackView, ...]:
    """Every track: those of the given manifests in their order, then what the index has of others."""
    rows: defaultdict[tuple[str, str], list[AssetRow]] = defaultdict(list)
    for row in given.costs.rows:
        rows[row.manifest, row.name].append(row)
    known = {(track.manifest, track.name): track for track in given.tracks}
    every = [*known, *sorted(at for at in rows if at not in known)]
    facts = _Facts(given)
    return tuple(
        facts.view(f"t{number}", at, known.get(at), _ordered(known.get(at), rows.get(at, [])))
        for number, at in enumerate(every, 1)
    )


def _ordered(track: Track | None, rows: Iterable[AssetRow]) -> list[AssetRow]:
    """A track's rows as its outputs stand in the manifest, else by path."""
    paths = () if track is None else track.asset_paths
    return sorted(rows, key=lambda row: (paths.index(row.path) if row.path in paths else len(paths), row.path))


class _Facts:
    """What there is to know of tracks, by (manifest, name)."""

    def __init__(self, given: PageInput) -> None:
        self._waveforms = given.waveforms
        self._statuses = {
            (track.plan.track.manifest, track.plan.track.name): track.status
            for manifest in given.costs.results
            for track in manifest.tracks
        }
        self._failures: dict[tuple[str, str], Failure] = {}
        for failure in given.report.failures:
            self._failures.setdefault((failure.manifest, failure.track), failure)
        self._takes: defaultdict[tuple[str, str], list[Purchase]] = defaultdict(list)
        self._shared: defaultdict[str, list[Purchase]] = defaultdict(list)
        for purchase in given.report.takes:
            self._takes[purchase.manifest, purchase.track].append(purchase)
            self._shared[purchase.key.fingerprint].append(purchase)
        self._given = frozenset(given.costs.manifests)

    def view(self, identity: str, at: tuple[str, str], track: Track | None, rows: Sequence[AssetRow]) -> TrackView:
        first = rows[0] if rows else None
        origin = None if first is None else first.provenance
        takes = self._takes_of(at, first)
        failure = self._failures.get(at)
        cost_microusd, cost, basis = _cost_of(takes, placeholder=first is not None and first.placeholder)
        loudness = track.finishing.loudness if track is not None else _loudness_of(first)
        target = _target_of(first, loudness)
        return TrackView(
            id=identity,
            manifest=at[0],
            name=at[1],
            status=self._status(at, first, failure, takes),
            placeholder=first is not None and first.placeholder,
            kind="none" if origin is None else origin.kind,
            files=tuple(map(_file, rows)),
            takes=tuple(_take(take, first) for take in takes),
            cost_microusd=cost_microusd,
            cost=cost,
            basis=basis,
            waveform=self._waveform(rows, target),
            asked_s=track.asked_s if track is not None else None if origin is None else origin.duration,
            target_lufs=target,
            ceiling_dbtp=None if loudness is None or loudness.target_lufs is None else loudness.true_peak_dbtp,
            takes_asked=1 if track is None else track.takes,
            prompt=track.prompt if track is not None else None if origin is None else origin.prompt,
            lyrics=(track.lyrics if track is not None else None if origin is None else origin.lyrics) or None,
            model=(None if origin is None else origin.model) or (None if track is None else track.model or None),
            date=None if origin is None else origin.date or None,
            tags=() if track is None else track.tags,
            warnings=_warnings(rows),
            failure=failure,
            place=None if track is None else f"{track.place.file}:{track.place.line}",
        )

    def _takes_of(self, at: tuple[str, str], row: AssetRow | None) -> list[Purchase]:
        """Its own purchases; and those of another track, where that one asked first for what it is made of."""
        own = self._takes.get(at, [])
        if row is None or any(take.key.fingerprint == row.paid_fingerprint for take in own):
            return own
        return [*own, *self._shared.get(row.paid_fingerprint, [])]

    def _status(
        self, at: tuple[str, str], row: AssetRow | None, failure: Failure | None, takes: Sequence[Purchase]
    ) -> str:
        """The run's word; without one, what index and ledger show."""
        if at in self._statuses:
            return self._statuses[at]
        if failure is not None:
            return "failed"
        if row is None:
            return "planned"
        if at[0] in self._given and any(take.this_run and take.key == row.purchase for take in takes):
            return "generated"
        return "kept"

    def _waveform(self, rows: Sequence[AssetRow], target_lufs: float | None) -> WaveformView | None:
        """Of the first file that was drawn: a track's files sound alike."""
        found = next(((row, self._waveforms[row.sha256]) for row in rows if row.sha256 in self._waveforms), None)
        if found is None:
            return None
        row, waveform = found
        paths = paths_of(waveform)
        frames = row.duration * row.sample_rate
        loop = None
        if row.loop is not None and frames > 0:
            start, end = (round(min(1.0, row.loop[one] / frames) * paths.width, 1) for one in ("start", "end"))
            loop = start, end
        return WaveformView(
            paths=paths,
            target_y=None if target_lufs is None or not paths.loudness else loudness_y(target_lufs),
            loop=loop,
            trimmed_s=waveform.trimmed_s if max(waveform.trimmed_s) >= _LEAST_TRIM_S else (0.0, 0.0),
            window=_window(waveform),
        )


def _window(waveform: Waveform) -> str:
    return "short-term loudness (3 s)" if waveform.loudness.window_s > 1 else "momentary loudness (400 ms)"


def _file(row: AssetRow) -> FileView:
    loop = row.loop
    return FileView(
        path=row.path,
        href=href_of(row.path),
        format=row.format,
        size=row.size,
        duration_s=row.duration,
        sample_rate=row.sample_rate,
        channels=row.channels,
        lufs=row.lufs,
        max_short_term_lufs=row.max_short_term_lufs,
        loudness_range_lu=row.loudness_range,
        true_peak_dbtp=row.true_peak_dbtp,
        loop_s=None
        if loop is None or not row.sample_rate
        else (
            loop["start"] / row.sample_rate,
            loop["end"] / row.sample_rate,
        ),
    )


def href_of(path: str) -> str | None:
    """The address of a file beside the page; None for one that lies elsewhere. The index may have been edited."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in path:
        return None
    return "./" + "/".join(quote(part) for part in parts)


def _take(take: Purchase, row: AssetRow | None) -> TakeView:
    cost, basis = _amount(take)
    version = f"{take.key.take}" if not take.key.regeneration else f"{take.key.take}.{take.key.regeneration}"
    return TakeView(
        number=version,
        cost=cost,
        basis=basis,
        status={KEPT: "kept; not in this ledger", UNSENT: "not sent"}.get(take.status, take.status),
        date=take.date,
        job_id=take.job_id,
        error=take.error,
        is_pick=row is not None and take.key == row.purchase,
    )


def _amount(take: Purchase) -> tuple[str, str]:
    if take.placeholder:
        return "free", "placeholder"
    if take.cost_microusd is None:
        return "–", "not known"  # noqa: RUF001 - a dash, as everywhere where nothing is known
    return dollars(take.cost_microusd), "" if take.cost_basis is None else str(take.cost_basis)


def _cost_of(takes: Sequence[Purchase], *, placeholder: bool) -> tuple[int | None, str, str]:
    """What all of a track's takes cost: in micro-dollars, in words, and how that is known (the least sure of them)."""
    real = [take for take in takes if not take.placeholder]
    known = [take.cost_microusd for take in real if take.cost_microusd is not None]
    if not known:
        return (0, "free", "placeholder") if placeholder else (None, "–", "")  # noqa: RUF001 - as above
    bases = {take.cost_basis for take in real if take.cost_microusd is not None}
    surest_last = (Basis.ESTIMATED, Basis.COMPUTED, Basis.USAGE)
    basis = next((str(one) for one in surest_last if one in bases), "")
    return sum(known), dollars(sum(known)), basis


def _loudness_of(row: AssetRow | None) -> Loudness | None:
    """What a file was levelled to, from the settings that its row has; None where they don't say."""
    finishing: Any = ((row.settings if row is not None else None) or {}).get("finishing")
    document = finishing.get("loudness", {}) if isinstance(finishing, dict) else None
    if not isinstance(document, dict):
        return None
    preset = PRESETS.get(str(document.get("preset", "game")))
    target = document.get("target_lufs", preset.target_lufs if preset else None)
    ceiling = document.get("true_peak_dbtp", preset.true_peak_dbtp if preset else None)
    if not isinstance(target, (int, float)) or not isinstance(ceiling, (int, float)):
        return None
    return Loudness(target_lufs=float(target), true_peak_dbtp=float(ceiling))


def _target_of(row: AssetRow | None, loudness: Loudness | None) -> float | None:
    if row is not None and row.group is not None:
        return row.group.target_lufs
    return None if loudness is None else loudness.target_lufs


def _warnings(rows: Iterable[AssetRow]) -> tuple[tuple[str, str], ...]:
    """Of all of a track's files, each once."""
    return tuple(dict.fromkeys(_told(rows)))


def _told(rows: Iterable[AssetRow]) -> Iterator[tuple[str, str]]:
    for row in rows:
        for warning in row.warnings:
            yield str(warning.get("code", "")), str(warning.get("message", ""))
