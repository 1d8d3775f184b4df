"""What hostile pages, odd documents and odd words do to the local gateway: a sentence, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from pipeline.clock import EventLoopClock
from pipeline.local_gateway.app import create_app
from pipeline.local_gateway.composition import CannedComposer
from pipeline.local_gateway.faults.fields import FaultMistake
from pipeline.local_gateway.faults.reading import read_faults
from pipeline.local_gateway.journal import Journal
from pipeline.local_gateway.options import GatewayOptions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "127.0.0.1:8787"}, 200),
        ({"host": "localhost:8787"}, 200),
        ({"host": "evil.example"}, 404),
        ({"host": "127.0.0.1.evil.example"}, 404),
        ({"host": "127.0.0.1:8787", "origin": "http://evil.example"}, 404),
    ],
    ids=["address", "localhost", "rebound", "rebound alike", "another page"],
)
async def test_a_page_that_was_led_to_loopback_reads_and_changes_nothing(headers: dict[str, str], status: int) -> None:
    """Its Host and Origin say where it came from."""
    app = create_app(GatewayOptions(), clock=EventLoopClock(), composer=CannedComposer(), state=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        assert (await client.get("/__books", headers=headers)).status_code == status
        assert (await client.put("/__faults", headers=headers, content="faults: []")).status_code == status


@pytest.mark.parametrize(
    "text",
    [
        "seed: 2020-99-99",
        "seed: 1" + "0" * 5000,
        "faults: [{delay: 1" + "0" * 400 + "}]",
        "faults: [{delay: .inf}]",
        "faults: [{answer: {status: 503, json: 2020-01-01}}]",
        "faults: [{answer: {status: 503, json: .nan}}]",
        "faults: [{answer: &b {status: 503, json: &c [*c]}}]",
    ],
    ids=["no date", "endless number", "huge delay", "infinite delay", "date", "not a number", "cycle"],
)
def test_a_faults_document_that_makes_no_sense_is_a_mistake(text: str) -> None:
    """One kind of error, whatever PyYAML and json think of it."""
    with pytest.raises(FaultMistake):
        read_faults(text, "faults")


def test_a_journal_line_of_another_kind_is_passed_over(tmp_path: Path) -> None:
    """Somebody edited it: the gateway starts without that job."""
    path = tmp_path / "jobs.jsonl"
    path.write_text(json.dumps({"id": "job_1", "created_at": "x", "piece": {}, "error": None}) + "\n[1]\nnull\n")
    assert Journal(path, 0.0).jobs == []
