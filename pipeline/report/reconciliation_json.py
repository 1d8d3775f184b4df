"""`pipeline reconcile --json`. Scripts read it: keys are added, never renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.money import as_usd

if TYPE_CHECKING:
    from pipeline.report.reconciliation import Reconciliation, TagLine


def reconciliation_document(found: Reconciliation, exit: int) -> dict[str, Any]:  # noqa: A002 - the document's word
    """Both sides by cost tag, in dollars; `gateway_usd` is null where the gateway names no such tag."""
    return {
        "ok": found.agrees,
        "exit": exit,
        "error": None,
        "month": found.month,
        "gateway": found.gateway,
        "kind": found.kind,
        "tags": [{"tag": line.tag, **_line(line)} for line in found.lines],
        "totals": _line(found.total),
        "other_gateways": list(found.elsewhere),
    }


def _line(line: TagLine) -> dict[str, Any]:
    side = line.ledger
    return {
        "ledger_usd": as_usd(side.billed),
        "gateway_usd": None if line.gateway is None else as_usd(line.gateway),
        "difference_usd": as_usd(line.difference),
        "agrees": line.agrees,
        "charges": side.charges,
        "computed_usd": as_usd(side.computed),
        "reserved_usd": as_usd(side.reserved),
        "possible_duplicate_usd": as_usd(side.possible_duplicate),
        "near_month_end_usd": as_usd(side.near_month_end),
    }
