"""`GET /openapi.json` is true of the local gateway: a fuzzer finds no server error and no answer outside of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipeline.local_gateway.composition import CannedComposer
from pipeline.local_gateway.options import GatewayOptions
from pipeline.local_gateway.serving import LocalGatewayThread

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


def test_a_fuzzer_finds_no_answer_outside_of_the_document() -> None:
    """Every operation, with data that fits its schema and data that does not."""
    pytest.importorskip("schemathesis", reason="schemathesis is not installed: make test-contract does")
    options = GatewayOptions(latency_s=0.1, sigma=0.0, rpm=None, wallet_cents=10**9)
    with LocalGatewayThread(options, composer=CannedComposer()) as gateway:
        ended = subprocess.run(
            [
                sys.executable, "-m", "schemathesis.cli", "run", f"{gateway.base_url}/openapi.json",
                "--header", "Authorization: Bearer sk-aig-test", "--checks", ",".join(CHECKS),
                "--max-examples", "30", "--seed", "1", "--suppress-health-check", "all", "--no-color",
            ],
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-2000:]
    assert "passed" in ended.stdout
