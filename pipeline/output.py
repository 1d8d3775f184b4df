"""The output folder: its index, and whether each asset is what the index says it is."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from itertools import chain
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

from pipeline.audio.origin_marks import SourceMarks, read_source_marks
from pipeline.files import Folder, FolderError, trouble
from pipeline.jobs import PurchaseKey
from pipeline.noop.hashes import Hashes
from pipeline.picks.values import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from pipeline.planning.plans import ManifestPlan

    #: A row of an index: one that a run has made, or as it was read, whatever it may be.
    IndexRow: TypeAlias = "AssetRow | Mapping[str, Any]"

INDEX_NAME: Final = "assets.json"
INDEX_VERSION: Final = 1
_LARGEST_COUNT: Final = 1 << 53
_HALF_CHARACTER: Final = re.compile(rb"\\u[dD][89a-fA-F]")  # may be: two of them can be a whole one


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an asset's sound comes from."""

    kind: str  # "generated" or "file"
    model: str | None = None
    prompt: str | None = None
    lyrics: str | None = None
    job_id: str | None = None
    take: int = 1
    takes: int = 1  # the highest take that was bought
    regeneration: int = 0
    date: str = ""  # when the source came, ISO 8601, UTC
    duration: float | None = None  # the seconds that were asked for; None: not recorded, as the two below
    refine_lyrics: bool | None = None
    source_format: str | None = None

    @property
    def version(self) -> Version:
        """Which generation of the take it is."""
        return Version(self.take, self.regeneration)


@dataclass(frozen=True, slots=True)
class JoinedGroup:
    """The loudness group that an asset was levelled with: its gain, and what that was made of.

    `members`: each track of the group, with the digest of what it brought to the joint loudness; None: left out.
    """

    name: str
    target_lufs: float
    gain_db: float
    members: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Unfit:
    """A take that failed a gate, so that it is not the pick.

    `judging`: the fingerprint of what it was judged by; under other gates it is judged again.
    """

    take: int
    regeneration: int
    judging: str
    why: str


@dataclass(frozen=True, slots=True)
class AssetRow:
    """A row of the index: a finished file, as measured when it was delivered. Figures not measurable are None."""

    manifest: str
    name: str
    path: str
    format: str
    size: int
    sha256: str
    duration: float
    sample_rate: int
    channels: int
    lufs: float | None
    max_short_term_lufs: float | None
    loudness_range: float | None
    true_peak_dbtp: float | None
    loop: dict[str, int] | None
    warnings: tuple[dict[str, str], ...]
    placeholder: bool
    paid_fingerprint: str
    finishing_fingerprint: str
    limited_db: float = 0.0  # the most that the limiter took off its peaks
    provenance: Provenance = field(default_factory=lambda: Provenance("generated"))
    group: JoinedGroup | None = None
    settings: dict[str, Any] | None = None  # what `finishing_fingerprint` is the SHA-256 of; None: not recorded
    unfit: tuple[Unfit, ...] = ()  # the track's takes that failed a gate
    mark: str | None = None  # IPTC's digital source type, as its tags say it; None: they say none
    source_marks: SourceMarks | None = None  # what its source said of itself; None: not recorded

    @property
    def purchase(self) -> PurchaseKey:
        """What was bought for it, where it was generated."""
        return PurchaseKey(self.paid_fingerprint, *self.provenance.version)

    def document(self) -> dict[str, Any]:
        """The row as JSON has it."""
        parts = {"provenance": self.provenance, "group": self.group, "source_marks": self.source_marks}
        return (
            {name: getattr(self, name) for name in _keys(AssetRow)}
            | {name: None if part is None else asdict(part) for name, part in parts.items()}
            | {"warnings": list(self.warnings), "unfit": [asdict(one) for one in self.unfit]}
        )


