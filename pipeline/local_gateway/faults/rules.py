"""A fault as values: whom it meets, and what it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from pipeline.local_gateway.fates import USUAL, Fate

if TYPE_CHECKING:
    from collections.abc import Mapping

Loss = Literal["before", "after"]

#: What a rule's `endpoint` may name.
ENDPOINTS: Final = (
    *("submit", "poll", "cancel", "media", "file", "sign"),
    *("balance", "usage", "models", "model", "schema", "openapi"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer instead of the gateway's. `body` None: the gateway's own error form for that status."""

    status: int
    body: bytes | None = None
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Truncation:
    """The body stops early. `declared`: Content-Length says the whole, and the connection breaks; else it just ends."""

    share: float | None = None
    size: int | None = None
    declared: bool = True


@dataclass(frozen=True, slots=True)
class Oversize:
    """The body goes on until it has `size` bytes. `declared`: Content-Length says so; else there is none."""

    size: int
    declared: bool = True


@dataclass(frozen=True, slots=True)
class Dribble:
    """The body comes in pieces of `size` bytes, with `pause_s` before each."""

    size: int
    pause_s: float


@dataclass(frozen=True, slots=True)
class Replacement:
    """Another body instead of the right one, under status 200."""

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Spoil:
    """What is done to a body on its way out."""

    replace: Replacement | None = None
    oversize: Oversize | None = None
    truncate: Truncation | None = None
    dribble: Dribble | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A fault. It meets requests to `endpoints` about `prompt`; of these, those that `nth`, `every`, `rate` pick."""

    name: str
    endpoints: frozenset[str] = frozenset()  # empty: any
    prompt: str | None = None  # of the job in question: a substring, or a glob
    nth: frozenset[int] = frozenset()  # counted from 1
    every: int | None = None
    rate: float | None = None
    times: int | None = None  # at most so often
    delay_s: float = 0.0  # before the gateway looks at the request
    delay_answer_s: float = 0.0  # after it did what was asked
    lose: Loss | None = None  # no answer: before anything was done, or after
    answer: Answer | None = None
    spoil: Spoil | None = None
    fate: Fate = USUAL  # of the job that a submit makes


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """All rules, and the seed of those that meet requests by chance. The first rule that has a say has it."""

    rules: tuple[Rule, ...] = ()
    seed: int = 0
