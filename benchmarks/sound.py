"""Sound, measured: delivered files by an independent meter, loops with a known period, and speed beside the peers.

    make bench-sound

Prints tables, then every figure that docs/sound.md promises with its bound; the exit status is 1 where one is missed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor

# One thread a process, for every contender: two processes are what two cores have room for.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")

import sound_loops
import sound_loudness
import sound_music
import sound_speed
from claims import exit_status

PARTS = {"loudness": sound_loudness.run, "loops": sound_loops.run, "speed": sound_speed.run}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=f"any of {', '.join(PARTS)}; else all of them")
    arguments = parser.parse_args()
    music = sound_music.collected()
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        claims = [claim for part in arguments.parts for claim in PARTS[part](music, pool)]
    return exit_status(claims)


if __name__ == "__main__":
    sys.exit(main())
