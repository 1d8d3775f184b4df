"""Which error an answer is, and what its message says: decided from the status and the body alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from pipeline.gateway.answers import read_error
from pipeline.gateway.errors import (
    LONGEST_WAIT_S,
    AnswerUnknown,
    ConnectionNotMade,
    GatewayBusy,
    GatewayError,
    InvalidRequest,
    JobNotFound,
    KeyRefused,
    NotTaken,
    OutOfCredit,
    PollFailed,
    RateLimited,
    WaitTooLong,
)
from pipeline.gateway.excerpts import excerpt
from pipeline.gateway.headers import rate_facts, retry_after_s

if TYPE_CHECKING:
    from pipeline.gateway.answers import Answer, ErrorFacts

#: What the gateway itself answers when it is busy, and no job was made.
_BUSY: Final = frozenset({HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE})
#: 4xx that do not say whether the request was carried out.
_UNSURE: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT})
_NO_LETTER: Final = "\N{REPLACEMENT CHARACTER}"
_FEW: Final = 10  # a text in another encoding has fewer such letters than one in so many


@dataclass(frozen=True, slots=True)
class Lost:
    """A request that brought no answer. `sent` False: it surely never left."""

    sent: bool
    reason: str


def submit_error(answer: Answer | Lost) -> NotTaken | AnswerUnknown:
    """What a submit that brought no readable job id proves."""
    if isinstance(answer, Lost):
        return _lost_submit(answer)
    status, facts = answer.status, read_error(answer)
    wait_s = wait_asked_s(answer)
    if answer.is_refusal and status not in _UNSURE:
        return _refusal(answer, facts, wait_s)
    if status in _BUSY and facts.is_the_gateways_own:
        if wait_s is not None and wait_s > LONGEST_WAIT_S:
            return _too_long(answer, wait_s)
        message = f"{described(answer)}: the gateway is in trouble; no job was made, it is asked again"
        return GatewayBusy(message, status=status, code=facts.word, retry_after_s=wait_s)
    return AnswerUnknown(
        f"{described(answer)}: a job may have been made, and its id is not known; only asking again under the same "
        "key can tell",
        status=status,
        code=facts.word or "unreadable_answer",
        retry_after_s=None if wait_s is None else min(wait_s, LONGEST_WAIT_S),
    )


def poll_error(answer: Answer | Lost) -> GatewayError:
    """What a question that brought no usable answer proves."""
    if isinstance(answer, Lost):
        return _lost_question(answer)
    status, facts, wait_s = answer.status, read_error(answer), wait_asked_s(answer)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return _refusal(answer, facts, wait_s)
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE) and facts.message is not None:
        return JobNotFound(f"{described(answer)}: the gateway has no such job", status=status, code=facts.word)
    if wait_s is not None and wait_s > LONGEST_WAIT_S:
        return _too_long(answer, wait_s)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _refusal(answer, facts, wait_s)
    is_final = answer.is_refusal and status not in _UNSURE and facts.is_the_gateways_own
    return PollFailed(
        f"{described(answer)}: the gateway did not say how the job stands",
        status=status,
        code=facts.word or "unreadable_answer",
        retry_after_s=wait_s,
        retryable=not is_final,
    )


def usage_error(answer: Answer | Lost) -> GatewayError:
    """What a question about spending that brought no usable answer proves."""
    if isinstance(answer, Lost):
        return _lost_question(answer)
    status, facts = answer.status, read_error(answer)
    if status == HTTPStatus.UNAUTHORIZED:
        return _refusal(answer, facts, None)
    if status == HTTPStatus.FORBIDDEN:
        return KeyRefused(
            f"{described(answer)}: the key is not allowed to read what was spent; use one whose scopes cover usage, "
            "and run again",
            status=status,
            code=facts.word or "scope_exceeded",
        )
    what = "answered in a form that is not known" if answer.is_success else "did not say what was spent"
    return PollFailed(
        f"{described(answer)}: the gateway {what}",
        status=status,
        code=facts.word or "unreadable_answer",
        retry_after_s=wait_asked_s(answer),
    )


def wait_asked_s(answer: Answer) -> float | None:
    """How long the gateway asks to wait: by `Retry-After`, and after a 429 by the limit's own reset."""
    wait_s = retry_after_s(answer.headers, answer.received_at)
    if wait_s is None and answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return rate_facts(answer.headers).reset_s
    return wait_s


