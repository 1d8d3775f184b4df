"""What happened at the gateway: what tests assert on instead of on calls."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pipeline.local_gateway.money import cents

if TYPE_CHECKING:
    from pipeline.local_gateway.jobs import Job


class Books:
    """Requests by endpoint and outcome, jobs, charges, and the most jobs that were ever in flight at once."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str]] = Counter()  # (endpoint, status, or `lost`)
        self.jobs: list[Job] = []
        self.webhooks: list[dict[str, Any]] = []
        self.faults: Counter[str] = Counter()  # by the rule's name
        self.early_polls = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.charged_microusd = 0

    def job_made(self, job: Job) -> None:
        self.jobs.append(job)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def job_ended(self, job: Job) -> None:
        self.in_flight -= 1
        self.charged_microusd += job.charged_microusd

    def count(self, endpoint: str, outcome: str) -> None:
        self.requests[endpoint, outcome] += 1

    def document(self, now: float) -> dict[str, Any]:
        """Everything as JSON."""
        requests: dict[str, dict[str, int]] = {}
        for (endpoint, outcome), times in sorted(self.requests.items()):
            requests.setdefault(endpoint, {})[outcome] = times
        return {
            "requests": requests,
            "jobs": [_row(job, now) for job in self.jobs],
            "jobs_in_flight": self.in_flight,
            "most_jobs_in_flight": self.most_in_flight,
            "early_polls": self.early_polls,
            "charged_cents": cents(self.charged_microusd),
            "webhooks": self.webhooks,
            "faults": dict(self.faults),
        }


def _row(job: Job, now: float) -> dict[str, Any]:
    return {
        "id": job.id,
        "status": job.status_at(now),
        "model": job.piece.model,
        "prompt": job.piece.prompt,
        "variation": job.piece.variation,
        "format": job.piece.format,
        "seconds_asked": job.asked_s,
        "seconds": job.piece.duration_s,
        "submitted_at": job.created_at,
        "ended_at": job.ended_at,
        "completed_at": job.ended_at if job.end == "completed" else None,
        "charge_cents": cents(job.charged_microusd),
        "cache": job.cache,
        "tag": job.tag,
        "idempotency_key": job.idempotency_key,
        "request_id": job.request_id,
        "polls": job.polls,
        "early_polls": job.early_polls,
        "downloads": job.downloads,
    }
