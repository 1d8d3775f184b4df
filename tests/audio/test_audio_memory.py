"""How much memory finishing takes, by how long the sound is. `make bench-memory` does it with ten minutes at 96 kHz."""

from __future__ import annotations

import sys

import pytest
from audio_signals import composition, repeated, save
from peak_memory import said_in_a_child

MOST_BYTES_A_FRAME = 32  # of stereo, whose float32 samples take 8; half of the rest is the search for a loop

PROGRAM = """
import sys
from peak_memory import peak_bytes
from pipeline.audio.finishing import finish
from pipeline.audio.settings import Finishing, Loop, Loudness, Output, Trim
from pipeline.audio.tasks import FinishTask, Target

gates = tuple((gate, "off") for gate in ("clipping", "dc", "ending", "gap", "mono"))
finishing = Finishing(trim=Trim(), loop=Loop(), loudness=Loudness(target_lufs=-8.0), gates=gates)
for source in sys.argv[1:]:
    (made,) = finish(FinishTask(source, finishing, (Target(Output("wav", bits=24), source + ".out"),), "5eed"))
    print(peak_bytes(), made.limited_db > 0)
"""


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="its peak is told nowhere else")
def test_finishing_takes_a_few_times_the_memory_of_the_sound(tmp_path):
    """Trimmed, looped, limited, encoded, read back: at most two whole pieces are held at once, and blocks of others."""
    rate = 16_000  # what looking for a loop takes depends on the rate, and from half a minute on on nothing else
    short, long = (repeated(composition(8.0, rate=rate), seconds * rate) for seconds in (30, 150))
    sources = [save(tmp_path / "short.wav", short), save(tmp_path / "long.wav", long)]
    (before, limited), (after, _) = (line.split() for line in said_in_a_child(PROGRAM, *sources))
    assert limited == "True"
    assert (int(after) - int(before)) / (long.frames - short.frames) < MOST_BYTES_A_FRAME
