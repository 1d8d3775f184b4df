"""What the API answers, read: every form that its sources list, and nothing believed that is not there. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from types import NoneType
from typing import TYPE_CHECKING, Final, Literal, cast

from pipeline.gateway.documents import members, number, read_json, text
from pipeline.gateway.excerpts import excerpt
from pipeline.gateway.headers import answered_at
from pipeline.money import from_cents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from pipeline.gateway.headers import Headers

Status = Literal["queued", "running", "completed", "failed", "cancelled", "other"]

_STATUSES: Final = frozenset({"queued", "running", "completed", "failed", "cancelled"})
_JOB_ID: Final = re.compile(r"(?!\.+$)[\x21-\x7e]{1,200}")  # `..` would lead out of /v1/jobs/
_ADDRESS: Final = re.compile(r"[\x21-\x7e]{1,8192}")
_MOST_CENTS: Final = 1e10
_LONGEST_PIECE_S: Final = 86_400.0
_FIRST_MOMENT, _LAST_MOMENT = 1e9, 1e10  # seconds since 1970: 2001 to 2286
_DEAREST_SECOND_USD: Final = 1_000.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came."""

    status: int
    headers: Headers  # their names in lower case
    body: bytes
    received_at: float  # by our own clock, in seconds since 1970

    @property
    def is_success(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_redirect(self) -> bool:
        return HTTPStatus.MULTIPLE_CHOICES <= self.status < HTTPStatus.BAD_REQUEST

    @property
    def is_refusal(self) -> bool:
        """A 4xx."""
        return HTTPStatus.BAD_REQUEST <= self.status < HTTPStatus.INTERNAL_SERVER_ERROR


@dataclass(frozen=True, slots=True)
class Accepted:
    """The gateway took a submit: there is a job. Times are the gateway's own, in seconds since 1970."""

    job_id: str
    created: float | None
    replayed: bool  # the gateway says that an earlier sending had made this job
    answered_at: float | None


@dataclass(frozen=True, slots=True)
class JobAnswer:
    """How a job stands. `other`: a status that we do not know, which is not an end."""

    job_id: str
    status: Status
    audio_url: str | None = None
    duration_s: float | None = None
    cost_microusd: int | None = None
    error: str | None = None
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """What an error says of itself; None where it says nothing."""

    type: str | None = None
    code: str | None = None
    message: str | None = None

    @property
    def is_the_gateways_own(self) -> bool:
        """Is it in the form that the gateway itself uses, and none of the proxies before it?"""
        return self.type is not None and self.message is not None

    @property
    def word(self) -> str:
        return self.code or self.type or ""


@dataclass(frozen=True, slots=True)
class TagSpend:
    """What was spent under one cost tag in a month. The tag is exactly as the gateway has it, or empty: for no tag."""

    tag: str
    requests: int | None
    cost_microusd: int


def read_accepted(answer: Answer) -> Accepted | None:
    """The job that a submit made; None unless its id can be read."""
    document = members(read_json(answer.body))
    job_id = document.get("id")
    states_an_error = bool(document.get("error")) and text(document.get("status")) is None
    if not (answer.is_success or answer.is_redirect) or states_an_error or not _is_job_id(job_id):
        return None
    return Accepted(
        job_id=str(job_id),
        created=_moment(document.get("created")) or _moment(document.get("created_at")),
        replayed=answer.headers.get("idempotent-replayed", "").strip().lower() == "true",
        answered_at=answered_at(answer.headers),
    )


def read_job(answer: Answer, job_id: str) -> JobAnswer | None:
    """How the job `job_id` stands; None where the answer does not say, or speaks of another job."""
    document = members(read_json(answer.body))
    status = text(document.get("status"))
    if not answer.is_success or status is None or document.get("id", job_id) != job_id:
        return None
    result = members(document.get("result"))
    duration = number(result.get("duration"), 0.001, _LONGEST_PIECE_S)
    error = error_facts(document.get("error"))
    return JobAnswer(
        job_id=job_id,
        status=_status(status),
        audio_url=_first_address((result.get("url"), result.get("file_url"), document.get("result_url"))),
        duration_s=None if duration is None else float(duration),
        cost_microusd=_microusd(members(document.get("usage")).get("cost_cents")),
        error=error.message,
        error_code=error.word or None,
    )


def read_error(answer: Answer) -> ErrorFacts:
    """The error in an answer's body: an object, a text, or nothing that can be read."""
    return error_facts(members(read_json(answer.body)).get("error"))


def error_facts(error: object) -> ErrorFacts:
    """An `error` member: `{"message", "type", "code"}`, or a text, which may be a web page."""
    if isinstance(error, str):
        return ErrorFacts(message=excerpt(error) or None)
    document = members(error)
    kind, code, message = (_quoted(document.get(name)) for name in ("type", "code", "message"))
    return ErrorFacts(kind, code, message or code)


def read_balance(answer: Answer) -> int | None:
    """What the wallet holds, in micro-dollars; None where the form is not known."""
    document = members(read_json(answer.body))
    currency = document.get("currency", "usd")
    if not answer.is_success or not isinstance(currency, str) or currency.lower() != "usd":
        return None
    return _microusd(document.get("balance_cents"), least=-_MOST_CENTS)


def read_price(answer: Answer) -> Decimal | None:
    """A model's price in dollars a second of audio; None where the form is not known."""
    pricing = members(members(read_json(answer.body)).get("pricing"))
    return number(pricing.get("per_second_usd"), 0.0, _DEAREST_SECOND_USD) if answer.is_success else None


def read_usage(answer: Answer) -> list[TagSpend] | None:
    """A month's spend by cost tag; None where the form is not known, of one row even: a sum without it is wrong."""
    document = read_json(answer.body)
    rows = document if isinstance(document, list) else members(document).get("data")
    if not answer.is_success or not isinstance(rows, list):
        return None
    spends = [_tag_spend(row) for row in rows]
    known = [spend for spend in spends if spend is not None]
    return known if len(known) == len(spends) else None


def read_signed_address(answer: Answer) -> str | None:
    """The signed address of a file: in the body, or where a redirect points."""
    document = members(read_json(answer.body))
    named = (document.get("url"), document.get("signed_url"), document.get("file_url"))
    if answer.is_redirect:
        return _first_address((answer.headers.get("location"),))
    return _first_address(named) if answer.is_success else None


def _quoted(value: object) -> str | None:
    said = text(value)
    return None if said is None else excerpt(said) or None


def _is_job_id(value: object) -> bool:
    return isinstance(value, str) and _JOB_ID.fullmatch(value) is not None


def _status(word: str) -> Status:
    word = word.strip().lower()
    return cast(Status, word) if word in _STATUSES else "other"


def _first_address(candidates: Iterable[object]) -> str | None:
    """The first that could be an address at all; whether it may be fetched is for the download to say."""
    return next((value for value in candidates if isinstance(value, str) and _ADDRESS.fullmatch(value)), None)


def _microusd(cents: object, least: float = 0.0) -> int | None:
    amount = number(cents, least, _MOST_CENTS)
    return None if amount is None else from_cents(amount)


def _moment(value: object) -> float | None:
    """Seconds since 1970 of a number of seconds or an ISO 8601 text."""
    seconds = number(value, _FIRST_MOMENT, _LAST_MOMENT)
    if seconds is not None:
        return float(seconds)
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _tag_spend(row: object) -> TagSpend | None:
    document: Mapping[str, object] = members(row)
    tag, cost = document.get("tag"), _microusd(document.get("cost_cents"))
    if not isinstance(tag, (str, NoneType)) or cost is None:
        return None
    requests = number(document.get("requests"), 0, 1e12)
    return TagSpend(tag or "", None if requests is None else int(requests), cost)