def read_row(document: Mapping[str, Any]) -> AssetRow | None:
    """The row that `document` holds; None where it is not one: it then proves nothing."""
    try:
        provenance = Provenance(**_known(Provenance, document["provenance"]))
        group = _read_group(document.get("group"))
        settings = document.get("settings")
        read = {"provenance": provenance, "warnings": tuple(document["warnings"]), "group": group}
        read["settings"] = settings if isinstance(settings, dict) else None
        read["unfit"] = tuple(_read_unfit(document.get("unfit")))
        read["source_marks"] = read_source_marks(document.get("source_marks"))
        row = AssetRow(**_known(AssetRow, document) | read)
    except (KeyError, TypeError, AttributeError):
        return None
    return row if _is_sound(row) else None


def _read_group(document: Any) -> JoinedGroup | None:
    """None also where it is not one: the asset is then levelled again with its group."""
    try:
        group = JoinedGroup(**_known(JoinedGroup, document))
        members = group.members.items()
    except (TypeError, AttributeError):
        return None
    sound = isinstance(group.name, str) and _is_figure(group.target_lufs) and _is_figure(group.gain_db)
    texts = (part for name, member in members for part in (name, member or ""))
    return group if sound and all(isinstance(text, str) for text in texts) else None


def _read_unfit(documents: Any) -> Iterator[Unfit]:
    """What is not one is passed over: that take is then judged again."""
    for document in documents if isinstance(documents, list) else ():
        try:
            one = Unfit(**_known(Unfit, document))
        except (TypeError, AttributeError):
            continue
        counts = all(type(count) is int for count in (one.take, one.regeneration))
        if counts and isinstance(one.judging, str) and isinstance(one.why, str):
            yield one


def _is_sound(row: AssetRow) -> bool:
    """Is every value of the kind that it should be? The index is a file that anybody may have edited."""
    source = row.provenance
    texts = (row.manifest, row.name, row.path, row.format, row.sha256, row.paid_fingerprint, row.finishing_fingerprint)
    counts = (row.size, row.sample_rate, row.channels, source.take, source.takes, source.regeneration)
    figures = (row.lufs, row.max_short_term_lufs, row.loudness_range, row.true_peak_dbtp)
    words = (source.model, source.prompt, source.lyrics, source.job_id, source.source_format, row.mark)
    return (
        {*map(type, (*texts, source.kind, source.date))} == {str}
        and {*map(type, counts)} == {int}
        and min(counts) >= 0
        and max(counts) < _LARGEST_COUNT
        and _is_figure(row.duration)
        and row.duration >= 0
        and _is_figure(row.limited_db)
        and all(figure is None or _is_figure(figure) for figure in figures)
        and {*map(type, words)} <= {str, NoneType}
        and {*map(type, row.warnings)} <= {dict}
        and isinstance(row.placeholder, bool)
        and (row.loop is None or _is_loop(row.loop))
        and (source.duration is None or _is_figure(source.duration))
        and (source.refine_lyrics is None or isinstance(source.refine_lyrics, bool))
    )


def _is_loop(loop: object) -> bool:
    start, end = (loop.get("start"), loop.get("end")) if isinstance(loop, dict) else (None, None)
    return type(start) is int and type(end) is int and 0 <= start < end < _LARGEST_COUNT


def _is_figure(value: object) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return -_LARGEST_COUNT < value < _LARGEST_COUNT  # no NaN, nothing infinite, nothing that a float can't hold


def _known(kind: type, document: Mapping[str, Any]) -> dict[str, Any]:
    """Only the keys that `kind` has: a newer version may have written more."""
    return {key: document[key] for key in _keys(kind) if key in document}


@cache
def _keys(kind: type) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind))


