"""One entry of `tracks:` -> its tracks, one for each combination of its matrix."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pipeline.manifest.finishing import finishing_of, is_shaped_alike, outputs_of
from pipeline.manifest.matrix import Combination, Matrix, combinations, matrix_faults
from pipeline.manifest.mistakes import Fault, quoted
from pipeline.manifest.model import LONGEST_LYRICS, LONGEST_PROMPT
from pipeline.manifest.names import name_fault, normal
from pipeline.manifest.placeholders import filled, keys_in, placeholder_faults
from pipeline.manifest.prices import price_fault
from pipeline.manifest.rules import section_faults, track_faults
from pipeline.manifest.tracks import Track

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pipeline.audio.settings import Finishing, Output
    from pipeline.manifest.mistakes import KeyPath
    from pipeline.manifest.model import SharedKeys, TrackSection
    from pipeline.manifest.tracks import Place

_NO_PRICE: Final = Decimal(0)  # a mistake, told where the price is looked for


@dataclass(frozen=True, slots=True)
class Shape:
    """What tracks are made into."""

    finishing: Finishing
    outputs: tuple[Output, ...]

    @classmethod
    def of(cls, keys: SharedKeys) -> Shape:
        return cls(finishing_of(keys), outputs_of(keys))


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of `tracks:` and what stands under it, with all that its tracks take from around it."""

    manifest: str
    name: str
    place: Place
    section: TrackSection
    keys: SharedKeys  # what holds for it: its own, those of `defaults`, the house's
    written: Mapping[str, object]  # what stands in the file, understood or not
    model: str | None
    prices: Mapping[str, Decimal] | None  # None: not understood, so that no track is blamed for having none
    folder: Path  # that a recording's path is relative to
    usual: Shape  # of a track that leaves it to `defaults`

    @property
    def at(self) -> KeyPath:
        return ("tracks", self.name)

    @property
    def shape(self) -> Shape:
        return self.usual if is_shaped_alike(self.section) else Shape.of(self.keys)

    @property
    def matrix(self) -> Matrix | None:
        return matrix_of(self.section)


def matrix_of(section: TrackSection) -> Matrix | None:
    matrix = section.matrix
    return None if matrix is None else Matrix(matrix.axes, matrix.include, matrix.exclude)


def tracks_of(entry: Entry, faults: list[Fault]) -> Iterator[Track]:
    """The entry's tracks, as far as they are understood. What is wrong goes to `faults`."""
    faults += section_faults(entry.section, entry.at)
    faults += track_faults(entry.section, entry.keys, entry.written, entry.at)
    faults += _price_faults(entry)
    several = _combinations(entry, faults)
    unfillable = list(_placeholder_faults(entry, several))
    faults += unfillable
    if several and not any(fault.path == entry.at for fault in unfillable):
        names = dict(_names(entry, several, faults))
        yield from _with_texts(entry, names, faults) if not unfillable else _with_names_only(entry, names)


def _price_faults(entry: Entry) -> Iterator[Fault]:
    own_is_understood = "model" not in entry.written or entry.section.model is not None
    if entry.section.prompt is not None and entry.prices is not None and own_is_understood:
        fault = price_fault(entry.section, entry.model, entry.prices, entry.at)
        if fault:
            yield fault


def _combinations(entry: Entry, faults: list[Fault]) -> list[Combination]:
    """What to fill the entry's placeholders with; nothing where its matrix is at fault."""
    if entry.matrix is None:
        return [] if "matrix" in entry.written else [{}]
    found = matrix_faults(entry.matrix, (*entry.at, "matrix"))
    faults += found
    return [] if found else combinations(entry.matrix)


def _placeholder_faults(entry: Entry, several: Sequence[Combination]) -> Iterator[Fault]:
    section = entry.section
    texts = (entry.name, section.prompt or "", section.lyrics, section.file or "", *entry.keys.tags)
    if not any("{" in text or "}" in text for text in texts):
        return
    for path, text in _templates(entry):
        for what in placeholder_faults(text, several):
            yield Fault(path, what, at_key=path == entry.at)


