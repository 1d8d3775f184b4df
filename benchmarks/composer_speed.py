"""How fast the local gateway composes: seconds of audio a second, for several prompts and lengths.

Measured in CPU time, on one thread, as WAV. `first` is the first piece of a fresh process (imports not counted),
`again` the same piece once more, with what a process keeps between pieces (filters, wave tables) already there.

    python benchmarks/composer_speed.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

PROMPTS = (
    ("Calm orchestral exploration theme, harp and strings, 90 bpm", ""),
    ("dragon boss battle, high intensity, choir and taiko drums", ""),
    ("Bright ukulele ad jingle", "Spring is here, prices disappear"),
    ("lo-fi study beat with rain", ""),
    ("chiptune adventure", ""),
    ("dark synthwave, driving", ""),
    ("seamless ambient loop", ""),
)
DURATIONS_S = (5, 30, 60, 120)
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def measure(prompt: str, lyrics: str, duration_s: float) -> None:
    from pipeline.local_gateway.composer import compose, rendering  # noqa: F401, PLC0415 - imports are not counted

    for _ in range(2):
        started = time.process_time()
        compose(prompt, lyrics, duration_s, "wav", 0)
        print(duration_s / (time.process_time() - started))


def figures(prompt: str, lyrics: str, duration_s: float) -> list[float]:
    command = [sys.executable, __file__, prompt, lyrics, str(duration_s)]
    printed = subprocess.run(command, env=os.environ | ONE_THREAD, capture_output=True, text=True, check=True).stdout
    return [float(line) for line in printed.split()]


def main() -> None:
    print("seconds of audio a second, one thread: first (again)\n")
    print(f"{'prompt':<62}" + "".join(f"{duration_s:>13} s" for duration_s in DURATIONS_S))
    for prompt, lyrics in PROMPTS:
        cells = [figures(prompt, lyrics, duration_s) for duration_s in DURATIONS_S]
        print(f"{prompt:<62}" + "".join(f"{first:>8.0f} ({again:.0f})".rjust(15) for first, again in cells))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1], sys.argv[2], float(sys.argv[3]))
    else:
        main()
