"""A real S3 server on loopback, a gateway, and machines: state folders of their own, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from quick_gateway import quick_gateway
from s3_server import BUCKET, SERVER, Server, wanted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.local_gateway.serving import LocalGatewayThread


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """moto's, in a process of its own: the program's processes ask it over a socket, as they would ask S3."""
    wanted("obstore", "moto", "boto3")
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            while not (line := process.stdout.readline()).strip().isdigit():
                assert line, "the S3 server did not start"
            running = Server(f"http://127.0.0.1:{int(line)}")
            running.client().create_bucket(Bucket=BUCKET)
            yield running
        finally:
            process.stdin.close()
            process.terminate()


@pytest.fixture(scope="session")
def gateway() -> Iterator[LocalGatewayThread]:
    """A gateway that honours keys, and charges."""
    with quick_gateway() as running:
        yield running


@pytest.fixture
def bucket(server: Server, tmp_path: Path) -> str:
    """A place in the bucket that is this test's own."""
    return f"s3://{BUCKET}/{tmp_path.name}-{os.getpid()}"
