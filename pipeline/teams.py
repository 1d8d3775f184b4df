"""The stores of a run: opened before anything is bought, and kept alive while it goes on."""

from __future__ import annotations

import getpass
import platform
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import anyio

from pipeline.planning.plans import TO_COME
from pipeline.runner.events import Notice
from pipeline.store.objects import StoreTrouble, Unconditional
from pipeline.store.team import Team
from pipeline.store_choice import NoStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from pipeline.clock import Clock
    from pipeline.ledger.writing import LedgerWriter
    from pipeline.planning.plans import ManifestPlan
    from pipeline.runner.events import Event
    from pipeline.store_choice import StoreChoice
    from pipeline.stored import Stores
    from pipeline.workspace import Plan

#: How long the end of a run may take to be told to a store, in seconds. Its lease would end by itself.
_GOODBYE_S = 5.0


@asynccontextmanager
async def teams_of(
    plan: Plan,
    stores: Stores,
    writer: LedgerWriter,
    clock: Clock,
    observe: Callable[[Event], None],
) -> AsyncIterator[Mapping[str, Team]]:
    """Manifest -> its store, for those that the plan has to do with; one that can't be asked is told and left out.

    Raises NoStore where one is required and can't be asked, and where one can't keep two machines from buying the same.
    """
    if plan.store_trouble is not None:
        observe(Notice(without(plan.store_trouble)))
    parts = [part for part in plan.manifests if part.manifest.name in plan.stores and _has_to_do_with_it(part)]
    wanted = {part.manifest.name: plan.stores[part.manifest.name] for part in parts}
    if not wanted:
        yield {}
        return
    holder = await writer.write(lambda ledger: ledger.holder_name())
    teams: dict[StoreChoice, Team] = {}
    for choice in dict.fromkeys(wanted.values()):
        team = Team(choice, stores.objects(choice), holder=holder, machine=machine_name(), wall=clock.now)
        buys = any(wanted.get(part.manifest.name) == choice and _buys(part) for part in plan.manifests)
        if choice.read_only or not buys or await _is_open(team, observe):
            teams[choice] = team
    async with _alive(teams.values()):
        yield {name: teams[choice] for name, choice in wanted.items() if choice in teams}


async def _is_open(team: Team, observe: Callable[[Event], None]) -> bool:
    """Has the store been asked, and does it do? Raises NoStore."""
    try:
        await team.open()
    except Unconditional as error:
        raise NoStore(
            f"{error}, so two machines could buy the same: name another store, or take from it what it has and put "
            "nothing there (--store-read-only)"
        ) from error
    except StoreTrouble as error:
        team.choice.check_dispensable(error)
        observe(Notice(without(str(error))))
        return False
    return True


@asynccontextmanager
async def _alive(teams: Iterable[Team]) -> AsyncIterator[None]:
    """The leases are renewed as long as the block takes; then whoever comes may go on with what is left."""
    living = [team for team in teams if team.has_lease]
    async with anyio.create_task_group() as tasks:
        for team in living:
            tasks.start_soon(team.keep_alive)
        try:
            yield
        finally:
            tasks.cancel_scope.cancel()
            with anyio.move_on_after(_GOODBYE_S, shield=True):
                for team in living:
                    with suppress(StoreTrouble):
                        await team.close()


def _has_to_do_with_it(part: ManifestPlan) -> bool:
    """Is anything to be had from a store, or to be put there?"""
    return _buys(part) or any(take.stored is not None for track in part.tracks for take in track.takes)


def _buys(part: ManifestPlan) -> bool:
    """Is anything bought, gone on with, or put there? Then it is claimed."""
    takes = (take for track in part.tracks for take in track.takes)
    return bool(part.unshared or part.strays) or any(take.step in TO_COME for take in takes)


def machine_name() -> str:
    """Who buys, and where, as people call it."""
    host = platform.node() or "somewhere"
    with suppress(OSError, KeyError, ImportError):
        return f"{getpass.getuser()}@{host}"
    return host


def without(trouble: str) -> str:
    """What is said where a store can't be asked, and need not be."""
    return f"{trouble}; the run goes on without it, and what it buys is put there by a later one"
