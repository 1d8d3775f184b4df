"""How much memory finishing takes: ten minutes of stereo at 96 kHz, and the usual 30 seconds, each in a process anew.

    python benchmarks/finishing_memory.py

Both are trimmed, looped, limited and encoded to ogg, wav and mp3. Exit status 1 where a worker would take more than
1.5 GB at its highest.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from pipeline.audio.finishing import finish
from pipeline.audio.settings import Finishing, Loop, Loudness, Output, Trim
from pipeline.audio.tasks import FinishTask, Target

MOST_BYTES = 1_500_000_000
PIECES = {"ten minutes": (600, 96_000), "the usual": (30, 44_100)}
GATES = ("clipping", "dc", "ending", "gap", "mono")


def synthesise(path: Path, seconds: int, sample_rate: int) -> None:
    """24 bits of chords that come back every 20 s, or three times, between half a second of silence at either end."""
    time_s = np.arange(min(20, seconds // 3) * sample_rate) / sample_rate
    hertz = 110 * 2 ** (np.floor(time_s * 2) * 5 % 12 / 12)
    chord = sum(np.sin(2 * np.pi * hertz * part * time_s) for part in (1, 2, 3))
    accents = 0.1 * np.exp(-6 * (time_s % 0.5)) + 0.7 * np.exp(-400 * (time_s % 0.5))
    bar = np.stack([chord * accents / 3, np.roll(chord, sample_rate // 100) * accents / 3], axis=1)
    silence = np.zeros((sample_rate // 2, 2))
    with soundfile.SoundFile(path, "w", sample_rate, 2, "PCM_24", format="WAV") as file:
        file.write(silence)
        left = (seconds - 1) * sample_rate
        while left > 0:
            file.write(bar[:left])
            left -= len(bar)
        file.write(silence)


def finish_in_this_process(source: Path) -> None:
    gates = tuple((gate, "off") for gate in GATES)
    finishing = Finishing(trim=Trim(), loop=Loop(), loudness=Loudness(target_lufs=-10.0), gates=gates)
    outputs = (Output("ogg"), Output("wav"), Output("mp3"))
    targets = tuple(Target(output, f"{source}.{output.extension}") for output in outputs)
    finish(FinishTask(str(source), finishing, targets, serial_seed="5eed"))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, time.process_time())


def main() -> int:
    worst = 0.0
    for name, (seconds, sample_rate) in PIECES.items():
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "source.wav"
            synthesise(source, seconds, sample_rate)
            child = subprocess.run([sys.executable, __file__, str(source)], capture_output=True, text=True, check=True)
        peak, cpu_s = map(float, child.stdout.split())
        frames = seconds * sample_rate
        print(f"{name}: {peak / 1e6:,.0f} MB at its highest, {peak / frames:.1f} bytes a frame, {cpu_s:.1f} s of CPU")
        worst = max(worst, peak)
    return int(worst > MOST_BYTES)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        finish_in_this_process(Path(sys.argv[1]))
    else:
        sys.exit(main())
