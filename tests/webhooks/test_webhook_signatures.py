"""Whose webhook is believed: of the documented signatures, made within five minutes of now, and new."""

from __future__ import annotations

import pytest
from hooks import NOON, SECRET, Standing, body_of, signature, signed
from starlette.datastructures import Headers

from pipeline.webhooks.signatures import BadSignature, Signatures

BODY = body_of()
GOOD = signature(BODY)
OTHER = signature(BODY, secret="whsec_old")


@pytest.fixture
def clock() -> Standing:
    return Standing()


@pytest.fixture
def signatures(clock: Standing) -> Signatures:
    return Signatures(SECRET, clock)


BELIEVED = {
    "the one form": {"X-Gateway-Signature": f"t={NOON},v1={GOOD}"},
    "the other form": {"aig-timestamp": str(NOON), "aig-signature": GOOD},
    "one of several signatures": {"x-gateway-signature": f"t={NOON}, v1={OTHER}, v1={GOOD}, v0=abc"},
    "hexadecimal in capitals": {"aig-timestamp": str(NOON), "aig-signature": GOOD.upper()},
    "one form of two": {
        "X-Gateway-Signature": f"t={NOON},v1={OTHER}",
        "aig-timestamp": str(NOON),
        "aig-signature": GOOD,
    },
}
REFUSED = {
    "no signature": ({}, "no signature"),
    "another secret": ({"X-Gateway-Signature": f"t={NOON},v1={OTHER}"}, "wrong"),
    "another time than was signed": ({"X-Gateway-Signature": f"t={NOON + 1},v1={GOOD}"}, "wrong"),
    "no time": ({"X-Gateway-Signature": f"v1={GOOD}"}, "no signature"),
    "two times": ({"X-Gateway-Signature": f"t={NOON},t={NOON},v1={GOOD}"}, "no signature"),
    "a time that is none": ({"aig-timestamp": "²", "aig-signature": GOOD}, "no signature"),
    "a time without an end": ({"aig-timestamp": "9" * 5000, "aig-signature": GOOD}, "no signature"),
    "half of a form": ({"aig-signature": GOOD}, "no signature"),
    "letters beyond ASCII": ({"aig-timestamp": str(NOON), "aig-signature": "ü" * 64}, "wrong"),
}


@pytest.mark.parametrize("form", BELIEVED)
def test_both_documented_forms_are_believed(signatures: Signatures, form: str) -> None:
    """Alone or beside each other, and while a secret is being changed for another."""
    signatures.check(Headers(BELIEVED[form]), BODY)


@pytest.mark.parametrize("case", REFUSED)
def test_whatever_else_is_refused_with_a_sentence(signatures: Signatures, case: str) -> None:
    """Nothing that a stranger sends raises anything else."""
    headers, why = REFUSED[case]
    with pytest.raises(BadSignature, match=why):
        signatures.check(Headers(headers), BODY)


def test_a_body_that_was_changed_is_refused(signatures: Signatures) -> None:
    """By a single byte."""
    with pytest.raises(BadSignature, match="wrong"):
        signatures.check(Headers(signed(BODY)), BODY + b" ")


@pytest.mark.parametrize(("late_s", "believed"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_five_minutes_either_way_are_now(
    signatures: Signatures, clock: Standing, late_s: float, believed: bool
) -> None:
    """Clocks differ; what is older may have been kept by anybody on the way."""
    clock.moment += late_s
    if believed:
        signatures.check(Headers(signed(BODY)), BODY)
    else:
        with pytest.raises(BadSignature, match="five minutes"):
            signatures.check(Headers(signed(BODY)), BODY)


def test_a_replay_is_refused_in_whichever_form_until_its_time_is_over(signatures: Signatures, clock: Standing) -> None:
    """A gateway that tells a second time signs it at another time."""
    ahead = NOON + 300
    signatures.check(Headers(signed(BODY, ahead)), BODY)
    for moment in (NOON, NOON + 599):
        clock.moment = moment
        with pytest.raises(BadSignature, match="before"):
            signatures.check(Headers({"aig-timestamp": str(ahead), "aig-signature": signature(BODY, ahead)}), BODY)
    signatures.check(Headers(signed(BODY, NOON + 500)), BODY)


def test_what_was_seen_is_forgotten_once_it_is_too_old_to_be_believed(signatures: Signatures, clock: Standing) -> None:
    """A night of webhooks takes no more memory than ten minutes of them, and forged ones none."""
    for minute in range(60):
        clock.moment = NOON + 60 * minute
        signatures.check(Headers(signed(BODY, clock.moment)), BODY)
        with pytest.raises(BadSignature):
            signatures.check(Headers(signed(BODY, clock.moment, "forged")), BODY)
    assert len(signatures._seen) <= 7


def test_the_secret_stands_in_no_message_and_no_representation(signatures: Signatures) -> None:
    """Whatever prints a value, or the trouble with it, prints no secret."""
    with pytest.raises(BadSignature) as caught:
        signatures.check(Headers(signed(BODY, secret="forged")), BODY)
    assert SECRET not in repr(caught.value) + repr(signatures) + repr(vars(signatures))
