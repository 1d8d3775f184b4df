"""The local gateway in a process of its own, with an eye on what reaches it. Audio costs it next to nothing.

    python benchmarks/enterprise_gateway.py '{"latency_s": 30, "rpm": 30000, "round_trip_s": 0.2}'

Prints where it is reached; ends with its standard input, and prints what it has seen by then. A round trip is slept
through by every request, half of it on its way in and half on its answer's way out.
"""

from __future__ import annotations

import json
import sys
import threading
import time

from pipeline.local_gateway.composition import CannedComposer
from pipeline.local_gateway.faults.rules import FaultPlan, Rule
from pipeline.local_gateway.options import GatewayOptions
from pipeline.local_gateway.serving import LocalGatewayThread

_SAMPLE_RATE = 1_000  # 2 kB of audio a second
_EVERY_S = 0.25


class Eye(threading.Thread):
    """Looks four times a second: when it is, submits and requests answered so far, connections that are open."""

    def __init__(self, gateway: LocalGatewayThread) -> None:
        super().__init__(daemon=True)
        self._requests = gateway.app.state.gateway.books.requests
        self._connections = gateway._server.server_state.connections  # noqa: SLF001 - uvicorn tells nobody else
        self.seen: list[tuple[float, int, int, int]] = []

    def run(self) -> None:
        while True:
            requests = dict(self._requests)
            submits = sum(times for (endpoint, _), times in requests.items() if endpoint == "submit")
            self.seen.append((time.monotonic(), submits, sum(requests.values()), len(self._connections)))
            time.sleep(_EVERY_S)


def main() -> None:
    chosen = json.loads(sys.argv[1])
    half_s = chosen.pop("round_trip_s", 0.0) / 2
    rules = (Rule("round trip", delay_s=half_s, delay_answer_s=half_s),) if half_s else ()
    composer = CannedComposer(_SAMPLE_RATE)
    with LocalGatewayThread(GatewayOptions(**chosen), composer=composer, faults=FaultPlan(rules)) as gateway:
        print(gateway.base_url, flush=True)
        eye = Eye(gateway)
        eye.start()
        sys.stdin.read()
        books = gateway.app.state.gateway.books
        requests = {" ".join(what): times for what, times in sorted(books.requests.items())}
        polls = {job.request_id: job.polls for job in books.jobs}
        print(json.dumps({"requests": requests, "polls": polls, "seen": eye.seen, "cpu_s": time.process_time()}))


if __name__ == "__main__":
    main()
