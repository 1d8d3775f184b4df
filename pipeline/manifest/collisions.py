"""Assets that can't lie in one output folder, and manifests that can't be run together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.manifest.mistakes import ManifestMistakes, Mistake, quoted, shown
from pipeline.manifest.names import folded
from pipeline.manifest.tracks import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipeline.manifest.tracks import Manifest, Track

# What the program itself writes beside the assets.
OWN_FILES: Final = (
    "assets.json",
    "cost-report.json",
    "cost-report.csv",
    "cost-report.md",
    "disclosure.json",
    "disclosure.md",
    "report.html",
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A file in the output folder, and the track that it is of; None for what the program writes itself."""

    path: str
    track: Track | None


def check_together(manifests: Sequence[Manifest]) -> None:
    """Can these manifests share an output folder?

    Raises ManifestMistakes where two have one name, two claim one asset, or one's asset is another's folder.
    """
    by_name: dict[str, Manifest] = {}
    mistakes: list[Mistake] = []
    for manifest in manifests:
        first = by_name.setdefault(manifest.name, manifest)
        if first is not manifest:
            what = f"{quoted(manifest.name)} is the name of {first.path} too, expected a name of its own"
            mistakes.append(Mistake(Place(str(manifest.path), 1, 1), "name", what))
    if len(by_name) > 1:  # one by itself was looked through when it was read
        mistakes += collisions([track for manifest in by_name.values() for track in manifest.tracks])
    if mistakes:
        raise ManifestMistakes(mistakes)


def collisions(tracks: Iterable[Track]) -> Iterator[Mistake]:
    """Tracks that claim a path which is taken, or lie in a folder that is another's file. Case counts for nothing."""
    claims = {path: Claim(path, None) for path in OWN_FILES}
    for track in tracks:
        taken: dict[int, tuple[Claim, Claim]] = {}  # once for each other track, however many files they share
        for path in track.asset_paths:
            claim = Claim(path, track)
            earlier = claims.setdefault(folded(path), claim)
            if earlier is not claim:
                taken.setdefault(id(earlier.track), (claim, earlier))
        yield from (_mistake(track, _taken(claim, earlier)) for claim, earlier in taken.values())
    yield from _files_as_folders(claims)


def _files_as_folders(claims: Mapping[str, Claim]) -> Iterator[Mistake]:
    folders: dict[str, list[Claim]] = {}  # path of a folder that is also a file -> that file, outermost first
    for key, claim in claims.items():
        folder = key.rpartition("/")[0]
        if folder not in folders:
            folders[folder] = [claims[above] for above in _and_above(folder) if above in claims]
        for other in folders[folder]:
            if claim.track is not None:
                what = f"{quoted(claim.path)} needs a folder where {quoted(other.path)}{_whose(other)} is a file"
                yield _mistake(claim.track, f"{what}, expected another name")


def _and_above(folder: str) -> Iterator[str]:
    """`a/b/c` as `a`, `a/b` and `a/b/c`."""
    parts = folder.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))


def _taken(claim: Claim, earlier: Claim) -> str:
    if earlier.track is claim.track:
        return f"{quoted(claim.path)} would be written twice, expected a suffix on one of the outputs"
    spelled = "" if claim.path == earlier.path else f", as {quoted(earlier.path)}"
    return f"{quoted(claim.path)} is taken{spelled}{_whose(earlier)}, expected a name of its own"


def _whose(claim: Claim) -> str:
    if claim.track is None:
        return " (which the program itself writes)"
    return f" (which {quoted(claim.track.name)} at {claim.track.place} makes)"


def _mistake(track: Track, message: str) -> Mistake:
    return Mistake(track.place, f"tracks.{shown(track.name)}", message)
