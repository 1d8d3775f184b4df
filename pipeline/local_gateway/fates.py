"""What is decided about a job before it starts: mostly nothing, and on request all that can go wrong with one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed, as its `error` says it."""

    code: str = "generation_failed"
    message: str = "the model gave up on this piece"


@dataclass(frozen=True, slots=True)
class Fate:
    """How a job's life departs from the usual one. Factors multiply what it would have been."""

    error: JobError | None = None  # it fails when it would have completed
    endless: bool = False  # it never ends
    vanishes_after_s: float | None = None  # from then on the gateway has never heard of it
    latency_s: float | None = None
    latency_factor: float = 1.0
    length_s: float | None = None
    length_factor: float = 1.0

    def latency(self, usual_s: float) -> float:
        return (usual_s if self.latency_s is None else self.latency_s) * self.latency_factor

    def length(self, usual_s: float) -> float:
        return (usual_s if self.length_s is None else self.length_s) * self.length_factor


USUAL = Fate()
