"""How long `GET /v1/jobs/{id}` takes while eight pieces are being composed, beside an idle gateway in the same run."""

from __future__ import annotations

import http.client
import json
import statistics
import sys
import time
from urllib.parse import urlsplit

from pipeline.local_gateway.options import GatewayOptions
from pipeline.local_gateway.serving import LocalGatewayThread

PIECES = 8
SECONDS = 120
HEADERS = {"Authorization": "Bearer sk-aig-bench", "Content-Type": "application/json"}


class Client:
    """One connection, kept alive."""

    def __init__(self, base_url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=60)

    def ask(self, method: str, path: str, body: dict | None = None) -> dict:
        self._connection.request(method, path, None if body is None else json.dumps(body), HEADERS)
        answer = self._connection.getresponse()
        content = answer.read()
        return json.loads(content) if content else {}

    def submit(self, number: int) -> str:
        body = {
            "model": "sony-ai/mmaudio-v2-text-to-audio",
            "prompt": f"orchestral battle {number}",
            "duration": SECONDS,
        }
        return self.ask("POST", "/v1/audio/music", body | {"format": "wav"})["id"]

    def latency_ms(self, job_id: str) -> float:
        began = time.perf_counter()
        self.ask("GET", f"/v1/jobs/{job_id}")
        return (time.perf_counter() - began) * 1000


def measured(client: Client, job_id: str, until) -> list[float]:
    """Latencies of polls every 10 ms until `until` is true."""
    latencies: list[float] = []
    while not until(len(latencies)):
        latencies.append(client.latency_ms(job_id))
        time.sleep(0.01)
    return latencies


def told(name: str, latencies: list[float]) -> None:
    ordered = sorted(latencies)
    median, high = statistics.median(ordered), ordered[int(0.99 * (len(ordered) - 1))]
    figures = f"median {median:.2f} ms, 99 % {high:.2f} ms, max {ordered[-1]:.2f} ms"
    print(f"{name:<28} {len(ordered):>5} polls: {figures}")


def main() -> int:
    options = GatewayOptions(latency_s=0.0, rpm=None, min_poll_interval_s=0.0)
    with LocalGatewayThread(options) as gateway:
        client = Client(gateway.base_url)
        first = client.submit(0)
        while client.ask("GET", f"/v1/jobs/{first}")["status"] != "completed":
            time.sleep(0.05)
        idle = measured(client, first, lambda count: count >= 200)
        jobs = [client.submit(number) for number in range(1, PIECES + 1)]
        watcher = Client(gateway.base_url)
        open_jobs = set(jobs)

        def all_done(count: int) -> bool:
            if count % 20 == 0:
                answers = {job: watcher.ask("GET", f"/v1/jobs/{job}") for job in open_jobs}
                open_jobs.difference_update(job for job, answer in answers.items() if answer["status"] == "completed")
            return not open_jobs

        busy = measured(client, first, all_done)
    told("idle", idle)
    told(f"while {PIECES} x {SECONDS} s are composed", busy)
    return 0 if sorted(busy)[int(0.99 * (len(busy) - 1))] <= 50.0 else 1


if __name__ == "__main__":
    sys.exit(main())
