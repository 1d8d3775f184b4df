"""What only ffmpeg can do: m4a and Opus. Through pydub's export on the way out, by itself on the way in."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.audio import ogg
from pipeline.audio.marks import with_comment
from pipeline.audio.tasks import AudioError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.audio.labels import Label
    from pipeline.audio.settings import Output
    from pipeline.audio.sound import Sound

#: The rate that Opus has, and those of AAC that players know, in Hz.
OPUS_RATES: Final = (48_000,)
AAC_RATES: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000)

_DEFAULT_BITRATE: Final = 192
_MUXERS: Final = {"m4a": ("ipod", "aac"), "opus": ("opus", "libopus")}
# Without these the encoder's version and the time of day stand in the file.
_SAME_BYTES: Final = ("-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact")
_LONGEST_RUN_S: Final = 600
_MP4_MARK: Final = slice(4, 8)


def encode_by_ffmpeg(sound: Sound, output: Output, label: Label) -> bytes:
    """An m4a (AAC) or Opus file. Raises AudioError."""
    from pipeline.audio.segment import as_segment, quiet_pydub  # noqa: PLC0415 - numpy only where sound is touched

    muxer, codec = _MUXERS[output.format]
    # Of m4a's own kinds of tags none is a mark's, and others would not be written.
    metadata = with_comment(label.metadata) if output.format == "m4a" else label.metadata
    with tempfile.TemporaryDirectory(prefix="pipeline-") as folder:
        path = Path(folder).absolute() / f"asset.{output.format}"
        try:
            as_segment(sound).export(
                str(path),
                format=muxer,
                codec=codec,
                bitrate=f"{output.bitrate or _DEFAULT_BITRATE}k",
                tags={name.lower(): value for name, value in metadata},
                parameters=list(_SAME_BYTES),
            ).close()
        except (quiet_pydub().exceptions.CouldntEncodeError, OSError) as error:
            last = str(error).strip().splitlines()[-1:]
            raise AudioError(f"ffmpeg could not encode {output.format}: {' '.join(last)}") from error
        content = path.read_bytes()
    return ogg.with_serial(content, label.serial) if output.format == "opus" else content


def is_mp4(path: str) -> bool:
    """Does the file say that it is of the MP4 family, which libsndfile can't read?"""
    with Path(path).open("rb") as file:
        return file.read(8)[_MP4_MARK] == b"ftyp"


@contextmanager
def as_wav(path: str) -> Iterator[str]:
    """The file at `path` as a float WAV for the length of the block. Raises AudioError."""
    executable = shutil.which("ffmpeg")
    if executable is None:
        raise AudioError("reading m4a needs ffmpeg on the PATH")
    with tempfile.TemporaryDirectory(prefix="pipeline-") as folder:
        wav = str(Path(folder).absolute() / "decoded.wav")
        command = [executable, "-nostdin", "-v", "error", "-i", f"file:{Path(path).absolute()}", "-c:a", "pcm_f32le"]
        try:
            subprocess.run(  # noqa: S603 - a fixed command, no shell, and an absolute path
                [*command, wav], check=True, capture_output=True, timeout=_LONGEST_RUN_S
            )
        except subprocess.SubprocessError as error:
            raise AudioError("ffmpeg could not decode it") from error
        yield wav
