"""The decoder against damaged files that nobody thought of; `make fuzz-audio` tries more of them."""

from __future__ import annotations

import random

from audio_fuzz import run_batch


def test_a_damaged_file_is_refused_by_a_sentence_or_is_what_its_facts_say(tmp_path):
    """Whatever is wrong with a file: no crash, no hang, no other error, no more memory than is allowed."""
    seed = random.SystemRandom().randrange(1 << 32)
    batch = run_batch(seed, 150, tmp_path)
    assert batch.fault is None, f"seed {seed}: {batch.fault}\n{batch.culprit.hex()}"
    assert 0 < batch.refused < batch.tried, f"seed {seed}"
