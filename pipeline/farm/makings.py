"""What decides a finished file's bytes on a machine, besides source and settings, and what of it has to be alike."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    Makings = Mapping[str, str]

PACKAGE: Final = "music-asset-pipeline"
_CODE: Final = "audio code"
_FFMPEG: Final = "ffmpeg"
_NONE: Final = "none"
_ANSWERED_WITHIN_S: Final = 10.0


def makings() -> dict[str, str]:
    """This machine's: the package, a hash of its audio room, and the version of each library that sound goes through.

    Plain words, so that a worker of any version can answer. What it imports is then there for the first task.
    """
    import numpy as np  # noqa: PLC0415 - the run's side brings no numpy before it is asked
    import soundfile  # noqa: PLC0415
    import soxr  # noqa: PLC0415

    import pipeline.audio.finishing  # noqa: PLC0415
    from pipeline.version import VERSION  # noqa: PLC0415 - as it is now

    simd = np.show_config(mode="dicts")["SIMD Extensions"]
    return {
        PACKAGE: VERSION,
        _CODE: _hash_of(Path(pipeline.audio.finishing.__file__).parent),
        "numpy": np.__version__,
        "numpy's instruction set": [*simd["baseline"], *simd.get("found", ())][-1],
        "libsndfile": soundfile.__libsndfile_version__,
        "soxr": f"{soxr.__version__} with {soxr.__libsoxr_version__}",
        "lameenc": version_of("lameenc"),
        "pydub": version_of("pydub"),
        _FFMPEG: _ffmpeg(),
    }


def _hash_of(folder: Path) -> str:
    """A checkout has the same version number for many a change of what it makes."""
    sources = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        sources.update(path.name.encode() + b"\0" + path.read_bytes())
    return sources.hexdigest()[:8]


def _ffmpeg() -> str:
    executable = shutil.which("ffmpeg")
    if executable is None:
        return _NONE
    try:
        answer = subprocess.run(  # noqa: S603 - a fixed command, no shell, and an absolute path
            [executable, "-version"], capture_output=True, text=True, timeout=_ANSWERED_WITHIN_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return _NONE
    return answer.stdout.partition("\n")[0].removeprefix("ffmpeg version ").partition(" ")[0] or _NONE


def refusal(worker: str, there: Makings | Exception, here: Makings) -> str | None:
    """Why nothing can be finished on `worker`, as one sentence; None where it can."""
    install = f"install music-asset-pipeline {here[PACKAGE]} there, with the dask extra"
    if isinstance(there, Exception):
        reason = f"{type(there).__name__}: {' '.join(str(there).split())}"
        what = f"can't say what it finishes with ({reason})"
        return f"the farm's worker {worker} {what}, and this is music-asset-pipeline {here[PACKAGE]}: {install}"
    if there[PACKAGE] != here[PACKAGE]:
        versions = f"has music-asset-pipeline {there[PACKAGE]}, and this is {here[PACKAGE]}"
        return f"the farm's worker {worker} {versions}: {install}"
    if there[_CODE] != here[_CODE]:
        versions = f"{there[PACKAGE]} with other audio code ({there[_CODE]}) than this one's ({here[_CODE]})"
        return f"the farm's worker {worker} has music-asset-pipeline {versions}: {install}"
    return None


def warning(worker: str, there: Makings, here: Makings) -> str | None:
    """What may make other bytes on `worker` than here, as one sentence; None where nothing does."""
    unlike = [f"{name} {there[name]} (here {here[name]})" for name in here if there.get(name) != here[name]]
    if not unlike:
        return None
    return f"the farm's worker {worker} has {', '.join(unlike)}: what it finishes may differ in some bytes from here"


def has_same_ffmpeg(there: Makings, here: Makings) -> bool:
    """Does m4a or Opus come out alike on both?"""
    return there[_FFMPEG] == here[_FFMPEG]