def described(answer: Answer) -> str:
    """An answer for a message: its status, what it calls itself, and the beginning of what it says."""
    facts = read_error(answer)
    if facts.word and facts.message and facts.message != facts.word:
        return f"{answer.status} {facts.word}: {facts.message}"
    if facts.word or facts.message:
        return f"{answer.status} {facts.word or facts.message}"
    text = answer.body.decode("utf-8", "replace")
    if "\0" in text or text.count(_NO_LETTER) * _FEW > len(text):
        return f"{answer.status} with something that is no text"  # as audio that came with an odd status
    said = excerpt(text.replace(_NO_LETTER, " "))
    return f'{answer.status} with "{said}"' if said else f"{answer.status} with nothing to read in it"


def _refusal(answer: Answer, facts: ErrorFacts, wait_s: float | None) -> NotTaken:
    status, said = answer.status, described(answer)
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return KeyRefused(
                f"{said}: the gateway does not accept the key; check AIGATEWAY_API_KEY and run again",
                status=status,
                code=facts.word or "authentication_error",
            )
        case HTTPStatus.FORBIDDEN:
            return KeyRefused(
                f"{said}: the key is not allowed to do this; use one whose scopes cover audio and jobs, and run again",
                status=status,
                code=facts.word or "scope_exceeded",
            )
        case HTTPStatus.PAYMENT_REQUIRED:
            return OutOfCredit(f"{said}: {_what_is_empty(facts)}", status=status, code=facts.word or "out_of_credit")
        case HTTPStatus.TOO_MANY_REQUESTS if wait_s is not None and wait_s > LONGEST_WAIT_S:
            return _too_long(answer, wait_s)
        case HTTPStatus.TOO_MANY_REQUESTS:
            return RateLimited(
                f"{said}: too many requests a minute; it was not taken and is sent again",
                status=status,
                code=facts.word or "rate_limited",
                retry_after_s=wait_s,
            )
    what = "check the model's name and the gateway's address" if status == HTTPStatus.NOT_FOUND else "change the track"
    return InvalidRequest(
        f"{said}: the gateway refuses this request; {what} and run again",
        status=status,
        code=facts.word or "invalid_request",
    )


def _what_is_empty(facts: ErrorFacts) -> str:
    if "budget_exceeded" in (facts.type, facts.code):
        return "the key's own budget at the gateway is used up; raise it there and run again"
    return "the wallet is empty; top it up and run again"


def _too_long(answer: Answer, wait_s: float) -> WaitTooLong:
    return WaitTooLong(
        f"{described(answer)}: the gateway asks to wait {wait_s:,.0f} s, longer than the {LONGEST_WAIT_S:g} s that a "
        "run waits; run again later",
        status=answer.status,
        code=read_error(answer).word or "wait_too_long",
        retry_after_s=wait_s,
    )


def _lost_submit(lost: Lost) -> ConnectionNotMade | AnswerUnknown:
    if not lost.sent:
        return ConnectionNotMade(
            f"no connection to the gateway ({lost.reason}); nothing was sent, it is sent again",
            code="connection_not_made",
        )
    return AnswerUnknown(
        f"the answer was lost ({lost.reason}): a job may have been made, and its id is not known; only asking again "
        "under the same key can tell",
        code="lost_answer",
    )


def _lost_question(lost: Lost) -> ConnectionNotMade | PollFailed:
    if not lost.sent:
        return ConnectionNotMade(f"no connection to the gateway ({lost.reason})", code="connection_not_made")
    return PollFailed(f"the answer was lost ({lost.reason})", code="lost_answer")
