"""Who plays, and how a run went. Each has the same gateway, wire, job times and jobs in flight."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
from pace_ours import folder_for_a_run, learn, play_ours, play_with_webhooks
from pace_peers import FixedInterval, Official, play_peer
from pace_world import PaceWorld
from virtual_time import virtual_backend

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pace_regimes import Regime
    from pace_world import Counts

    Play = Callable[[PaceWorld, Path], Awaitable[int | None]]

OURS: Final = "ours"
LEARNT: Final = "ours-learnt"
WEBHOOKS: Final = "ours-webhooks"
#: By name. They give how often they crashed, where they do.
PLAYERS: Final[dict[str, Play]] = {
    "official": lambda world, _: play_peer(Official(world), world),
    "official-3s": lambda world, _: play_peer(Official(world, poll_interval_s=3.0), world),
    "fixed-3s": lambda world, _: play_peer(FixedInterval(world), world),
    "paced-3s": lambda world, _: play_peer(FixedInterval(world, paced=True), world),
    OURS: play_ours,
    LEARNT: play_ours,
    WEBHOOKS: play_with_webhooks,
}
PEERS: Final = tuple(name for name in PLAYERS if not name.startswith(OURS))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run went."""

    makespan_s: float
    jobs: int
    counts: Counts
    cpu_s: float  # without the gateway's
    crashes: int

    @property
    def requests(self) -> float:
        """A job."""
        return self.counts.requests / self.jobs

    @property
    def refused(self) -> float:
        """The share of requests that were answered 429."""
        return self.counts.refused / self.counts.requests

    @property
    def refused_later(self) -> float:
        """That share after the first minute, when the limit is known."""
        return self.counts.refused_later / max(1, self.counts.requests_later)

    @property
    def cpu_ms(self) -> float:
        """A job."""
        return 1000 * self.cpu_s / self.jobs


def play(regime: Regime, player: str, seed: int) -> Outcome:
    """One run of `player`, on a virtual clock of its own."""
    backend, options = virtual_backend("asyncio")
    with folder_for_a_run() as folder:
        return anyio.run(_play, regime, player, seed, Path(folder), backend=backend, backend_options=dict(options))


async def _play(regime: Regime, player: str, seed: int, folder: Path) -> Outcome:
    if player == LEARNT:
        await learn(regime, seed, folder)
    world = PaceWorld(regime, seed)
    began, cpu_began_s = anyio.current_time(), time.process_time()
    crashes = await PLAYERS[player](world, folder)
    cpu_s = time.process_time() - cpu_began_s - world.wire.counts.gateway_cpu_s
    completed = sum(job.end == "completed" for job in world.app.state.gateway.books.jobs)
    assert completed == regime.jobs, f"{completed} of {regime.jobs} jobs completed"
    return Outcome(anyio.current_time() - began, regime.jobs, world.wire.counts, cpu_s, crashes or 0)
