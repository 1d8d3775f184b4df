"""What lies in a store: written, read again, and taken only for what it proves."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.fingerprints import asked_fingerprint
from pipeline.jobs import Intent, PurchaseKey
from pipeline.money import Basis
from pipeline.picks.values import Asked
from pipeline.store import documents
from pipeline.store.documents import (
    BadDocument,
    Claim,
    Lease,
    TakeRecord,
    claim_text,
    lease_text,
    read_claim,
    read_lease,
    read_record,
    record_text,
)

ASKED = Asked("some/model", "calm menu", "", refine_lyrics=False, duration=30.0, source_format="wav")
KEY = PurchaseKey(asked_fingerprint(ASKED), 2, 1)
RECORD = TakeRecord(
    KEY, ASKED, "0123456789abcdef" * 4, "wav", 5_292_044, 30.0, 44_100, 2, "https://api.aigateway.sh", "job_1", "key-1",
    30_000, Basis.USAGE, "build@ci-3", 1_790_000_000.25,
)  # fmt: skip
INTENT = Intent(
    KEY, "skyhaven", "menu", "real", "https://api.aigateway.sh", "some/model", 30.0, 30_000,
    b'{"prompt": "calm men\xc3\xbc"}', "skyhaven/menu", "key-1", "request-1",
)  # fmt: skip
CLAIM = Claim(KEY, "ledger-1", "build@ci-3", "ab" * 16, INTENT, 1_790_000_000.5)


@settings(deadline=None, database=None)  # the first has to make what reads them
@given(st.integers(0, 10**12), st.text(min_size=1), st.floats(0, 4e9))
def test_a_record_is_read_as_it_was_written(cost: int, who: str, at: float) -> None:
    """Whatever it cost, and whoever bought it when."""
    record = replace(RECORD, cost_microusd=cost, bought_by=who, bought_at=at)
    text = record_text(record) if who.isprintable() else record_text(replace(record, bought_by="x"))
    expected = record if who.isprintable() else replace(record, bought_by="x")
    assert read_record(text, KEY) == expected


@pytest.mark.parametrize("job", [(None, None), ("job_1", 1_790_000_001.0)], ids=["before its POST", "as a job"])
@pytest.mark.parametrize("state", ["open", "released", "fruitless"])
def test_a_claim_is_read_as_it_was_written(job: tuple[str | None, float | None], state: Any) -> None:
    """The bytes of its body are the very ones that were, or are to be, sent."""
    claim = replace(CLAIM, job_id=job[0], accepted_at=job[1], state=state)
    assert read_claim(claim_text(claim), KEY) == claim


def test_a_lease_is_read_as_it_was_written() -> None:
    """And no two texts of it are the same."""
    lease = Lease("ab" * 16, "build@ci-3", 300.0, 1)
    assert read_lease(lease_text(lease), lease.run) == lease
    assert lease_text(lease) != lease_text(replace(lease, renewals=2))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), 2), (("version",), "1"), (("fingerprint",), "0" * 64), (("take",), 1), (("regeneration",), 0),
        (("asked", "prompt"), "another"), (("asked", "duration"), 3600), (("asked",), None),
        (("sha256",), "../../../../etc/passwd"), (("sha256",), "0" * 63), (("format",), "mp3"), (("size",), 0),
        (("size",), -1), (("size",), "many"), (("cost_usd",), -1), (("cost_usd",), "NaN"), (("cost_usd",), True),
        (("cost_usd",), None), (("job_id",), None), (("bought_at",), "yesterday"), (("cost_basis",), "guessed"),
        (("cost_usd",), 10**30), (("size",), 10**30), (("bought_at",), 10**30), (("bought_at",), -1),
        (("bought_by",), "x" * 10_000), (("bought_by",), "\ud800"), (("origin",), "x" * 10_000), (("job_id",), ".."),
        (("job_id",), "\x1b[2J"), (("idempotency_key",), "a\r\nHost: b"), (("idempotency_key",), ""),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else repr(value)[:20],
)  # fmt: skip
def test_a_record_that_does_not_prove_what_it_is_about_is_none(path: tuple[str, ...], value: Any) -> None:
    """One clear sentence, which names the object."""
    document = json.loads(record_text(RECORD))
    place = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(BadDocument, match=r"^takes/.*/2\.1\.json: "):
        read_record(json.dumps(document).encode(), KEY)


@pytest.mark.parametrize(
    ("path", "value"),
    [(("run",), "../records"), (("run",), ""), (("intent",), None), (("intent", "body"), 5), (("take",), 3),
     (("state",), "mine"), (("intended_at",), None), (("intent", "estimate_usd"), "free"), (("intended_at",), -1),
     (("accepted_at",), 10**30), (("job_id",), ".."), (("job_id",), "x" * 10_000), (("machine",), "x" * 10_000),
     (("machine",), "\ud800"), (("intent", "idempotency_key"), "a\r\nHost: b"), (("intent", "request_id"), "\x1b"),
     (("intent", "cost_tag"), "a\r\nHost: b"), (("intent", "cost_tag"), "\xe9"),
     (("intent", "estimate_usd"), 10**30)],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else repr(value)[:20],
)  # fmt: skip
def test_a_claim_that_is_not_one_is_said(path: tuple[str, ...], value: Any) -> None:
    """It leads nowhere else in the store, and is about its own take."""
    document = json.loads(claim_text(CLAIM))
    place = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(BadDocument, match=r"^claims/.*/2\.1\.json: "):
        read_claim(json.dumps(document).encode(), KEY)


@settings(deadline=None, database=None)  # the first has to make what reads them
@given(st.binary(max_size=200) | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(
    lambda value: json.dumps(value).encode()))  # fmt: skip
def test_whatever_stands_there_is_one_sentence_at_most(content: bytes) -> None:
    """No traceback, for any bytes."""
    for read in (read_record, read_claim):
        with pytest.raises(BadDocument):
            read(content, KEY)


@pytest.mark.parametrize("amount", ["1e999999999", "1e400", "-1e999999999"])
def test_an_amount_that_no_machine_can_count_is_refused(amount: str) -> None:
    """It ends neither a plan nor a run."""
    content = record_text(RECORD).replace(b'"cost_usd": 0.03', f'"cost_usd": {amount}'.encode())
    with pytest.raises(BadDocument, match="no amount in dollars"):
        read_record(content, KEY)


def test_a_document_that_is_nested_without_end_is_refused() -> None:
    """It does not end the run."""
    with pytest.raises(BadDocument):
        read_record(b"[" * 900_000, KEY)


def test_a_document_is_read_by_what_was_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hundred thousand records, each would take pydantic longer to get ready for than the network to bring it."""
    monkeypatch.setattr(documents, "TypeAdapter", None)
    assert read_record(record_text(RECORD), KEY) == RECORD
    assert read_claim(claim_text(CLAIM), KEY) == CLAIM
