"""What a seed stands for: a gateway, a manifest, what goes wrong on the way, and when the program dies.

Everything is drawn before anything happens, so that a seed is the same story each time it is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from boundaries import BOUNDARIES, When

PRICE_USD: Final = 0.001
SIGNALS: Final = (130, 143)

_OVER_A_DAY_S: Final = 90_000.0  # addresses have expired, and keys are forgotten
_OVER_A_WEEK_S: Final = 700_000.0  # audio is gone

#: The order in which a run comes to its boundaries: one who dies twice dies later the second time.
STAGES: Final = (
    "opening", "intent", "POST", "id", "completion", "download", "source rename", "source on the books",
    "finish", "asset on the books", "asset rename", "lock", "index", "report", "closing",
)  # fmt: skip
assert set(STAGES) == set(BOUNDARIES)
#: Those that somebody comes to who chooses a take: the lock first, then what finishes it.
CHOOSING: Final = ("lock", "opening", "finish", "asset on the books", "asset rename", "index", "report", "closing")
_DEATHS: Final[tuple[tuple[str, When], ...]] = tuple((name, when) for name in STAGES for when in ("before", "after"))
#: Boundaries that a life comes to once.
_ONCE: Final = frozenset({"opening", "index", "report", "closing"})


@dataclass(frozen=True, slots=True)
class AtBoundary:
    """Dead when it comes to a boundary for the nth time."""

    name: str
    when: When
    nth: int


@dataclass(frozen=True, slots=True)
class AtEffect:
    """Dead instead of its nth effect: whatever is sent, written down, or done to a file."""

    nth: int


@dataclass(frozen=True, slots=True)
class AtSignal:
    """Told to stop after so many seconds; `again`: and, impatiently, once more."""

    after_s: float
    exit: int
    again: bool


End = AtBoundary | AtEffect | AtSignal | None


@dataclass(frozen=True, slots=True)
class Life:
    """One process: how it ends before its time, if it does, and how long nobody starts another."""

    end: End
    then_s: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """A seed's story."""

    seed: int
    backend: Literal["asyncio", "trio"]
    idempotency: bool
    usage_figures: bool
    latency_s: float
    rpm: int | None
    concurrency: int
    job_timeout_s: float
    budget_usd: float | None
    resend_unknown: bool
    takes: tuple[int, ...]  # of each track
    twins: bool  # the last track asks for the same as the first
    grouped: bool  # all tracks are levelled together
    fault_rate: float  # of each request
    fates: bool  # jobs that fail, never end, vanish, or come out longer
    lives: tuple[Life, ...]  # while things go wrong
    regenerate: tuple[Life, ...]  # and once it is all there, `--regenerate` of everything
    reroll: tuple[Life, ...] = ()  # then one more take of the first track
    choose: tuple[Life, ...] = ()  # and then somebody chooses another of its takes
    refresh: tuple[Life, ...] = ()  # and a day and a half later the first track is generated again

    @property
    def manifest(self) -> str:
        loudness = ", loudness: {group: all}" if self.grouped else ""
        budget = "" if self.budget_usd is None else f"budget: {self.budget_usd}\n"
        refresh = ", refresh: 1d" if self.refresh else ""
        tracks = [
            f"  t{number}: {{prompt: piece {self._prompt(number)}, takes: {takes}, duration: {1 + number % 3}"
            f"{loudness}{'' if number else refresh}}}\n"
            for number, takes in enumerate(self.takes)
        ]
        return (
            f"version: 1\nname: night\n{budget}"
            f"gateway: {{model: sony-ai/mmaudio-v2-text-to-audio, price_per_second: {PRICE_USD}, "
            f"concurrency: {self.concurrency}, job_timeout: {self.job_timeout_s}, "
            f"resend_unknown: {str(self.resend_unknown).lower()}}}\n"
            "defaults: {outputs: [wav]}\ntracks:\n" + "".join(tracks)
        )

    def _prompt(self, number: int) -> int:
        is_twin = self.twins and number == len(self.takes) - 1 and number % 3 == 0
        return 0 if is_twin else number


def scenario_of(seed: int) -> Scenario:
    """The story of `seed`."""
    random = Random(f"night {seed}")
    takes = random.choice([(1, 1, 1, 1), (2, 1, 1), (2, 2), (1, 1, 2, 1), (3, 1), (2, 1, 1, 1, 1), (1, 2, 1, 2)])
    seconds = sum((1 + number % 3) * count for number, count in enumerate(takes))
    regenerates = seed % 3 == 0
    deaths = _deaths(random, seed)
    return Scenario(
        seed=seed,
        backend="trio" if seed % 5 == 0 else "asyncio",
        idempotency=random.random() < 0.6,
        usage_figures=random.random() < 0.7,
        latency_s=random.choice([0.5, 5.0, 40.0]),
        rpm=random.choice([None, None, 60, 20]),
        concurrency=random.choice([1, 2, 2, 3, 8]),
        job_timeout_s=300.0,
        budget_usd=random.choice([None, None, round(seconds * PRICE_USD, 4), round(seconds * PRICE_USD * 3, 4)]),
        resend_unknown=random.random() < 0.85,
        takes=takes,
        twins=random.random() < 0.3,
        grouped=seed % 4 == 1,
        fault_rate=random.choice([0.0, 0.05, 0.15, 0.3]),
        fates=random.random() < 0.4,
        lives=() if regenerates else deaths,
        regenerate=deaths if regenerates else (),
        reroll=_deaths_of_one(Random(f"one more {seed}"), STAGES) if seed % 3 == 1 else (),
        choose=_deaths_of_one(Random(f"choice {seed}"), CHOOSING) if seed % 2 == 0 else (),
        refresh=_deaths_of_one(Random(f"a night later {seed}"), STAGES) if seed % 8 == 3 else (),
    )


def _deaths_of_one(random: Random, stages: tuple[str, ...]) -> tuple[Life, ...]:
    """Some lives that are about one take, each of which dies at one of `stages`, in the order it comes to them."""
    places = sorted(random.sample(range(2 * len(stages)), 3))
    ends = [AtBoundary(stages[place // 2], ("before", "after")[place % 2], nth=1) for place in places]
    return tuple(Life(end, random.choice([0.0, 1.0, 10.0])) for end in ends)


def _deaths(random: Random, seed: int) -> tuple[Life, ...]:
    """Some four lives that end before their time, or not; boundaries in the order a run comes to them."""
    places = sorted((seed * 3 + number * 7) % len(_DEATHS) for number in range(4))
    ends: list[End] = [
        AtBoundary(*_DEATHS[place], nth=1 if _DEATHS[place][0] in _ONCE else random.choice([1, 1, 1, 2, 3]))
        for place in places
    ]
    other = random.random()
    if other < 0.35:
        ends.insert(random.randrange(3), AtEffect(random.randrange(1, random.choice([60, 180]))))
    elif other < 0.7:
        at = AtSignal(random.uniform(0.0, 30.0), random.choice(SIGNALS), random.random() < 0.3)
        ends.insert(random.randrange(3), at)
    elif other < 0.8:
        ends.append(None)
    long = {0: _OVER_A_DAY_S, 1: _OVER_A_WEEK_S}.get(seed % 9, 4.0)
    return tuple(Life(end, random.choice([0.0, 1.0, 10.0, 90.0, long])) for end in ends)
