"""Re-rolls: a price is shown, and one take is bought for just that. Two clicks never buy twice."""

from __future__ import annotations

import logging
import secrets
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from pipeline.entry import carry_out_locked
from pipeline.gateway_choice import NoGateway
from pipeline.money import as_usd
from pipeline.plan_request import PlanRequest
from pipeline.rerolling import price_of, what_came, why_nothing_came
from pipeline.review.events import line_of
from pipeline.review.refusals import NotThere, Refusal, sentence_of

if TYPE_CHECKING:
    from typing import Any

    from anyio.abc import TaskGroup

    from pipeline.rerolling import Price
    from pipeline.review.hands import Brakes, Hands, Purse
    from pipeline.review.library import At, Library
    from pipeline.review.writing import Folders
    from pipeline.runner.control import Control
    from pipeline.runner.events import Event
    from pipeline.workspace import Plan, Workspace

_MOST_LINES: Final = 200
_MOST_WORKS: Final = 100  # that are remembered once they have ended


@dataclass(eq=False)
class Work:
    """A re-roll that was begun."""

    at: At
    take: int
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    state: Literal["running", "done", "failed"] = "running"
    sentence: str = ""
    lines: list[str] = field(default_factory=list)

    def hear(self, event: Event) -> None:
        line = line_of(event)
        if line is not None and self.lines[-1:] != [line]:
            self.lines = [*self.lines, line][-_MOST_LINES:]

    def document(self) -> dict[str, Any]:
        """What is told of it while it goes on, and once it has ended."""
        sentence = self.sentence or f"take {self.take} of {self.at.track} is on its way"
        return {"state": self.state, "sentence": sentence, "take": self.take, "events": self.lines}


class Rerolls:
    """Prices that were shown, and what was begun for them. `tasks`: where a re-roll goes on without its request."""

    def __init__(self, library: Library, folders: Folders, hands: Hands, purse: Purse, brakes: Brakes) -> None:
        self._library = library
        self._folders = folders
        self._hands = hands
        self._purse = purse
        self._brakes = brakes
        self._shown: dict[At, Price] = {}  # and not bought for yet
        self._begun: dict[At, Work] = {}  # the last one of each track
        self._works: dict[str, Work] = {}
        self.tasks: TaskGroup | None = None

    def price(self, at: At) -> Price:
        """What one more take would cost now: from here on it may be bought for that.

        Raises NotThere, NoGateway, NoSuchTake, CantBeChosen and what planning raises.
        """
        self._shown[at] = price_of(self._plan(at, self._library.workspace()), at.track)
        return self._shown[at]

    async def begin(self, at: At, estimate_microusd: int) -> Work:
        """Begin to buy one more take for the price that was shown, if it is still that.

        Asked again without another look at the price, it is the same wish, and the same work. Raises as `price` does;
        Refusal with the price, where that is another now; FolderBusy.
        """
        async with self._folders.one_at_a_time:
            begun = self._begun.get(at)
            if begun is not None and (begun.state == "running" or at not in self._shown):
                return begun
            return self._begin(at, estimate_microusd)

    def work(self, name: str) -> Work:
        """What was begun under this id. Raises NotThere."""
        if name not in self._works:
            raise NotThere("there is no such work")
        return self._works[name]

    def _begin(self, at: At, estimate_microusd: int) -> Work:
        with ExitStack() as stack:
            workspace = stack.enter_context(self._folders.held(f"a re-roll of {at.track} is on its way"))
            plan = self._plan(at, workspace)
            price, shown = price_of(plan, at.track), self._shown.get(at)
            if shown is None or (price.take, price.estimate_microusd) != (shown.take, estimate_microusd):
                self._shown[at] = price
                raise Refusal(f"look at its price again, nothing was bought: {price.sentence}", **price_document(price))
            control = stack.enter_context(self._brakes.control())
            work = Work(at, price.take)
            assert self.tasks is not None  # noqa: S101 - requests are answered at work only
            self.tasks.start_soon(self._carry_out, work, plan, workspace, control, stack.pop_all())
        del self._shown[at]
        self._remember(work)
        return work

    def _remember(self, work: Work) -> None:
        ended = [one.id for one in self._works.values() if one.state != "running"]
        for name in ended[: max(0, len(self._works) - _MOST_WORKS)]:
            del self._works[name]
        self._begun[work.at] = self._works[work.id] = work

    async def _carry_out(
        self, work: Work, plan: Plan, workspace: Workspace, control: Control, folders: ExitStack
    ) -> None:
        hands = self._hands
        with folders:
            try:
                result = await carry_out_locked(
                    plan,
                    workspace,
                    clock=hands.clock,
                    transport=hands.transport,
                    finisher=hands.finisher,
                    observer=work.hear,
                    ledger=hands.ledger,
                    control=control,
                )
                work.sentence = (
                    why_nothing_came(result, work.at.track)
                    if result.exit
                    else what_came(result, work.at.track, work.take, self._library.state)
                )
                work.state = "failed" if result.exit else "done"
            except Exception as error:  # whoever asked is told, and the server goes on
                sentence = sentence_of(error)
                if sentence is None:
                    logging.getLogger(__name__).exception("a re-roll was ended by a defect")
                work.sentence = sentence or f"a defect of this program ended it: {type(error).__name__}: {error}"
            finally:
                if work.state == "running":
                    work.state = "failed"

    def _plan(self, at: At, workspace: Workspace) -> Plan:
        manifest, track = self._library.find(at)
        gateway = self._purse.gateway
        if isinstance(gateway, NoGateway):
            raise gateway
        request = PlanRequest(
            manifests=(manifest,),
            gateway=gateway,
            output=self._library.output,
            state=self._library.state,
            only=(track.name,),
            budget_microusd=self._purse.budget_microusd,
            reroll=frozenset({track.name}),
            store_access=self._purse.store_access,
        )
        return workspace.plan(request, self._hands.clock.now())


def price_document(price: Price) -> dict[str, Any]:
    """A price as it is shown."""
    left = price.budget_left_microusd
    return {
        "take": price.take,
        "price_usd": as_usd(price.estimate_microusd),
        "estimate_microusd": price.estimate_microusd,
        "cash_usd": as_usd(price.cash_microusd),
        "budget_left_usd": None if left is None else as_usd(left),
        "sentence": price.sentence,
    }
