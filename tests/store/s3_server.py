"""A real S3 server, as tests ask it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final

import pytest

BUCKET: Final = "studio"
SECRET: Final = "wJalrXUtnFEMI-not-a-real-one"
#: moto looks whether a condition holds, and then writes, in two steps: S3 does both in one, and so does this.
SERVER: Final = """\
import logging, sys, threading
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
logging.getLogger("werkzeug").setLevel(logging.ERROR)
answer, turn = DomainDispatcherApplication(create_backend_app), threading.Lock()
def one_write_at_a_time(environ, start_response):
    if environ["REQUEST_METHOD"] != "PUT":
        return answer(environ, start_response)
    with turn:
        return list(answer(environ, start_response))
server = make_server("127.0.0.1", 0, one_write_at_a_time, threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.port, flush=True)
sys.stdin.read()
"""


def wanted(*names: str) -> None:
    """Skip where a package is missing, unless these tests are what was asked for."""
    missing = [name for name in names if find_spec(name) is None]
    if missing and not os.environ.get("STORE_TESTS"):
        pytest.skip(f"{', '.join(missing)} is not installed: `make test-store` installs it")


@dataclass(frozen=True)
class Server:
    """An S3 server, with one bucket."""

    url: str

    @property
    def environment(self) -> dict[str, str]:
        """What whoever asks it has in the environment."""
        return {
            "AWS_ACCESS_KEY_ID": "AKIANOTAREALONE",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self) -> Any:
        """Its official client: another's eyes on what lies there."""
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id="AKIANOTAREALONE",
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
        )

    def paths(self, prefix: str) -> list[str]:
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [one["Key"] for page in pages for one in page.get("Contents", ())]
