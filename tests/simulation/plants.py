"""Small breakages, each patched into the program: a simulation that does not find one is worth nothing.

`python tests/simulation/plants.py` plants each alone and looks for a seed that breaks; `--only NAME` one of them.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from nights import Broken, simulate  # noqa: E402 - found by the line above

from pipeline.files import Folder  # noqa: E402
from pipeline.gateway import client, errors, verdicts  # noqa: E402
from pipeline.jobs import Commitment, State  # noqa: E402
from pipeline.ledger.ledger import Ledger  # noqa: E402
from pipeline.picks import pinning  # noqa: E402
from pipeline.planning import refreshing, wanted  # noqa: E402
from pipeline.runner import asking, collecting, getting, running, starting, submitting  # noqa: E402
from pipeline.runner.account import Account  # noqa: E402
from pipeline.runner.control import Control  # noqa: E402
from pipeline.sources import IncomingSource  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

SEEDS: Final = 300


def _patch(owner: Any, name: str, make: Callable[[Any], Any]) -> AbstractContextManager[Any]:
    """`owner.name` replaced by what `make` makes of it."""
    return mock.patch.object(owner, name, make(getattr(owner, name)))


def id_recorded_late() -> AbstractContextManager[Any]:
    """The job id is written down once the job has completed."""
    late: dict[int, str] = {}

    def hold(accept: Any) -> Any:
        def planted(self: Ledger, row: int, job_id: str, *rest: Any, **options: Any) -> Any:
            job = accept(self, row, job_id, *rest, **options)
            late[row] = job_id
            self.connection.execute("UPDATE jobs SET job_id = NULL WHERE job = ?", (row,))
            return job

        return planted

    def write(complete: Any) -> Any:
        def planted(self: Ledger, row: int, *rest: Any) -> Any:
            self.connection.execute("UPDATE jobs SET job_id = ? WHERE job = ?", (late.get(row), row))
            return complete(self, row, *rest)

        return planted

    return _both(_patch(Ledger, "accept", hold), _patch(Ledger, "complete", write))


def key_renewed_on_a_resend() -> AbstractContextManager[Any]:
    """An unknown job is asked for again under another key."""

    def make(resend: Any) -> Any:
        def planted(self: Ledger, row: int, *rest: Any) -> Any:
            self.connection.execute("UPDATE jobs SET idempotency_key = hex(randomblob(16)) WHERE job = ?", (row,))
            return resend(self, row, *rest)

        return planted

    return _patch(Ledger, "resend", make)


def intent_after_the_post() -> AbstractContextManager[Any]:
    """The request leaves first, and is written down then."""

    def make(write_intent: Any) -> Any:
        async def planted(self: Any, order: Any, job: Any) -> Any:
            if job is None:
                await self._tools.gateway_at(order.origin).submit(submitting._request(_unwritten(order)))
            return await write_intent(self, order, job)

        return planted

    return _patch(submitting.Submitter, "_write_intent", make)


def _unwritten(order: Any) -> Any:
    return mock.Mock(intent=submitting._new_intent(order))


def reservation_dropped_on_failure() -> AbstractContextManager[Any]:
    """What became unknown binds nothing any more."""

    def make(post: Any) -> Any:
        def planted(self: Account, job: Any) -> None:
            if job.state is State.UNKNOWN:
                before = self._posted.pop(job.row, Commitment())
                self.move(before, Commitment())
            else:
                post(self, job)

        return planted

    return _patch(Account, "post", make)


def empty_wallet_cancels_polls() -> AbstractContextManager[Any]:
    """402 stops everything, and what is paid for is left lying."""

    def make(stop_submitting: Any) -> Any:
        def planted(self: Control, stop: Any) -> None:
            stop_submitting(self, stop)
            self._jobs.cancel()

        return planted

    return _patch(Control, "stop_submitting", make)


def rename_before_fsync() -> AbstractContextManager[Any]:
    """A source gets its name while its content may still be in memory."""
    return _patch(IncomingSource, "finish", lambda _: lambda self: self._file.flush())


def slot_freed_at_304() -> AbstractContextManager[Any]:
    """A poll that brings nothing new lets another job begin."""
    slot_of: ContextVar[Any] = ContextVar("slot")

    def remember(fetched: Any) -> Any:
        async def planted(self: Any, order: Any, slot: Any) -> Any:
            slot_of.set(slot)
            return await fetched(self, order, slot)

        return planted

    def free(ask: Any) -> Any:
        async def planted(self: Any, *arguments: Any) -> Any:
            asked = await ask(self, *arguments)
            if asked.unchanged:
                slot_of.get().free()
            return asked

        return planted

    return _both(_patch(getting.TakeGetter, "_fetched", remember), _patch(asking.Asker, "ask", free))


def regenerate_granted_twice() -> AbstractContextManager[Any]:
    """The same words, repeated within a run, pay again."""
    return _patch(Ledger, "grants", lambda _: lambda *_: {})


def run_closed_though_takes_were_held_back() -> AbstractContextManager[Any]:
    """A run that was stopped is closed all the same."""

    def make(_: Any) -> Any:
        async def planted(plan: Any, seams: Any, manifests: Any, works: Any) -> None:
            now = seams.clock.now()
            await seams.ledger.write(lambda ledger: [ledger.close_run(work.run, now) for work in works])

        return planted

    return _patch(starting, "_close", make)


def a_504_taken_for_a_refusal() -> AbstractContextManager[Any]:
    """What proves nothing is counted as surely not taken."""

    def make(submit_error: Any) -> Any:
        def planted(answer: Any) -> Any:
            error = submit_error(answer)
            if isinstance(error, errors.AnswerUnknown) and error.status is not None:
                return errors.GatewayBusy(str(error), status=error.status)
            return error

        return planted

    return _both(_patch(verdicts, "submit_error", make), _patch(client, "submit_error", make))


def replay_believed_without_proof() -> AbstractContextManager[Any]:
    """An answer to a resend clears the doubt, whatever it says."""
    return _patch(submitting, "_is_replay", lambda _: lambda *_: True)


def bill_forgotten_without_usage_figures() -> AbstractContextManager[Any]:
    """What the gateway does not say is taken for nothing."""
    return _patch(collecting, "_computed", lambda _: lambda *_: 0)


def lost_answers_not_counted() -> AbstractContextManager[Any]:
    """A sending that may have made a job is forgotten once it is sent again."""

    def make(resend: Any) -> Any:
        def planted(self: Ledger, row: int, *rest: Any) -> Any:
            self.connection.execute("UPDATE jobs SET unproven_sends = 0 WHERE job = ?", (row,))
            return resend(self, row, *rest)

        return planted

    return _patch(Ledger, "resend", make)


def posts_cancelled_with_their_siblings() -> AbstractContextManager[Any]:
    """A POST that has left ends with the run that it belongs to."""

    def make(_: Any) -> Any:
        @contextmanager
        def planted(_: Control) -> Iterator[None]:
            yield

        return planted

    return _patch(Control, "uninterrupted", make)


def files_copied_to_their_final_names() -> AbstractContextManager[Any]:
    """A file that is being copied is one that is half there."""

    def make(_: Any) -> Any:
        def planted(self: Folder, temporary: Path, relative: str) -> Path:
            final, content = self.path(relative), temporary.read_bytes()
            with final.open("wb", buffering=0) as file:
                file.write(content[: len(content) // 2])
                temporary.unlink()
                file.write(content[len(content) // 2 :])
            return final

        return planted

    return _patch(Folder, "place", make)


def new_takes_before_those_in_flight() -> AbstractContextManager[Any]:
    """What is in flight already holds no slot before what is new."""
    return _patch(running, "turn", lambda turn: lambda order: -turn(order))


def polled_without_a_pause() -> AbstractContextManager[Any]:
    """Whoever gets no answer asks at once."""

    def make(next_poll_s: Any) -> Any:
        def planted(*, interval_s: float, **rest: Any) -> float:
            failed = bool(rest.get("failures"))
            return next_poll_s(interval_s=0.5 if failed else interval_s, **rest | {"failures": 0})

        return planted

    return _patch(asking, "next_poll_s", make)


def one_more_take_at_each_repetition() -> AbstractContextManager[Any]:
    """A re-roll that was granted already is taken for a new wish when its words are repeated."""

    def make(_: Any) -> Any:
        return lambda self: frozenset({self._next_number}) if self._reroll else frozenset()

    return _patch(wanted._Meaning, "_rerolled", make)


def takes_left_out_of_the_lock() -> AbstractContextManager[Any]:
    """What was bought is not pinned: only what was picked and delivered is."""
    return _patch(pinning, "_takes", lambda _: lambda known, _: tuple(known))


def refreshed_while_it_is_under_way() -> AbstractContextManager[Any]:
    """What has grown old is generated again by each start, though it is being generated, or was this very night."""
    idle = _patch(refreshing, "_stands_idle", lambda _: lambda *_: True)
    return _both(idle, _patch(refreshing, "_next_tries", lambda _: lambda *_: ()))


@contextmanager
def _both(one: AbstractContextManager[Any], other: AbstractContextManager[Any]) -> Iterator[None]:
    with one, other:
        yield


PLANTS: Final[tuple[Callable[[], AbstractContextManager[Any]], ...]] = (
    id_recorded_late,
    key_renewed_on_a_resend,
    intent_after_the_post,
    reservation_dropped_on_failure,
    empty_wallet_cancels_polls,
    rename_before_fsync,
    slot_freed_at_304,
    regenerate_granted_twice,
    run_closed_though_takes_were_held_back,
    a_504_taken_for_a_refusal,
    replay_believed_without_proof,
    bill_forgotten_without_usage_figures,
    lost_answers_not_counted,
    posts_cancelled_with_their_siblings,
    files_copied_to_their_final_names,
    new_takes_before_those_in_flight,
    polled_without_a_pause,
    one_more_take_at_each_repetition,
    takes_left_out_of_the_lock,
    refreshed_while_it_is_under_way,
)


def found(name: str, seeds: int = SEEDS) -> str | None:
    """How the first seed that finds the plant of that name breaks; None where none does."""
    (plant,) = (plant for plant in PLANTS if plant.__name__ == name)
    for seed in range(seeds):
        try:
            with plant():
                simulate(seed)
        except Broken as broken:
            simulate(seed)  # without it the seed holds, or nothing was found
            return str(broken).splitlines()[0]
    return None


def main() -> None:
    """Plant each, and say which seed finds it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[plant.__name__ for plant in PLANTS])
    only = parser.parse_args().only
    names = [plant.__name__ for plant in PLANTS if only in (None, plant.__name__)]
    missed = 0
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        for name, result in zip(names, workers.map(found, names), strict=True):
            missed += result is None
            outcome = f"NOT FOUND in {SEEDS} seeds" if result is None else f"found by {result}"
            print(f"{name.replace('_', ' ')}: {outcome}", flush=True)
    print(f"{len(names) - missed} of {len(names)} plants found within {SEEDS} seeds")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
