"""Damaged files by the thousand for the decoder: `make fuzz-audio`, and a short run of it in the tests.

Valid files of each format are mutated, and each mutant has to be refused by one printable sentence, or to decode to
what its facts say. Batches run in processes of their own, so that a crash or a hang of a codec costs one batch and is
told with the seed and the file that caused it.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import numpy as np
import soundfile
from audio_signals import music
from hypothesis import strategies as st

from pipeline.audio.decoding import decode
from pipeline.audio.inspection import inspect_source
from pipeline.audio.labels import Label
from pipeline.audio.mp3 import encode_mp3
from pipeline.audio.settings import Output
from pipeline.audio.tasks import AudioError

BATCH = 2_000
MOST_MEMORY_BYTES = 2 << 30  # decoding sets aside 1 GiB, and uses none of it, where nothing tells a length
LONGEST_BATCH_S = 600  # a hang, not a slow machine
LONGEST_SENTENCE = 200
EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, (1 << 64) - 1)


def written(container: str, subtype: str, seconds: float = 0.15, rate: int = 44_100, channels: int = 2) -> bytes:
    stream = io.BytesIO()
    sound = music(seconds, rate, 2)
    samples = np.repeat(sound.samples, 4, axis=1)[:, :channels]
    soundfile.write(stream, samples, rate, subtype=subtype, format=container)
    return stream.getvalue()


def valid_files() -> list[bytes]:
    """Small files of every format that a source may have."""
    mp3 = encode_mp3(music(0.2), Output("mp3"), Label((("TITLE", "x"),)))
    return [
        written("WAV", "PCM_16"),
        written("WAV", "PCM_24", channels=8),
        written("WAV", "FLOAT"),
        written("WAV", "DOUBLE", channels=1),
        written("WAV", "IMA_ADPCM"),
        written("WAV", "MS_ADPCM"),
        written("WAV", "GSM610", rate=8_000, channels=1),
        written("WAV", "ULAW"),
        written("WAVEX", "PCM_16", channels=6),
        written("RF64", "PCM_16"),
        written("AIFF", "PCM_16"),
        written("AIFF", "FLOAT"),
        written("FLAC", "PCM_16"),
        written("FLAC", "PCM_24", channels=1),
        written("OGG", "VORBIS"),
        written("OGG", "OPUS", rate=48_000),
        mp3,
        mp3[mp3.index(b"\xff\xfb", mp3.index(b"Info")) :],
        encode_mp3(music(0.2, 22_050, 1), Output("mp3", bitrate=64), Label()),
    ]


@st.composite
def mutants(draw: st.DrawFn, files: list[bytes]) -> bytes:
    """A valid file with a few things wrong with it, more of them near its start, where headers are."""
    content = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        within = min(len(content), draw(st.sampled_from([64, 256, 4_096, 1 << 20, 1 << 20])))
        at = draw(st.integers(0, max(0, within - 1)))
        kind = draw(st.sampled_from(["bit", "field", "field", "bytes", "cut", "drop", "again", "splice"]))
        length = draw(st.integers(1, 1_000))
        if kind == "bit" and content:
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "field":
            width, order = draw(st.sampled_from([1, 2, 3, 4, 8])), draw(st.sampled_from(["little", "big"]))
            value = draw(st.sampled_from(EXTREMES)) % (1 << 8 * width)
            content[at : at + width] = value.to_bytes(width, order)
        elif kind == "bytes":
            content[at : at + length] = draw(st.randoms(use_true_random=False)).randbytes(length)
        elif kind == "cut":
            del content[draw(st.integers(0, len(content))) :]
        elif kind == "drop":
            del content[at : at + length]
        elif kind == "again":
            content[at:at] = content[at : at + length] * draw(st.sampled_from([1, 2, 50]))
        else:
            other = draw(st.sampled_from(files))
            content[at:] = other[draw(st.integers(0, len(other))) :]
    return bytes(content)


def check(path: Path) -> bool:
    """Hold one file against the promise. True: it was refused."""
    try:
        facts = inspect_source(str(path))
        sound = decode(str(path))
    except AudioError as error:
        sentence = str(error)
        assert sentence.isprintable(), sentence
        assert 0 < len(sentence) <= LONGEST_SENTENCE, sentence
        return True
    assert (sound.frames, sound.sample_rate) == (facts.frames, facts.sample_rate), facts
    assert sound.channels == min(2, facts.channels), facts
    assert facts.frames > 0, facts
    assert facts.duration_s == facts.frames / facts.sample_rate, facts
    assert np.isfinite(sound.samples).all(), facts
    return False


@dataclass(frozen=True)
class Batch:
    """What came of one batch: how many files were tried and refused; `fault` says what went wrong, if something did."""

    seed: int
    tried: int
    refused: int
    fault: str | None = None
    culprit: bytes = b""


def run_batch(seed: int, examples: int, folder: Path) -> Batch:
    """One batch in a process of its own; what it writes into `folder` is the file that it has in hand."""
    path, counts = folder / "mutant", folder / "counts"
    counts.write_text("0 0", encoding="ascii")
    child = subprocess.run(
        [sys.executable, __file__, "--batch", str(seed), str(examples), str(folder)],
        capture_output=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    tried, refused = map(int, counts.read_text(encoding="ascii").split())
    if child.returncode == 0:
        return Batch(seed, tried, refused)
    how = f"signal {-child.returncode}" if child.returncode < 0 else child.stderr.decode(errors="replace")[-4_000:]
    return Batch(seed, tried, refused, how, path.read_bytes())


def batch_in_this_process(seed: int, examples: int, folder: Path) -> None:
    """Bounded in memory and time: what exceeds either is a finding."""
    tally = [0, 0]

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
    )
    @hypothesis.given(mutants(valid_files()))
    def every_file_is_refused_or_whole(content: bytes) -> None:
        (folder / "mutant").write_bytes(content)
        tally[0] += 1
        tally[1] += check(folder / "mutant")

    bound(MOST_MEMORY_BYTES)
    signal.alarm(LONGEST_BATCH_S)
    try:
        every_file_is_refused_or_whole()
    finally:
        (folder / "counts").write_text(f"{tally[0]} {tally[1]}", encoding="ascii")


def bound(most_bytes: int) -> None:
    """Let this process map `most_bytes` more than now, where the platform can count them."""
    with suppress(ImportError, OSError):
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + most_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--minutes", type=float, default=10.0)
    words.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    words.add_argument("--findings", type=Path, default=Path("build/fuzz-audio"))
    words.add_argument("--batch", nargs=3, metavar=("SEED", "EXAMPLES", "FOLDER"), help=argparse.SUPPRESS)
    asked = words.parse_args()
    if asked.batch:
        batch_in_this_process(int(asked.batch[0]), int(asked.batch[1]), Path(asked.batch[2]))
        return 0
    until, seed, tried, refused, found = time.monotonic() + 60 * asked.minutes, asked.seed, 0, 0, 0
    while time.monotonic() < until:
        with tempfile.TemporaryDirectory() as folder:
            batch = run_batch(seed, BATCH, Path(folder))
        tried, refused, seed = tried + batch.tried, refused + batch.refused, seed + 1
        if batch.fault is not None:
            found += 1
            asked.findings.mkdir(parents=True, exist_ok=True)
            culprit = asked.findings / f"{batch.seed}"
            culprit.write_bytes(batch.culprit)
            say(f"seed {batch.seed}: {batch.fault}\n  the file: {culprit}")
    say(f"seeds {asked.seed} to {seed - 1}: {tried:,} files, {refused:,} refused, {found} batches with a finding")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
