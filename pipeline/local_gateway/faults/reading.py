"""A faults document, YAML or JSON, read into a plan.

```yaml
seed: 7                      # of what happens at a rate
faults:
  - endpoint: submit         # or a list: submit, poll, cancel, media, file, sign, balance, ...; left out: any
    prompt: dragon           # of the job: a substring, or a glob such as "*boss*"
    nth: 3                   # the third such request; or a list
    every: 10                # each tenth
    rate: 0.05               # one in twenty
    times: 2                 # at most twice
    delay: 1.5               # seconds before the gateway looks at it
    delay_answer: 40         # seconds between doing it and the answer
    lose: after              # no answer: before anything was done, or after
    answer: {status: 503, body: "<html>busy</html>", headers: {Retry-After: "2"}}   # json: instead of body:
    wrong: html              # another body under 200: html, empty, noise, silence
    oversize: 200000000      # bytes; or {size:, declared: false} for no Content-Length
    truncate: 0.5            # a share below 1, or bytes; or {share:, size:, declared: false}
    dribble: {size: 1000, pause: 0.5}
    job: {fail: true, endless: true, vanish: 20, latency: 90, slower: 3, length: 12, stretch: 0.5}
```
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import yaml

from pipeline.local_gateway.fates import USUAL, Fate, JobError
from pipeline.local_gateway.faults.fields import FaultMistake, Fields
from pipeline.local_gateway.faults.rules import (
    ENDPOINTS,
    Answer,
    Dribble,
    FaultPlan,
    Oversize,
    Replacement,
    Rule,
    Spoil,
    Truncation,
)
from pipeline.local_gateway.faults.wrong_media import WRONG_MEDIA

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.local_gateway.faults.rules import Loss

__all__ = ["FaultMistake", "read_faults", "read_faults_file"]

_LOSSES: Final[tuple[Loss, ...]] = ("before", "after")
_LOWEST_STATUS, _HIGHEST_STATUS = 200, 599


def read_faults_file(path: Path) -> FaultPlan:
    """The plan in a file. Raises FaultMistake, with the file's name; OSError."""
    try:
        return read_faults(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise FaultMistake(f"{path}: not text in UTF-8") from error


def read_faults(text: str, where: str) -> FaultPlan:
    """The plan that `text` writes down. `where`: what messages call it. Raises FaultMistake."""
    try:
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = "" if mark is None else f":{mark.line + 1}:{mark.column + 1}"
        raise FaultMistake(f"{where}{place}: not readable as YAML: {error.problem or error.context}") from error
    except RecursionError as error:
        raise FaultMistake(f"{where}: not readable as YAML: nested too deeply") from error
    except (yaml.YAMLError, ValueError) as error:  # the last: a date or a number that is none
        problem = " ".join(str(error).split())
        raise FaultMistake(f"{where}: not readable as YAML: {problem}") from error
    fields = Fields({} if document is None else document, where)
    seed = fields.whole("seed") or 0
    rows = fields.many("faults")
    fields.done()
    rules = tuple(_rule(fields.part(row, f"faults[{index}]"), index) for index, row in enumerate(rows))
    names = Counter(rule.name for rule in rules)
    if names and names.most_common(1)[0][1] > 1:
        raise fields.mistake(f"two faults are called {names.most_common(1)[0][0]!r}; each needs a name of its own")
    return FaultPlan(rules, seed)


def _rule(fields: Fields, index: int) -> Rule:
    rule = Rule(
        name=fields.text("name") or f"faults[{index}]",
        endpoints=_endpoints(fields),
        prompt=fields.text("prompt"),
        nth=_counts(fields),
        every=fields.whole("every", least=1),
        rate=fields.number("rate", most=1),
        times=fields.whole("times"),
        delay_s=fields.number("delay") or 0.0,
        delay_answer_s=fields.number("delay_answer") or 0.0,
        lose=fields.word("lose", _LOSSES),
        answer=_answer(fields),
        spoil=_spoil(fields),
        fate=_fate(fields),
    )
    fields.done()
    if rule.fate != USUAL and rule.endpoints != {"submit"}:
        raise fields.mistake("`job` is decided when it is submitted; write `endpoint: submit`")
    return rule


def _endpoints(fields: Fields) -> frozenset[str]:
    named = fields.many("endpoint")
    for name in named:
        if name not in ENDPOINTS:
            raise fields.mistake(f"there is no {name!r}; there are {', '.join(ENDPOINTS)}", "endpoint")
    return frozenset(named)


def _counts(fields: Fields) -> frozenset[int]:
    counts = fields.many("nth")
    if not all(isinstance(count, int) and not isinstance(count, bool) and count > 0 for count in counts):
        raise fields.mistake("expected a count from 1, or a list of them", "nth")
    return frozenset(counts)


def _answer(fields: Fields) -> Answer | None:
    given = fields.take("answer")
    if given is None:
        return None
    part = fields.part(given, "answer")
    status = part.whole("status", least=_LOWEST_STATUS, most=_HIGHEST_STATUS)
    body, document = part.text("body"), part.take("json")
    headers = part.part(part.take("headers") or {}, "headers").texts()
    part.done()
    if status is None:
        raise part.mistake("`status` is required")
    if document is not None:
        try:
            content = json.dumps(document, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise part.mistake(f"not JSON ({error}); a date, for one, wants quotes", "json") from error
        return Answer(status, content, {"content-type": "application/json", **headers})
    return Answer(status, None if body is None else body.encode(), headers)


def _spoil(fields: Fields) -> Spoil | None:
    wrong = fields.word("wrong", WRONG_MEDIA)
    spoil = Spoil(
        replace=None if wrong is None else Replacement(*WRONG_MEDIA[wrong]),
        oversize=_oversize(fields),
        truncate=_truncation(fields),
        dribble=_dribble(fields),
    )
    return None if spoil == Spoil() else spoil


def _oversize(fields: Fields) -> Oversize | None:
    part = _part(fields, "oversize", "size")
    if part is None:
        return None
    size, declared = part.whole("size", least=1), part.flag("declared", default=True)
    part.done()
    if size is None:
        raise part.mistake("`size` is required")
    return Oversize(size, declared)


def _truncation(fields: Fields) -> Truncation | None:
    given = fields.peek("truncate")
    is_share = isinstance(given, float) and given < 1
    part = _part(fields, "truncate", "share" if is_share else "size")
    if part is None:
        return None
    share, size = part.number("share", most=1), part.whole("size")
    declared = part.flag("declared", default=True)
    part.done()
    if (share is None) == (size is None):
        raise part.mistake("expected either `share` or `size`")
    return Truncation(share, size, declared)


def _dribble(fields: Fields) -> Dribble | None:
    given = fields.take("dribble")
    if given is None:
        return None
    part = fields.part(given, "dribble")
    size, pause_s = part.whole("size", least=1), part.number("pause")
    part.done()
    if size is None or pause_s is None:
        raise part.mistake("`size` (bytes) and `pause` (seconds) are required")
    return Dribble(size, pause_s)


def _part(fields: Fields, name: str, short: str) -> Fields | None:
    """The mapping under `name`; a number alone stands for one with only `short` in it."""
    given = fields.take(name)
    if given is None:
        return None
    whole = given if isinstance(given, dict) else {short: given}
    return fields.part(whole, name)


def _fate(fields: Fields) -> Fate:
    given = fields.take("job")
    if given is None:
        return USUAL
    part = fields.part(given, "job")
    fate = Fate(
        error=_job_error(part),
        endless=part.flag("endless", default=False),
        vanishes_after_s=part.number("vanish"),
        latency_s=part.number("latency"),
        latency_factor=_or_one(part.number("slower")),
        length_s=part.number("length"),
        length_factor=_or_one(part.number("stretch")),
    )
    part.done()
    return fate


def _or_one(factor: float | None) -> float:
    return 1.0 if factor is None else factor


def _job_error(fields: Fields) -> JobError | None:
    given: Any = fields.take("fail")
    if given is None or given is False:
        return None
    usual = JobError()
    if given is True:
        return usual
    part = fields.part(given, "fail")
    error = JobError(part.text("code") or usual.code, part.text("message") or usual.message)
    part.done()
    return error
