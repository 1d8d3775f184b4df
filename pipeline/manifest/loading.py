"""A manifest file -> a checked and expanded Manifest, or every mistake in it at once."""

from __future__ import annotations

import stat
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from pipeline.collector import collector_paused
from pipeline.manifest.collisions import collisions
from pipeline.manifest.complaints import faults_of, remainder
from pipeline.manifest.expansion import expand
from pipeline.manifest.groups import group_mistakes
from pipeline.manifest.mistakes import Fault, ManifestMistakes, Mistake
from pipeline.manifest.model import ManifestSection
from pipeline.manifest.names import normal
from pipeline.manifest.prices import gateway_faults, gateway_settings
from pipeline.manifest.rules import name_faults
from pipeline.manifest.tracks import Manifest, Place
from pipeline.manifest.values import Mapping, Plain, described
from pipeline.money import budget_from_usd
from pipeline.store_choice import StoreChoice, StoreMistake, store_address

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.manifest.model import StoreSection
    from pipeline.manifest.values import Document

MOST_BYTES: Final = 16_000_000

_VERSION: Final = Decimal(1)
# What stands in for a missing or mistaken key while the rest is looked through. Nothing made of it is given out.
_STAND_INS: Final = {"version": Plain("1", _VERSION), "name": "manifest", "tracks": {}}


def load_manifest(path: Path) -> Manifest:
    """The manifest at `path`. Raises ManifestMistakes, also where the file can't be read."""
    return parse_manifest(_read(path), path)


def parse_manifest(text: str, path: Path) -> Manifest:
    """The manifest that `text` holds; `path` names it, and is what recordings' paths are relative to.

    Raises ManifestMistakes.
    """
    from pipeline.manifest.text import compose  # noqa: PLC0415 - brings PyYAML, which no other way to a manifest needs

    with collector_paused():
        return understood(compose(text, str(path)), path)


def understood(document: Document, path: Path) -> Manifest:
    """The manifest that `document` holds; `path` as in `parse_manifest`. Raises ManifestMistakes."""
    root = document.root
    if not isinstance(root, Mapping):
        what = f"found {described(root)}, expected a mapping with version, name and tracks"
        raise ManifestMistakes([*document.mistakes, document.mistake(Fault((), what))])
    _check_version(document, root)
    section, faults = _validated(root)
    broken = {fault.path for fault in faults}
    faults += gateway_faults(section.gateway)
    faults += name_faults(section.name, ("name",))
    store = _store(section.store, path, root, faults)
    if not (section.tracks or faults or document.mistakes):
        faults.append(Fault(("tracks",), "is empty, expected at least one track with a prompt"))
    prices_understood = not any(at[0] == "gateway" or at == ("defaults", "model") for at in broken)
    tracks = expand(section, document, path.parent, faults, prices_understood=prices_understood)
    mistakes = [*document.mistakes, *map(document.mistake, faults), *collisions(tracks), *group_mistakes(tracks)]
    if mistakes:
        raise ManifestMistakes(mistakes)
    return Manifest(
        path=path,
        name=normal(section.name),
        gateway=gateway_settings(section.gateway),
        budget_microusd=None if section.budget is None else budget_from_usd(section.budget),
        tracks=tuple(tracks),
        store=store,
    )


def _store(section: StoreSection | None, path: Path, root: Mapping, faults: list[Fault]) -> StoreChoice | None:
    if section is None:
        return None
    try:
        address = store_address(section.url, path.parent)
    except StoreMistake as mistake:
        at = ("store", "url") if isinstance(root.get("store"), Mapping) else ("store",)
        faults.append(Fault(at, str(mistake)))
        return None
    return StoreChoice(address, section.required, section.lease)


def _check_version(document: Document, root: Mapping) -> None:
    """A manifest of another version follows other rules: nothing else about it can be judged."""
    version = root.get("version", _STAND_INS["version"])
    if not isinstance(version, Plain) or version.value != _VERSION or isinstance(version.value, bool):
        what = f"found {described(version)}, expected {_VERSION}, the version that this program reads"
        raise ManifestMistakes([document.mistake(Fault(("version",), what))])


def _validated(root: Mapping) -> tuple[ManifestSection, list[Fault]]:
    """The manifest's sections, without what is at fault, and the faults."""
    try:
        return ManifestSection.model_validate(root), []
    except ValidationError as error:
        faults = faults_of(error)
    return ManifestSection.model_validate(_STAND_INS | remainder(root, faults)), faults


def _read(path: Path) -> str:
    """The file's text. Raises ManifestMistakes."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for, a folder can't be read
            raise _unreadable(path, "is no regular file")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise _unreadable(path, "there is no such file", f"one; `pipeline init {path}` writes one") from error
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise _unreadable(path, f"can't be read ({reason})") from error
    if len(content) > MOST_BYTES:
        raise _unreadable(path, f"is larger than {MOST_BYTES // 1_000_000} MB", "several smaller manifests")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise _unreadable(path, "is not UTF-8", "text in UTF-8", Place(str(path), line, column)) from error


def _unreadable(path: Path, what: str, expected: str = "a YAML file", place: Place | None = None) -> ManifestMistakes:
    return ManifestMistakes([Mistake(place or Place(str(path), 1, 1), "", f"{what}, expected {expected}")])
