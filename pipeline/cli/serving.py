"""`pipeline serve`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline.cli.terminal import say
from pipeline.local_gateway.options import GatewayOptions
from pipeline.local_gateway.serving import serve as serve_gateway

if TYPE_CHECKING:
    from pathlib import Path


def serve(
    *,
    host: str,
    port: int,
    media_port: int | None,
    latency: float,
    sigma: float,
    rpm: int,
    faults: Path | None,
    state: Path | None,
    no_idempotency: bool,
) -> None:
    """Run the local gateway until it is interrupted."""
    try:
        options = GatewayOptions(latency_s=latency, sigma=sigma, rpm=rpm or None, idempotency=not no_idempotency)
    except ValueError as error:  # not a number, or without end
        raise click.UsageError(str(error)) from error
    serve_gateway(host, port, media_port, options, state, say, faults=faults)
