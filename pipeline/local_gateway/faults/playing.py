"""Which faults a request meets. The same requests in the same order meet the same ones, and so do the same prompts."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pipeline.local_gateway.fates import USUAL, Fate

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.local_gateway.calls import Call
    from pipeline.local_gateway.faults.rules import Answer, FaultPlan, Loss, Rule, Spoil


@dataclass(slots=True)
class Played:
    """What the faults that a request met do to it together."""

    delay_s: float = 0.0
    delay_answer_s: float = 0.0
    lose: Loss | None = None
    answer: Answer | None = None
    spoil: Spoil | None = None
    fate: Fate = USUAL

    def add(self, rule: Rule) -> None:
        """Add what `rule` does: delays add up, for the rest the first rule that has a say has it."""
        self.delay_s += rule.delay_s
        self.delay_answer_s += rule.delay_answer_s
        self.lose = self.lose or rule.lose
        self.answer = self.answer or rule.answer
        self.spoil = self.spoil or rule.spoil
        self.fate = rule.fate if self.fate == USUAL else self.fate


class FaultPlayer:
    """Plays a plan. `prompt_of` gives the prompt of a job by its id, or nothing."""

    def __init__(self, plan: FaultPlan, prompt_of: Callable[[str], str], played: Counter[str]) -> None:
        self._prompt_of = prompt_of
        self._played = played
        self.load(plan)

    def load(self, plan: FaultPlan) -> None:
        """Play `plan` from its beginning."""
        self._plan = plan
        self._met: Counter[str] = Counter()  # how many requests each rule could have met
        self._subjects: Counter[tuple[str, str]] = Counter()  # and of these, how many with one prompt
        self._times: Counter[str] = Counter()

    async def play(self, call: Call) -> Played | None:
        """The faults that this request meets."""
        if not self._plan.rules:
            return None
        prompt = await self._prompt(call)
        played = Played()
        for rule in self._plan.rules:
            if _concerns(rule, call.endpoint.name, prompt) and self._picks(rule, prompt):
                self._times[rule.name] += 1
                self._played[rule.name] += 1
                played.add(rule)
        return played

    def _picks(self, rule: Rule, prompt: str) -> bool:
        self._met[rule.name] += 1
        self._subjects[rule.name, prompt] += 1
        count = self._met[rule.name]
        if rule.times is not None and self._times[rule.name] >= rule.times:
            return False
        if rule.nth and count not in rule.nth:
            return False
        if rule.every is not None and count % rule.every:
            return False
        words = f"{self._plan.seed}/{rule.name}/{self._subjects[rule.name, prompt]}/{prompt}"
        return rule.rate is None or _chance(words) < rule.rate

    async def _prompt(self, call: Call) -> str:
        """The prompt of the job in question: what a submit says, or what the job in the path was made of."""
        if call.endpoint.name != "submit":
            job_id = call.params.get("id") or call.params.get("file", "").rpartition(".")[0]
            return self._prompt_of(job_id)
        try:
            document = json.loads(await call.body())
        except (ValueError, RecursionError):
            return ""
        prompt = document.get("prompt") if isinstance(document, dict) else None
        return prompt if isinstance(prompt, str) else ""


def _concerns(rule: Rule, endpoint: str, prompt: str) -> bool:
    if rule.endpoints and endpoint not in rule.endpoints:
        return False
    if rule.prompt is None:
        return True
    wanted, found = rule.prompt.casefold(), prompt.casefold()
    return fnmatchcase(found, wanted) if any(sign in wanted for sign in "*?[") else wanted in found


def _chance(words: str) -> float:
    """A number from 0 to below 1: always the same for the same words."""
    digest = hashlib.sha256(words.encode(errors="backslashreplace")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
