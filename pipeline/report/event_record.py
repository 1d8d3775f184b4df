"""Events as a log has them: one JSON object each. Scripts read it: keys are added, never renamed (docs/log.md)."""

from __future__ import annotations

import json
import math
import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from pipeline.money import as_usd
from pipeline.runner.events import MoneyMoved
from pipeline.times import timestamp

if TYPE_CHECKING:
    from pipeline.runner.events import Event
    from pipeline.runner.results import RunResult

_INNER_CAPITAL: Final = re.compile(r"(?<!^)(?=[A-Z])")
_MICROUSD: Final = "_microusd"


def event_record(event: Event, moment: float) -> dict[str, Any]:
    """What happened at `moment`, in seconds since 1970: when, the event's name, and its fields."""
    return {"time": _time(moment), "event": event_name(type(event)), **_fields(event)}


def ending_record(result: RunResult, moment: float) -> dict[str, Any]:
    """The last line of a run that came to its own end: how it went."""
    return {
        "time": _time(moment),
        "event": "run_ended",
        "exit": result.exit,
        "error": None if result.stop is None else result.stop.message,
        **result.counts,
        **_commitment(result.committed.reserved, result.committed.unknown, result.committed.billed),
        "seconds": round(result.seconds, 3),
    }


def event_name(event: type) -> str:
    """`TakeSubmitted` -> `take_submitted`."""
    return _INNER_CAPITAL.sub("_", event.__name__).lower()


def line_of(record: dict[str, Any]) -> bytes:
    """`record` as a line of a log: in ASCII, so that no name can break it or move a terminal's cursor."""
    return json.dumps(record).encode() + b"\n"


def is_record(line: bytes) -> bool:
    """Is `line` one of such a log?"""
    try:
        found = json.loads(line)
    except ValueError:
        return False
    return isinstance(found, dict) and {"time", "event"} <= found.keys()


def _time(moment: float) -> str:
    """ISO 8601 in UTC, with milliseconds."""
    thousandths = math.floor(moment * 1000)
    return f"{timestamp(thousandths // 1000).removesuffix('Z')}.{thousandths % 1000:03}Z"


def _fields(event: Event) -> dict[str, Any]:
    if isinstance(event, MoneyMoved):
        money = event.commitment
        return _commitment(money.reserved, money.unknown, money.billed)
    return dict(_told(field.name, getattr(event, field.name)) for field in fields(event))


def _commitment(reserved: int, unknown: int, billed: int) -> dict[str, float]:
    return {
        "billed_usd": as_usd(billed),
        "reserved_usd": as_usd(reserved),
        "possible_duplicate_usd": as_usd(unknown),
    }


def _told(name: str, value: Any) -> tuple[str, Any]:
    """A field in a log's units: dollars, and seconds to the thousandth."""
    if name.endswith(_MICROUSD):
        return name.removesuffix(_MICROUSD) + "_usd", None if value is None else as_usd(value)
    return name, round(value, 3) if isinstance(value, float) else value
