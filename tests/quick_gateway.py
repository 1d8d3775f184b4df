"""A local gateway for lives of the program: on real sockets, in the test's own process, never the one to wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.local_gateway.composition import CannedComposer
from pipeline.local_gateway.options import GatewayOptions
from pipeline.local_gateway.serving import LocalGatewayThread

if TYPE_CHECKING:
    from pipeline.local_gateway.faults.rules import FaultPlan


def quick_gateway(
    *, composer: CannedComposer | None = None, faults: FaultPlan | None = None, **options: Any
) -> LocalGatewayThread:
    """One that makes a tone of each request at once, and may be asked as often as one likes."""
    chosen = {"latency_s": 0.02, "sigma": 0.0, "rpm": None, "min_poll_interval_s": 0.0} | options
    return LocalGatewayThread(GatewayOptions(**chosen), composer=composer or CannedComposer(), faults=faults)