class OutputFolder:
    """Where assets land. `hashes`: what looks at them, and may know some of them already."""

    def __init__(self, folder: Folder, hashes: Hashes | None = None) -> None:
        self.folder = folder
        self._hashes = hashes or Hashes()

    def read_index(self) -> list[dict[str, Any]]:
        """The index's rows as they stand, of every manifest; none where there is no index. Raises FolderError."""
        path = self.folder.path(INDEX_NAME)
        try:
            content = path.read_bytes()
            document = json.loads(content)
            if _HALF_CHARACTER.search(content):
                _written(document).encode()  # raises where it is half of one: no file could be written with it
            if document["version"] > INDEX_VERSION:
                raise FolderError(f"{path}: the index is from a newer version of this program; install that one")
            return [row for row in document["assets"] if isinstance(row, dict)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise FolderError(trouble(error)) from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
            raise FolderError(
                f"{path}: this is no index as runs write it{where}; "
                "restore it from version control, or remove it to have it made again"
            ) from error

    def write_index(self, rows: Iterable[IndexRow]) -> bool:
        """Write the index. True where that changed it."""
        pieces = _ENCODER.iterencode({"version": INDEX_VERSION, "assets": sorted(rows, key=_place)})
        return self.folder.write_pieces(INDEX_NAME, (piece.encode() for piece in chain(pieces, "\n")))

    def has_just(self, rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> bool:
        """Does the index have these rows, as they are written, and no others of tracks with `names`? It is not parsed.

        False also where somebody has laid it out otherwise.
        """
        try:
            content = self.folder.path(INDEX_NAME).read_bytes()
        except OSError:
            return False
        # As they stand two levels deep. No text in it can be mistaken for this: there a line break has an escape.
        texts = (_written(row).replace("\n", "\n  ").encode() for row in rows)
        found = sum(content.count(f'\n   "name": {_written(name)},\n'.encode()) for name in names)
        return found == len(rows) and all(b"\n  " + text in content for text in texts)

    def intact(self, row: AssetRow) -> bool:
        """Is the row's file there, with the content that was delivered?"""
        return self._hashes.holds(f"{self.folder.root}/{row.path}", row.size, row.sha256)


_ENCODER: Final = json.JSONEncoder(indent=1, ensure_ascii=False, sort_keys=True, default=AssetRow.document)


def _written(document: Any) -> str:
    """What the index has for a document, or a part of it."""
    return _ENCODER.encode(document)


def rows_by_path(
    index: Sequence[Mapping[str, Any]], remembered: Sequence[Mapping[str, Any]] = ()
) -> dict[tuple[str, str], AssetRow]:
    """(manifest, path) -> row. What the index lacks is taken from what the ledger remembers of it."""
    rows = map(read_row, (*remembered, *index))
    return {(row.manifest, row.path): row for row in rows if row is not None}


def index_after(
    index: Sequence[Mapping[str, Any]], given: Iterable[ManifestPlan], rows: Sequence[AssetRow]
) -> list[IndexRow]:
    """The index's rows after a run: `rows` for the tracks of the given manifests, and everything else as it was.

    A row whose track is gone stays too, as an orphan: `prune` removes it with its file.
    """
    taken = {row.path for row in rows}
    claimed = {
        (plan.manifest.name, path) for plan in given for track in plan.tracks for path in track.track.asset_paths
    } | {(plan.manifest.name, move.old.path) for plan in given for move in plan.moves}
    others = [
        row for row in index if row.get("path") not in taken and (row.get("manifest"), row.get("path")) not in claimed
    ]
    return sorted([*others, *rows], key=_place)


def _place(row: IndexRow) -> tuple[str, str]:
    if isinstance(row, AssetRow):
        return row.path, row.manifest
    return str(row.get("path")), str(row.get("manifest"))


def readable(rows: Iterable[IndexRow]) -> list[AssetRow]:
    """Those of an index's rows that can be read."""
    read = (row if isinstance(row, AssetRow) else read_row(row) for row in rows)
    return [row for row in read if row is not None]


def documents(rows: Iterable[IndexRow], manifest: str) -> Iterator[Mapping[str, Any]]:
    """Those of an index's rows of `manifest` that can be read, as JSON has them: what was read once is as it was."""
    for row in rows:
        if isinstance(row, AssetRow):
            if row.manifest == manifest:
                yield row.document()
        elif row.get("manifest") == manifest and read_row(row) is not None:
            yield row
