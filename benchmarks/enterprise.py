"""Thirty thousand requests a minute and 2,000 jobs in flight, on real sockets: processor time, round trips, memory.

    python benchmarks/enterprise.py [JOBS]

The gateway is the local one in another process, and makes jobs that take 30 s (lognormal, sigma 0.25). What is scaled
down is the length of a run: JOBS jobs, 3,000 where it is not said, so that all slots are filled once and half of them
again. Requests a minute are counted from the first submit to the last, while every slot is full or being filled. Memory
is that of another run, of 10,000 jobs that take 3 s each. Nothing is finished; the ledger is the shipped one.

The bare loop is httpx's client as its documentation has it, and sends what the run has sent for a third of its jobs:
the same bodies, and as many polls and downloads. It sends them as fast as they are answered, eight at a time, since
that costs it least (a pool of more connections costs more a request). Its processor time is compared request by
request, everything included: a run's imports, its planning, its index and its reports.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from enterprise_client import MANIFEST
from claims import Claim, exit_status, told

_HERE = Path(__file__).parent
_JOBS = 3_000
_JOBS_IN_MEMORY = 10_000
_IN_FLIGHT = 2_000
_RPM = 30_000
_JOB_S = 30.0
_SHORT_JOB_S = 3.0
_ROUND_TRIP_S = 0.2
_BARE_SHARE = 3
_BARE_AT_ONCE = 8
_HEAD = f"""version: 1
name: library
budget: 1000
gateway:
  model: sony-ai/mmaudio-v2-text-to-audio
  price_per_second: 0.0010
  concurrency: {_IN_FLIGHT}
  requests_per_minute: {_RPM}
defaults: {{duration: 2, outputs: [wav]}}
tracks:
"""
_TRACK = """  level-{level}/theme-{number}:
    prompt: Calm orchestral exploration theme number {number}, harp and strings, 90 bpm
"""


@contextmanager
def gateway(seen, **options):
    """A gateway in another process: its address. `seen` is given what it has seen once the block is over."""
    command = [sys.executable, str(_HERE / "enterprise_gateway.py"), json.dumps(options)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            said, _ = process.communicate("")
    seen.update(json.loads(said))


def child(program, *words):
    """What a program of this folder said of itself."""
    command = [sys.executable, str(_HERE / f"{program}.py"), *map(str, words)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def run(folder, jobs, **options):
    """A run of that many jobs: what it took, what its gateway saw, and what both come to."""
    folder.mkdir()
    tracks = (_TRACK.format(level=number // 100, number=number) for number in range(jobs))
    (folder / MANIFEST).write_text(_HEAD + "".join(tracks), encoding="utf-8")
    seen = {}
    with gateway(seen, rpm=_RPM, **options) as base_url:
        taken = child("enterprise_client", folder, base_url)
    taken |= seen
    taken["jobs"], taken["requests"] = jobs, sum(seen["requests"].values())
    begun = next(look for look in seen["seen"] if look[1])
    filled = next(look for look in seen["seen"] if look[1] >= jobs)
    taken["per_minute"] = 60 * (filled[2] - begun[2]) / (filled[0] - begun[0])
    taken["connections"] = max(look[3] for look in seen["seen"])
    return taken


def bare(folder, taken):
    """What a bare loop takes for the same requests, a third of them."""
    jobs_file = folder / "jobs.jsonl"
    with sqlite3.connect(folder / ".pipeline" / "ledger.sqlite3") as ledger:
        rows = ledger.execute("SELECT body, request_id FROM jobs ORDER BY job").fetchall()
    share = rows[::_BARE_SHARE]
    lines = (json.dumps({"body": body.decode(), "polls": taken["polls"][request]}) for body, request in share)
    jobs_file.write_text("\n".join(lines), encoding="utf-8")
    with gateway({}, rpm=None, latency_s=0.0, min_poll_interval_s=0.0) as base_url:
        return child("enterprise_bare", jobs_file, base_url, _BARE_AT_ONCE)


def row(name, taken):
    cpu_s, requests = taken["cpu_s"], taken["requests"]
    jobs = taken.get("jobs")
    return (
        name,
        f"{requests / jobs:.1f}" if jobs else "",
        f"{taken['seconds']:.0f}" if jobs else "",
        f"{taken['per_minute']:,.0f}" if jobs else "",
        f"{taken['connections']:,}" if jobs else "",
        f"{cpu_s / requests * 1e6:,.0f}",
        f"{cpu_s / jobs * 1e3:.2f}" if jobs else "",
        f"{taken['peak_bytes'] / 1e6:.0f}" if jobs else "",
    )


def main() -> int:
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else _JOBS
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        near = run(folder / "near", jobs, latency_s=_JOB_S)
        loop = bare(folder / "near", near)
        far = run(folder / "far", jobs, latency_s=_JOB_S, round_trip_s=_ROUND_TRIP_S)
        large = run(folder / "large", _JOBS_IN_MEMORY, latency_s=_SHORT_JOB_S)
    head = ("", "requests a job", "seconds", "a minute", "connections", "µs a request", "ms a job", "MB at most")
    rows = [
        row(f"{jobs:,} jobs of {_JOB_S:g} s", near),
        row(f"the same, {_ROUND_TRIP_S:g} s away", far),
        row(f"{_JOBS_IN_MEMORY:,} jobs of {_SHORT_JOB_S:g} s", large),
        row("a bare loop", loop),
    ]
    told([head, *rows])
    ours, theirs = near["cpu_s"] / near["requests"], loop["cpu_s"] / loop["requests"]
    return exit_status(
        [
            Claim("processor time a request, of a bare httpx loop's", ours / theirs, 2.5),
            Claim(
                f"requests a minute with a round trip of {_ROUND_TRIP_S:g} s, of those with none",
                far["per_minute"] / near["per_minute"],
                0.9,
                at_least=True,
            ),
            Claim(f"MB at most, for {_JOBS_IN_MEMORY:,} jobs", large["peak_bytes"] / 1e6, 200),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
