"""The gateway's memory over a restart: its jobs, one line each time one is made or ends."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final

from pipeline.local_gateway.composition import CompositionRequest
from pipeline.local_gateway.fates import JobError
from pipeline.local_gateway.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_NOT_KEPT: Final = frozenset({"composed", "last_polled_at", "polls", "early_polls", "downloads"})
#: Two months of jobs: what `usage/by-tag` can be asked for, and far longer than any file is kept.
_KEPT_S: Final = 62 * 86_400.0


class Journal:
    """A file of JSON lines; of each job the last line counts.

    A process killed while writing leaves at most one torn line, which is passed over: nobody was told what it says.
    """

    def __init__(self, path: Path, now: float) -> None:
        """Read what an earlier process wrote, and write it again without what no longer counts. Raises OSError."""
        self.jobs = [job for job in _read(path).values() if _is_kept(job, now)]
        fresh = path.with_suffix(".part")
        fresh.write_text("".join(map(_line, self.jobs)), encoding="utf-8")
        fresh.replace(path)
        self._path = path

    def write(self, job: Job) -> None:
        """Note `job` as it is now. What was written outlives the process."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_line(job))


def _is_kept(job: Job, now: float) -> bool:
    """Young enough, and a job at all: a line that somebody edited is passed over like a torn one."""
    return isinstance(job.created_at, int | float) and isinstance(job.id, str) and job.created_at > now - _KEPT_S


def _line(job: Job) -> str:
    kept = {key: value for key, value in asdict(job).items() if key not in _NOT_KEPT}
    return json.dumps(kept, separators=(",", ":")) + "\n"


def _read(path: Path) -> dict[str, Job]:
    if not path.exists():
        return {}
    jobs = _understood(path.read_text(encoding="utf-8", errors="replace").splitlines())
    return {job.id: job for job in jobs}


def _understood(lines: Iterable[str]) -> Iterable[Job]:
    known = {item.name for item in fields(Job)}
    for line in lines:
        try:
            document: dict[str, Any] = json.loads(line)
            piece, error = document.pop("piece"), document.pop("error")
            job = Job(
                piece=CompositionRequest(**piece),
                error=None if error is None else JobError(**error),
                **{key: value for key, value in document.items() if key in known},
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
        yield job
