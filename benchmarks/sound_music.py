"""The music that the sound benchmarks run on: three games' from Debian packages, and pieces of the local composer.

Packages are downloaded once, into a cache folder, and unpacked there: no root, no installing.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import soundfile

from pipeline.local_gateway.composer import compose

if TYPE_CHECKING:
    from collections.abc import Iterator

CACHE = Path(__file__).parents[1] / "build" / "bench-sound"

# Stereo at 44.1 and 48 kHz, stereo and mono at 22.05 kHz: 228 MB, and 72 pieces of 15 s or more.
PACKAGES = ("supertux-data", "extremetuxracer-data", "btanks-data")
SUFFIXES = (".ogg", ".mp3", ".wav", ".flac")
LEAST_S = 15
PROMPTS = (
    ("composed-orchestra", "Calm orchestral exploration theme, harp and strings, 90 bpm", ""),
    ("composed-battle", "dragon boss battle, high intensity, choir and taiko drums", ""),
    ("composed-jingle", "Bright ukulele ad jingle", "Spring is here, prices disappear"),
    ("composed-synthwave", "dark synthwave, driving", ""),
)
COMPOSED_S = 45


@dataclass(frozen=True)
class Piece:
    """A file of music, and whose it is."""

    path: Path
    game: str
    duration_s: float

    @property
    def name(self) -> str:
        return self.path.stem


def collected() -> dict[str, list[Piece]]:
    """Every piece of LEAST_S or more by its game; `composed` are the local composer's."""
    games = {package: list(_pieces(folder, package)) for package, folder in _unpacked()}
    return {game: pieces for game, pieces in games.items() if pieces} | {"composed": list(_composed())}


def evenly(pieces: list[Piece], most: int) -> list[Piece]:
    """At most so many of `pieces`, from their beginning to their end."""
    return [pieces[number * len(pieces) // most] for number in range(most)] if len(pieces) > most else pieces


def _unpacked() -> Iterator[tuple[str, Path]]:
    """Each package that can be had, and the folder that it is unpacked in."""
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        print(
            "No games' music: it comes from Debian packages, and there is no apt here. The composer's pieces remain.\n"
        )
        return
    for package in PACKAGES:
        folder = CACHE / package
        if not folder.exists() and not _fetched(package, folder):
            print(f"No music of {package}: apt-get could not download it (apt-get update may be due).\n")
            continue
        yield package, folder


def _fetched(package: str, folder: Path) -> bool:
    partial = CACHE / f"{package}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    download = subprocess.run(["apt-get", "download", "-qq", package], cwd=partial, check=False, capture_output=True)
    archives = list(partial.glob("*.deb"))
    if download.returncode or not archives:
        shutil.rmtree(partial)
        return False
    subprocess.run(["dpkg", "-x", archives[0], partial], check=True)
    archives[0].unlink()
    partial.rename(folder)  # a folder under its name is whole
    return True


def _pieces(folder: Path, game: str) -> Iterator[Piece]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            try:
                duration_s = soundfile.info(str(path)).duration
            except soundfile.SoundFileError:  # a tracker's module or a damaged file under a name of these
                continue
            if duration_s >= LEAST_S:
                yield Piece(path, game, duration_s)


def _composed() -> Iterator[Piece]:
    folder = CACHE / "composed"
    folder.mkdir(parents=True, exist_ok=True)
    for name, prompt, lyrics in PROMPTS:
        path = folder / f"{name}.wav"
        path.write_bytes(compose(prompt, lyrics, COMPOSED_S, "wav", 0))
        yield Piece(path, "composed", COMPOSED_S)
