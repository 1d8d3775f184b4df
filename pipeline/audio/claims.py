"""What a file says it holds, against what decoding it gave: to tell what is whole from what was cut short, or lies.

libsndfile trims a header's claim to what is there, without a word, so each format's own claim is read here. What makes
no claim, as a stream that was written into a pipe, is taken as it decodes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.audio.chunk_claims import claimed_in_chunks
from pipeline.audio.mp3_claims import hidden_frames, says_its_length
from pipeline.audio.ogg_claims import check_pages
from pipeline.audio.tasks import AudioError

if TYPE_CHECKING:
    import soundfile

#: libsndfile's figure for a length that nobody knows lies above it.
UNKNOWN_FRAMES: Final = 1 << 62
# Encoders disagree on whether the frame that holds the count is counted itself.
_MP3_TOLERANCE_FRAMES: Final = 2 * 1_152


def check_claims(file: soundfile.SoundFile, path: str, frames: int) -> None:
    """Raise AudioError where `frames`, all that `file` decodes to, are fewer than it says it holds."""
    claimed = _claimed_frames(file, Path(path), frames)
    if frames < claimed - (_MP3_TOLERANCE_FRAMES if file.format == "MP3" else 0):
        said, got = (f"{each:,} frames ({each / file.samplerate:,.1f} s)" for each in (claimed, frames))
        raise AudioError(f"it is cut short: its header claims {said}, and {got} are there")
    if file.format == "OGG":
        check_pages(Path(path))
    if file.format == "MP3" and frames < file.frames and (hidden := hidden_frames(Path(path), frames)):
        lost = hidden / file.samplerate
        raise AudioError(f"its audio is damaged or changes its form on the way: {lost:,.1f} s of it do not decode")


def _claimed_frames(file: soundfile.SoundFile, path: Path, frames: int) -> int:
    """The frames that its header claims; 0 where it claims nothing that could be held against it."""
    if file.format in ("WAV", "WAVEX", "RF64", "AIFF"):
        return claimed_in_chunks(path, frames)
    if file.format == "MP3" and not says_its_length(path):
        return 0  # libsndfile has guessed
    return file.frames if file.frames < UNKNOWN_FRAMES else 0
