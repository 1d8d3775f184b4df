"""A signal while POSTs are in flight and a track is being finished: the run ends in order, the next collects."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from places import Place
from quick_gateway import quick_gateway

from pipeline.jobs import State
from pipeline.local_gateway.faults.reading import read_faults

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lives import Lives

    from pipeline.local_gateway.serving import LocalGatewayThread

#: How soon after its first signal a run has ended.
WITHIN_S = 3.0
MANIFEST = """\
version: 1
name: demo
gateway: {model: sony-ai/mmaudio-v2-text-to-audio, price_per_second: 0.0010, poll_interval: 0.1}
defaults: {duration: 1, outputs: [wav]}
tracks:
  menu: {prompt: prompt, duration: 60}
  battle: {prompt: a little late}
  boss: {prompt: silent for long}
"""
FAULTS = """\
faults:
  - {endpoint: submit, prompt: late, delay_answer: 1.0}
  - {endpoint: submit, prompt: silent, delay_answer: 20}
"""
EVERYTHING = {"demo/menu": 1, "demo/battle": 1, "demo/boss": 1}
BEING_FINISHED = ("finish", "before", 1)


@pytest.fixture
def gateway() -> Iterator[LocalGatewayThread]:
    """A gateway that answers one submit late, and one not for a long time."""
    with quick_gateway(faults=read_faults(FAULTS, "FAULTS")) as running:
        yield running


@pytest.fixture
def place(tmp_path: Path, gateway: LocalGatewayThread, lives: Lives) -> Place:
    (tmp_path / "demo.yaml").write_text(MANIFEST)
    return Place(tmp_path, gateway, lives)


def assert_collected_by_the_next_run(place: Place) -> None:
    """It asks for nothing that was taken, and then every asset is there."""
    httpx.delete(f"{place.gateway.base_url}/__faults").raise_for_status()
    place.run("demo.yaml")
    assert place.proven == set(place.assets) == {"menu.wav", "battle.wav", "boss.wav"}
    place.assert_bought(EVERYTHING)
    assert place.possible_duplicates == 0
    place.assert_settled("demo.yaml")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_ends_a_run_in_time(place: Place, number: int, status: int) -> None:
    """Answers that come within a moment are recorded, the silent one is left unknown, and no file is half there."""
    life = place.begin("demo.yaml", tells_at=BEING_FINISHED)
    sent_at = time.monotonic()
    os.kill(life, number)
    ended = place.lives.end()
    took_s = time.monotonic() - sent_at
    assert ended.status == status, ended.said
    assert took_s <= WITHIN_S
    assert place.assets == {}  # it was being finished
    assert list(place.output.rglob("*.part")) == []
    place.assert_whole()
    assert (place.states["menu"], place.states["boss"]) == (State.COLLECTED, State.INTENDED)
    # Collected, where the machine took longer than battle's second to come to menu's finishing.
    assert place.states["battle"] in (State.ACCEPTED, State.COLLECTED)
    assert_collected_by_the_next_run(place)


def test_the_second_signal_ends_it_at_once(place: Place) -> None:
    """It waits for no answer any more: the exit status is the second signal's."""
    life = place.begin("demo.yaml", tells_at=BEING_FINISHED)
    os.kill(life, signal.SIGINT)
    os.kill(life, signal.SIGTERM)  # which of two comes first is the system's affair, and the run says it
    ended = place.lives.end()
    assert "once more ends it at once" in ended.said
    assert ended.status == (143 if "interrupted:" in ended.said else 130)
    place.assert_whole()
    assert place.states["boss"] is State.INTENDED
    assert_collected_by_the_next_run(place)
