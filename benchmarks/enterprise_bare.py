"""The requests of a run's jobs, sent by a bare loop around httpx's client, in a process of its own.

    python benchmarks/enterprise_bare.py JOBS BASE_URL WORKERS

JOBS is a file with a line for each job: its body, and how often it is polled. Prints what this process took for it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from pathlib import Path

import httpx

HEADERS = {"Authorization": "Bearer sk-aig-benchmark"}


async def have(client: httpx.AsyncClient, base_url: str, job: dict) -> None:
    """One job: submitted, polled, downloaded."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex, "x-cache": "skip"}
    answer = await client.post(f"{base_url}/v1/audio/music", content=job["body"].encode(), headers=headers)
    job_id = answer.raise_for_status().json()["id"]
    for _ in range(job["polls"]):
        answer = await client.get(f"{base_url}/v1/jobs/{job_id}")
        told = answer.raise_for_status().json()
    answer = await client.get(told["result"]["url"])
    assert len(answer.raise_for_status().content) > 1_000


async def main(jobs: list[dict], base_url: str, workers: int) -> None:
    waiting = iter(jobs)
    async with httpx.AsyncClient(headers=HEADERS) as client:

        async def work() -> None:
            for job in waiting:
                await have(client, base_url, job)

        await asyncio.gather(*(work() for _ in range(workers)))
    print(json.dumps({"cpu_s": time.process_time(), "requests": sum(job["polls"] + 2 for job in jobs)}))


if __name__ == "__main__":
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    asyncio.run(main([json.loads(line) for line in lines], sys.argv[2], int(sys.argv[3])))
