"""Jobs that a webhook has told of: what brings a job's next poll forward. A hint decides nothing, the poll does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio.lowlevel

if TYPE_CHECKING:
    from pipeline.jobs import Intent

#: Of jobs that nobody waits for: another run's, or those whose submit is not answered yet.
_MOST_REMEMBERED: Final = 10_000
_LONGEST_ID: Final = 256


class Hints:
    """Which jobs are said to have ended. All of it belongs to the run's event loop, and holds no more than it may.

    Gateways tell late, several times, too early, of other people's jobs, or never: nothing here relies on them.
    """

    def __init__(self, webhook_url: str | None = None) -> None:
        """`webhook_url`: where the gateway is asked to tell; None: nobody is expected to."""
        self.webhook_url = webhook_url
        self.told = 0  # jobs that had been told of when a poll found them at their end
        self.untold = 0  # jobs that a poll found there without that
        self._remembered: dict[str, None] = {}  # told of while nobody slept on them, oldest first
        self._asleep: dict[str, anyio.Event] = {}
        self._woken: set[str] = set()  # told of before the poll that is on its way, or is to be made again

    @property
    def are_trusted(self) -> bool:
        """Are jobs told of, as far as any have ended? If not, they are polled as if there were no webhooks."""
        return self.told >= self.untold

    def is_expected_for(self, intent: Intent) -> bool:
        """Was the gateway asked to tell us of this job? What an earlier run sent may name nobody, or somebody else."""
        return self.webhook_url is not None and intent.webhook_url == self.webhook_url

    def tell(self, job_id: str) -> None:
        """Somebody says that this job has ended: perhaps before its submit was answered, or one that is not ours."""
        if len(job_id) > _LONGEST_ID:
            return
        if job_id in self._asleep:
            self._woken.add(job_id)
            self._asleep[job_id].set()
            return
        self._remembered[job_id] = None
        if len(self._remembered) > _MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]

    async def sleep_until(self, job_id: str, moment: float) -> bool:
        """Sleep until `moment` on the event loop's clock, or until the job is told of: then true; or roused.

        A hint lasts until a poll has answered it: one that failed, or was made too soon, is made again at once.
        """
        if job_id in self._remembered or job_id in self._woken:
            self._remembered.pop(job_id, None)
            self._woken.add(job_id)
            await anyio.lowlevel.checkpoint()
            return True
        roused = self._asleep[job_id] = anyio.Event()
        try:
            with anyio.CancelScope(deadline=moment):
                await roused.wait()
        finally:
            del self._asleep[job_id]
        return job_id in self._woken

    def rouse(self, job_id: str) -> None:
        """Whoever sleeps on this job is to look again when its poll is due; nobody has told anything."""
        if job_id in self._asleep:
            self._asleep[job_id].set()

    def has_told(self, job_id: str) -> bool:
        """Has somebody told of the job, since it was last found unfinished?"""
        return job_id in self._woken or job_id in self._remembered

    def goes_on(self, job_id: str) -> None:
        """A poll has found the job not at its end: what was told before it was sent was too early."""
        self._woken.discard(job_id)

    def ended(self, job_id: str) -> None:
        """A poll has found the job at its end: count whether it had been told of."""
        if self.has_told(job_id):
            self.told += 1
        else:
            self.untold += 1
        self._woken.discard(job_id)
        self._remembered.pop(job_id, None)
