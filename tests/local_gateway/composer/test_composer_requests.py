"""What a caller relies on: the same bytes for the same request, exact lengths, files that decode, odd input."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
import time

import numpy as np
import pytest
from composer_measuring import SAMPLE_RATE, decoded, samples_of

from pipeline.local_gateway.composer import compose

REQUEST = ("dark synthwave with choir and a voice", "Neon rain", 3.0, "wav")


def test_the_same_request_gives_the_same_bytes_in_another_process():
    """Another interpreter, with other hashing and another number of threads, writes the very same file."""
    program = (
        "import hashlib; from pipeline.local_gateway.composer import compose;"
        f"print(hashlib.sha256(compose(*{REQUEST!r}, 1)).hexdigest())"
    )
    here = hashlib.sha256(compose(*REQUEST, 1)).hexdigest()
    for threads, seed in (("1", "1"), ("4", "77")):
        environment = os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "PYTHONHASHSEED": seed}
        there = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()
        assert there == here


def test_what_was_composed_before_does_not_matter():
    """A piece has the same bytes after other pieces, and composed twice."""
    first = compose("folk guitar", "", 3.0, "wav", 0)
    compose("heavy metal", "", 3.0, "wav", 0)
    assert compose("folk guitar", "", 3.0, "wav", 0) == first


def test_each_variation_is_another_take():
    """Five variations are five different pieces, and none is nearly another."""
    takes = [samples_of(compose("calm piano, 80 bpm", "", 4.0, "wav", number)) for number in range(5)]
    for number, take in enumerate(takes):
        for other in takes[number + 1 :]:
            likeness = np.corrcoef(take.mean(axis=1), other.mean(axis=1))[0, 1]
            assert likeness < 0.9


@pytest.mark.parametrize("duration_s", [0.01, 1.0, 1.2345, 2.0, 9.97])
def test_a_wav_is_exactly_as_long_as_asked(duration_s):
    """Frames are the duration times the rate, rounded, however short."""
    for prompt in ("happy pop jingle", "seamless lo-fi loop"):
        assert len(samples_of(compose(prompt, "", duration_s, "wav", 0))) == round(duration_s * SAMPLE_RATE)


@pytest.mark.parametrize("duration_s", [0.5, 3.3])
def test_an_mp3_is_exactly_as_long_and_the_same_music(duration_s):
    """The MP3 decodes to the WAV's length, without lag, and sounds like it."""
    wav = samples_of(compose("happy pop jingle", "", duration_s, "wav", 0))
    mp3 = decoded(compose("happy pop jingle", "", duration_s, "mp3", 0))
    assert mp3.shape == wav.shape
    assert np.corrcoef(mp3[:, 0], wav[:, 0])[0, 1] > 0.97


def test_the_mp3_has_192_kbit_a_second():
    """An MP3 is as large as its bit rate says."""
    file = compose("techno", "", 5.0, "mp3", 0)
    assert len(file) == pytest.approx(5.0 * 24_000, rel=0.03)


@pytest.mark.long
def test_ten_minutes_are_composed_whole_and_fast():
    """The longest usual request is exact, ends in silence, and takes seconds."""
    started = time.process_time()
    audio = np.frombuffer(compose("solo guitar", "", 600.0, "wav", 0), "<i2", offset=44).reshape(-1, 2)
    assert time.process_time() - started < 30
    assert len(audio) == 600 * SAMPLE_RATE
    assert np.abs(audio[-20:]).max() < 30
    minutes = audio.reshape(10, -1).astype(np.float32).std(axis=1)
    assert minutes.min() > 0.3 * minutes.max()


@pytest.mark.parametrize(
    ("prompt", "lyrics"),
    [
        ("", ""),
        ("🎵🔥👾", "🎤"),
        ("x" * 10_000, "la " * 5_000),
        ("\ud800 broken", "\udfff"),
        ("no drums, no bass, no piano, no guitar, no strings", ""),
        ("9999 bpm in H major 99/3", "!!!"),
        ("loop", "春が来た"),
        ("\0\n\t", "\0"),
    ],
    ids=[
        "nothing",
        "emoji",
        "ten thousand characters",
        "surrogates",
        "everything barred",
        "nonsense",
        "kana",
        "controls",
    ],
)
def test_odd_requests_are_music_too(prompt, lyrics):
    """Whatever the text, there's a piece of the right length that's neither silent nor clipped."""
    audio = samples_of(compose(prompt, lyrics, 2.5, "wav", 0))
    assert len(audio) == round(2.5 * SAMPLE_RATE)
    assert 0.02 < np.abs(audio).max() < 0.944


@pytest.mark.parametrize(
    ("duration_s", "audio_format"), [(0, "wav"), (-1, "wav"), (float("nan"), "wav"), (1e9, "wav"), (2, "flac")]
)
def test_what_cannot_be_composed_is_refused_in_words(duration_s, audio_format):
    """A duration that is none, or a format that isn't written, is a ValueError that says so."""
    with pytest.raises(ValueError, match=r"duration|format"):
        compose("pop", "", duration_s, audio_format, 0)


def test_compose_crosses_to_a_worker_and_costs_nothing_to_import():
    """The function is picklable, and importing it loads no numpy."""
    assert pickle.loads(pickle.dumps(compose)) is compose
    program = "import sys, pipeline.local_gateway.composer; assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