def _templates(entry: Entry) -> Iterator[tuple[KeyPath, str]]:
    """Every text that may hold placeholders, and where it stands."""
    yield entry.at, entry.name
    yield (*entry.at, "prompt"), entry.section.prompt or ""
    yield (*entry.at, "lyrics"), entry.section.lyrics
    yield (*entry.at, "file"), entry.section.file or ""
    for place, tag in enumerate(entry.keys.tags):
        yield (*entry.at, "tags", place), tag


def _names(entry: Entry, several: Sequence[Combination], faults: list[Fault]) -> Iterator[tuple[str, Combination]]:
    """The names that the entry's tracks may have, each with the values that made it."""
    names = [normal(filled(entry.name, values)) for values in several]
    if len(names) > 1:
        faults += _shared_name_faults(entry, names, several)
    suffixes = [output.suffix for output in entry.keys.outputs]
    wrong = {name: name_fault(name, suffixes) for name in names}
    faults += (Fault(entry.at, what, at_key=True) for what in dict.fromkeys(wrong.values()) if what)
    yield from ((name, values) for name, values in zip(names, several, strict=True) if not wrong[name])


def _with_names_only(entry: Entry, names: Mapping[str, Combination]) -> Iterator[Track]:
    """Tracks whose texts can't be filled in: their names may still collide."""
    shape = entry.shape
    yield from (Track(entry.manifest, name, entry.place, shape.finishing, shape.outputs) for name in names)


def _with_texts(entry: Entry, names: Mapping[str, Combination], faults: list[Fault]) -> Iterator[Track]:
    shape = entry.shape
    for name, values in names.items():
        track = _track(entry, shape, name, values)
        found = list(_text_faults(track, entry.at))
        faults += found
        if found:
            return  # its siblings have the same texts
        yield track


def _shared_name_faults(entry: Entry, names: Sequence[str], several: Sequence[Combination]) -> Iterator[Fault]:
    """Combinations that come to one name, because it leaves a key out."""
    shared, count = Counter(names).most_common(1)[0]
    if count == 1:
        return
    alike = [values for name, values in zip(names, several, strict=True) if name == shared]
    used = keys_in(entry.name)
    varying = [key for key in alike[0] if key not in used and len({values.get(key) for values in alike}) > 1]
    wanted = f"{{{varying[0]}}} in the name too" if varying else "combinations that differ in a key of the name"
    yield Fault(entry.at, f"{count} combinations would be called {quoted(shared)}, expected {wanted}", at_key=True)


def _track(entry: Entry, shape: Shape, name: str, values: Combination) -> Track:
    section, keys = entry.section, entry.keys
    tags = tuple(dict.fromkeys([filled(tag, values) for tag in keys.tags]))
    if section.prompt is None:
        file = entry.folder / filled(section.file, values) if section.file else None
        lyrics = filled(section.lyrics, values)
        finishing = replace(shape.finishing, mark="iptc")  # whatever `defaults` say: there is nothing to mark
        return Track(entry.manifest, name, entry.place, finishing, shape.outputs, lyrics=lyrics, tags=tags, file=file)
    return Track(
        manifest=entry.manifest,
        name=name,
        place=entry.place,
        finishing=shape.finishing,
        outputs=shape.outputs,
        prompt=filled(section.prompt, values),
        lyrics=filled(section.lyrics, values),
        refine_lyrics=keys.refine_lyrics,
        duration_s=keys.duration,
        source_format=keys.source_format,
        takes=keys.takes,
        refresh_s=keys.refresh,
        model=entry.model or "",
        price_usd_per_s=(entry.prices or {}).get(entry.model or "", _NO_PRICE),
        tags=tags,
        file=entry.folder / filled(section.file, values) if section.file else None,
    )


def _text_faults(track: Track, at: KeyPath) -> Iterator[Fault]:
    """What only the filled texts show."""
    if track.prompt is not None and not track.prompt.strip():
        yield Fault((*at, "prompt"), f"is blank for {quoted(track.name)}, expected text that says what to hear")
    for key, text, longest in (("prompt", track.prompt, LONGEST_PROMPT), ("lyrics", track.lyrics, LONGEST_LYRICS)):
        if text and len(text) > longest:
            what = f"has {len(text):,} characters for {quoted(track.name)}, expected at most {longest:,}"
            yield Fault((*at, key), what)
