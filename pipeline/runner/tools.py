"""What a run works with, and one order of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.jobs import Commitment
from pipeline.manifest.tracks import GatewaySettings
from pipeline.runner.events import MoneyMoved
from pipeline.runner.hints import Hints

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.clock import Clock
    from pipeline.files import Folder
    from pipeline.gateway.client import Gateway
    from pipeline.jobs import Job, Kind, PurchaseKey
    from pipeline.ledger.ledger import Ledger
    from pipeline.ledger.writing import LedgerWriter
    from pipeline.manifest.tracks import Track
    from pipeline.output import OutputFolder
    from pipeline.pace.planner import PollPlanner
    from pipeline.runner.account import Account
    from pipeline.runner.claimed import Claimed
    from pipeline.runner.control import Control
    from pipeline.runner.events import Event
    from pipeline.runner.finisher import Finisher
    from pipeline.runner.pinning import Pins
    from pipeline.sources import SourceStore
    from pipeline.store.documents import TakeRecord
    from pipeline.store.team import Team


_DEFAULT_SETTINGS = GatewaySettings()


@dataclass(frozen=True, slots=True)
class Order:
    """A take to be had: what to ask for, and on whose books."""

    key: PurchaseKey
    manifest: str
    track: str
    kind: Kind
    origin: str  # of the gateway that new jobs are asked of
    run: int
    account: Account
    estimate_microusd: int  # what one sending binds
    asked: Track | None  # None: nothing asks for it any more, it is only collected
    job: Job | None = None
    stored: TakeRecord | None = None  # a team's store has it
    claimed: Claimed | None = None  # it was claimed there for this run

    @property
    def take(self) -> int:
        return self.key.take

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.track if self.take == 1 else f"{self.track} (take {self.take})"


@dataclass(frozen=True)
class Tools:
    """The rooms that the runner brings together, as handed to it."""

    gateways: Mapping[str, Gateway]  # by origin
    planner: PollPlanner
    ledger: LedgerWriter
    finisher: Finisher
    sources: SourceStore
    state: Folder
    output: OutputFolder
    clock: Clock
    control: Control
    pins: Pins
    settings: Mapping[str, GatewaySettings]  # by manifest
    observe: Callable[[Event], None]
    accounts: dict[int, Account] = field(default_factory=dict)  # by run
    hints: Hints = field(default_factory=Hints)
    teams: Mapping[str, Team] = field(default_factory=dict)  # by manifest: the stores that their takes are shared in

    def gateway_at(self, origin: str) -> Gateway:
        return self.gateways[origin]

    def settings_of(self, job: Job) -> GatewaySettings:
        """Those of the manifest that asked for it, or the defaults where that one is not part of this run."""
        return self.settings.get(job.intent.manifest, _DEFAULT_SETTINGS)

    async def record(self, change: Callable[[Ledger], Job]) -> Job:
        """Write down what became of a job, and let its account know."""
        job = await self.ledger.write(change)
        self.post(job)
        return job

    def post(self, job: Job) -> None:
        """Let the account of the job's run know where the job stands; an older run's is closed."""
        account = self.accounts.get(job.run)
        if account is not None:
            account.post(job)
            self.tell_money()

    def tell_money(self) -> None:
        """Say what all of the run's manifests bind now."""
        self.observe(MoneyMoved(sum((one.committed for one in self.accounts.values()), Commitment())))
