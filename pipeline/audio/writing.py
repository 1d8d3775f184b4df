"""Files on disk, and what decoding them again shows."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.audio.dither import clipped_frames
from pipeline.audio.drawing import draw
from pipeline.audio.encoding import clips, encode
from pipeline.audio.labels import with_loop
from pipeline.audio.measurement import Measurement, decode_asset, measure
from pipeline.audio.seam import seam_of
from pipeline.audio.sound import Sound

if TYPE_CHECKING:
    from pipeline.audio.labels import Label
    from pipeline.audio.seam import Seam
    from pipeline.audio.settings import Output
    from pipeline.audio.tasks import Target
    from pipeline.audio.waveform import Waveform


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file, as it was found to be after it was written."""

    path: str
    size: int
    sha256: str
    measured: Measurement
    clipped: int  # frames that the encoder had to clip
    loop: tuple[int, int] | None = None  # (start, end) in frames, end exclusive
    seam: Seam | None = None
    waveform: Waveform | None = None


@dataclass(frozen=True, slots=True)
class WrittenFiles:
    """A target's file, and its intro's where that has one of its own."""

    main: WrittenFile
    intro: WrittenFile | None = None

    @property
    def judged(self) -> Measurement:
        """What is held against the aim: the file's figures, with the higher of both true peaks."""
        if self.intro is None:
            return self.main.measured
        peaks = [peak for file in (self.main, self.intro) if (peak := file.measured.true_peak_dbtp) is not None]
        return replace(self.main.measured, true_peak_dbtp=max(peaks, default=None))


@dataclass(frozen=True, slots=True)
class EncodedFile:
    """A file on disk that nobody has read yet."""

    path: str
    size: int
    sha256: str
    clipped: int
    loop: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class EncodedFiles:
    """A target's file, and its intro's where that has one of its own."""

    main: EncodedFile
    intro: EncodedFile | None = None


def encode_files(sound: Sound, target: Target, label: Label, loop_start: int | None, *, splits: bool) -> EncodedFiles:
    """Encode `sound`, whose end leads back to `loop_start`, into `target`'s files. Raises AudioError and OSError."""
    if not splits or loop_start is None:
        return EncodedFiles(_encoded(sound, target.path, target.output, label, loop_start))
    loop = Sound(sound.samples[loop_start:], sound.sample_rate)
    main = _encoded(loop, target.path, target.output, label, 0)
    if target.intro_path is None:
        return EncodedFiles(main)
    intro = Sound(sound.samples[:loop_start], sound.sample_rate)
    return EncodedFiles(main, _encoded(intro, target.intro_path, target.output, label, None))


def read_back(files: EncodedFiles) -> WrittenFiles:
    """Decode and measure what was encoded. Raises AudioError and OSError.

    By then what went into the encoder can be let go: a long piece is not held in memory twice.
    """
    return WrittenFiles(_read_back(files.main), None if files.intro is None else _read_back(files.intro))


def _encoded(sound: Sound, path: str, output: Output, label: Label, loop_start: int | None) -> EncodedFile:
    loop = None if loop_start is None else (loop_start, sound.frames)
    content = encode(sound, output, label if loop is None else with_loop(label, *loop))
    with Path(path).open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    clipped = clipped_frames(sound.samples) if clips(output.format) else 0
    return EncodedFile(path, len(content), hashlib.sha256(content).hexdigest(), clipped, loop)


def _read_back(file: EncodedFile) -> WrittenFile:
    delivered = decode_asset(file.path)
    measured = measure(delivered)
    return WrittenFile(
        path=file.path,
        size=file.size,
        sha256=file.sha256,
        measured=measured,
        clipped=file.clipped,
        loop=file.loop,
        seam=None if file.loop is None else seam_of(delivered, *file.loop),
        waveform=draw(delivered, measured.curve),
    )
