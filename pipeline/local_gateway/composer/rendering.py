"""A request into a file: the plain first version."""

from __future__ import annotations

import hashlib
import re

import numpy as np

from pipeline.local_gateway.composer.writing import SAMPLE_RATE, mp3_bytes, wav_bytes


def render_file(prompt: str, lyrics: str, duration_s: float, audio_format: str, variation: int) -> bytes:
    frames = round(duration_s * SAMPLE_RATE)
    seed = int.from_bytes(hashlib.sha256(f"{prompt}\0{lyrics}\0{variation}".encode()).digest()[:8], "big")
    chance = np.random.default_rng(seed)
    stated = re.search(r"(\d{2,3})\s*bpm", prompt.lower())
    beat = 60.0 / float(min(220, max(40, int(stated.group(1))))) if stated else 60.0 / float(chance.integers(80, 130))
    mix = np.zeros((frames, 2), np.float32)
    root = int(chance.integers(45, 57))
    scale = (0, 2, 3, 5, 7, 8, 10) if "minor" in prompt.lower() else (0, 2, 4, 5, 7, 9, 11)
    for step in range(int(duration_s / beat * 2) + 1):
        start = int(step * beat / 2 * SAMPLE_RATE)
        if start >= frames:
            break
        degree = int(chance.integers(0, 7))
        pitch = root + 12 * int(chance.integers(0, 2)) + scale[degree]
        length = min(frames - start, int(beat * SAMPLE_RATE))
        time = np.arange(length, dtype=np.float32) / SAMPLE_RATE
        hertz = 440.0 * 2.0 ** ((pitch - 69) / 12)
        tone = np.sin(2 * np.pi * hertz * time) * np.exp(-time / beat * 4) * (0.3 if step % 2 == 0 else 0.15)
        pan = float(chance.uniform(0.2, 0.8))
        mix[start : start + length, 0] += tone * (1 - pan)
        mix[start : start + length, 1] += tone * pan
    fade = min(frames, SAMPLE_RATE // 4)
    mix[frames - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    pcm = np.round(np.tanh(mix) * 0.85 * 32767).astype(np.int16)
    if audio_format == "wav":
        return wav_bytes(pcm)
    if audio_format == "mp3":
        return mp3_bytes(pcm)
    raise ValueError(f"audio format {audio_format!r} is not one of wav, mp3")
