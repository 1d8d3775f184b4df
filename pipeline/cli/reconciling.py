"""`pipeline reconcile`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import anyio

from pipeline.cli.bookkeeping import books_of
from pipeline.cli.terminal import out, out_document
from pipeline.clock import SystemClock
from pipeline.gateway_choice import choose_gateway
from pipeline.reconciling import reconcile as compare
from pipeline.report.reconciliation_json import reconciliation_document
from pipeline.report.reconciliation_text import reconciliation_lines
from pipeline.report.text import month_of
from pipeline.runner.results import EXIT_TRACKS

if TYPE_CHECKING:
    from pathlib import Path


def reconcile(*, state: Path, gateway: str, month: str | None, as_json: bool) -> None:
    """Set the ledger beside the gateway's own count, and exit 1 where they differ."""
    clock = SystemClock()
    choice = choose_gateway(gateway, os.environ)
    found = anyio.run(compare, books_of(state), choice, month or month_of(clock.now()), clock)
    status = 0 if found.agrees else EXIT_TRACKS
    if as_json:
        out_document(reconciliation_document(found, status))
    else:
        out("\n".join(reconciliation_lines(found)))
    sys.exit(status)
