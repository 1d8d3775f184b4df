"""What decoding a source once shows: whether it is audio at all, and how long it is."""

from __future__ import annotations

from pipeline.audio.decoding import checked_blocks, opened
from pipeline.audio.tasks import SourceFacts


def inspect_source(path: str) -> SourceFacts:
    """Decode the file at `path` once, block by block, to its end. Raises AudioError where it is not whole audio."""
    with opened(path) as file:
        frames = sum(len(block) for block in checked_blocks(file, path))
        return SourceFacts(frames / file.samplerate, frames, file.samplerate, file.channels)
