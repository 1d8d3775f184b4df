"""Every form of answer in the contract, read; and what no contract allows, survived."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipeline.gateway.answers import (
    TagSpend,
    read_accepted,
    read_balance,
    read_error,
    read_job,
    read_price,
    read_signed_address,
    read_usage,
)
from pipeline.gateway.headers import RateFacts, http_date, rate_facts, retry_after_s

QUEUED = {"id": "job_abc123", "status": "queued", "model": "m", "created": 1776947082}
DONE = {"id": "job_1", "status": "completed"}


class TestAccepted:
    @pytest.mark.parametrize(
        ("status", "body", "created"),
        [
            (202, QUEUED, 1776947082.0),
            (200, QUEUED, 1776947082.0),
            (201, {"id": "job_abc123"}, None),
            (202, {"id": "job_abc123", "object": "job", "modality": "music", "created_at": 1776947082}, 1776947082.0),
            (202, {"id": "job_abc123", "created_at": "2026-04-23T12:24:42Z"}, 1776947082.0),
            (202, {"id": "job_abc123", "created": "yesterday"}, None),
            (202, {"id": "job_abc123", "created": 1e300}, None),
            (303, QUEUED, 1776947082.0),
            (202, {"id": "job_abc123", "status": "failed", "error": "no"}, None),
        ],
        ids=[
            *("202", "200", "only an id", "created_at", "created_at as text", "created unreadable", "created absurd"),
            *("a redirect that holds the job", "a job that failed at once is a job"),
        ],
    )
    def test_the_job_is_read_from_every_form(self, answer, status, body, created) -> None:
        """200 or 202, with the variants seen."""
        accepted = read_accepted(answer(status, body))
        assert accepted is not None
        assert (accepted.job_id, accepted.created, accepted.replayed) == ("job_abc123", created, False)

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (200, b""),
            (200, b"<html><body>Welcome</body></html>"),
            (202, []),
            (202, {"status": "queued"}),
            (202, {"id": 17}),
            (202, {"id": ""}),
            (202, {"id": "job abc"}),
            (202, {"id": "job_é"}),
            (202, {"id": "j" * 201}),
            (202, {"id": ".."}),
            (200, {"id": "req_1", "error": {"message": "overloaded"}}),
            (202, b'{"id": "job_1"'),
            (202, b"\xff\xfe\x00"),
            (202, b"[" * 100_000),
            (202, b'{"id": ' + b"9" * 5_000 + b"}"),
            (409, QUEUED),
            (500, QUEUED),
        ],
        ids=[
            *("empty", "HTML under 200", "a list", "no id", "a number", "an empty id", "a blank in it", "not ASCII"),
            *("endless id", "an id that leads elsewhere", "an error under 200", "cut off", "not text", "nested"),
            *("an endless number", "409", "500"),
        ],
    )
    def test_without_a_readable_id_there_is_no_job(self, answer, status, body) -> None:
        """Nothing is guessed, and nothing odd escapes as another exception."""
        assert read_accepted(answer(status, body)) is None

    def test_a_replay_and_the_gateways_own_time_are_read_from_the_headers(self, answer) -> None:
        """They decide whether an earlier sending may have made a second job."""
        headers = {"idempotent-replayed": "True", "date": "Thu, 23 Apr 2026 12:24:42 GMT"}
        accepted = read_accepted(answer(202, QUEUED, headers))
        assert accepted is not None
        assert (accepted.replayed, accepted.answered_at) == (True, 1776947082.0)


class TestJobs:
    @pytest.mark.parametrize(
        "where",
        [{"result": {"url": "URL"}}, {"result": {"file_url": "URL"}}, {"result_url": "URL"}],
        ids=["result.url", "result.file_url", "result_url"],
    )
    def test_the_audios_address_is_found_wherever_it_stands(self, answer, where) -> None:
        """The model page, the documentation and the official client each name another member."""
        job = read_job(answer(200, DONE | where), "job_1")
        assert job is not None
        assert (job.status, job.audio_url) == ("completed", "URL")

    @pytest.mark.parametrize(
        "result",
        [None, {}, [], "x", {"url": None}, {"url": 5}, {"url": ""}, {"url": "a b"}, {"url": "https://x/\n"}],
        ids=str,
    )
    def test_an_address_that_is_none_is_not_one(self, answer, result) -> None:
        """The job is completed all the same; the caller asks again for its address."""
        job = read_job(answer(200, DONE | {"result": result}), "job_1")
        assert job is not None
        assert (job.status, job.audio_url) == ("completed", None)

    @pytest.mark.parametrize(
        ("cents", "microusd"),
        [
            (3, 30_000),
            (1.5, 15_000),
            (0.00001, 1),
            (0, 0),
            (-1, None),
            (True, None),
            ("3", None),
            (None, None),
            (1e300, None),
        ],
        ids=str,
    )
    def test_cents_become_micro_dollars_exactly_and_rounded_up(self, answer, cents, microusd) -> None:
        """`cost_cents` may be a fraction; an absurd one is as good as none."""
        job = read_job(answer(200, DONE | {"usage": {"cost_cents": cents}}), "job_1")
        assert job is not None
        assert job.cost_microusd == microusd

    @pytest.mark.parametrize("body", [b'{"id":"job_1","status":"completed","usage":{"cost_cents":1E+99999999}}'])
    def test_a_number_that_would_fill_the_memory_is_not_computed(self, answer, body) -> None:
        """Its exponent is looked at first."""
        job = read_job(answer(200, body), "job_1")
        assert job is not None
        assert job.cost_microusd is None

    @pytest.mark.parametrize(
        ("duration", "seconds"), [(30, 30.0), (29.97, 29.97), ("30", None), (-1, None), (1e9, None), (None, None)]
    )
    def test_the_duration_is_read_where_it_is_one(self, answer, duration, seconds) -> None:
        """In seconds."""
        job = read_job(answer(200, DONE | {"result": {"duration": duration}}), "job_1")
        assert job is not None
        assert job.duration_s == seconds

    @pytest.mark.parametrize(
        ("error", "message", "code"),
        [
            ({"code": "content_policy", "message": "not this"}, "not this", "content_policy"),
            ({"type": "provider_error", "message": "it broke"}, "it broke", "provider_error"),
            ({"code": "provider_error"}, "provider_error", "provider_error"),
            ("it broke", "it broke", None),
            ("<html><style>p {}</style><h1>502</h1>Bad&nbsp;</html>", "502 Bad&nbsp;", None),
            ("ev\x1b[31mil\u202e \ud800", "ev [31mil", None),
            (None, None, None),
            (["x"], None, None),
            ({"message": 5}, None, None),
        ],
        ids=["object", "with a type", "only a code", "text", "HTML", "control characters", "none", "list", "number"],
    )
    def test_why_a_job_failed_is_read_from_an_object_a_text_or_a_page(self, answer, error, message, code) -> None:
        """The documentation shows an object, the official client a plain text."""
        job = read_job(answer(200, {"id": "job_1", "status": "failed", "error": error}), "job_1")
        assert job is not None
        assert (job.status, job.error, job.error_code) == ("failed", message, code)

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("queued", "queued"),
            ("running", "running"),
            ("completed", "completed"),
            ("failed", "failed"),
            ("cancelled", "cancelled"),
            ("Running", "running"),
            ("warming_up", "other"),
        ],
    )
    def test_a_status_that_is_not_known_is_not_an_end(self, answer, word, status) -> None:
        """Unknown statuses and members are tolerated."""
        job = read_job(answer(200, {"id": "job_1", "status": word, "progress": 0.5, "eta": {}}), "job_1")
        assert job is not None
        assert job.status == status

    @pytest.mark.parametrize(
        "body",
        [b"", b"<html>", {"id": "job_1"}, {"id": "job_1", "status": 5}, {"id": "job_2", "status": "running"}, [1]],
        ids=["empty", "HTML", "no status", "a number", "another job", "a list"],
    )
    def test_what_does_not_say_how_this_job_stands_is_no_answer(self, answer, body) -> None:
        """A page, a fragment, or news of another job."""
        assert read_job(answer(200, body), "job_1") is None


class TestMoneyAndModels:
    @pytest.mark.parametrize(
        ("body", "microusd"),
        [
            ({"balance_cents": 100_000, "currency": "usd"}, 1_000_000_000),
            ({"balance_cents": -50}, -500_000),
            ({"balance_cents": 100, "currency": "eur"}, None),
            ({"balance": 10}, None),
            (b"", None),
        ],
        ids=["local", "overdrawn", "another currency", "another form", "empty"],
    )
    def test_a_balance_in_a_form_that_is_not_known_is_none(self, answer, body, microusd) -> None:
        """It is not an error."""
        assert read_balance(answer(200, body)) == microusd

    @pytest.mark.parametrize(
        ("body", "price"),
        [
            ({"id": "m", "pricing": {"per_second_usd": 0.0010}}, Decimal("0.001")),
            ({"pricing": {"per_second_usd": 0}}, Decimal(0)),
            ({"pricing": {"per_second_usd": -1}}, None),
            ({"pricing": "cheap"}, None),
            ({}, None),
        ],
        ids=["local", "free", "negative", "another form", "empty"],
    )
    def test_a_price_is_an_exact_decimal_or_none(self, answer, body, price) -> None:
        """0.0010 is a tenth of a cent, not a binary fraction near it."""
        assert read_price(answer(200, body)) == price

    @pytest.mark.parametrize("wrapped", [False, True], ids=["a list", "under data"])
    def test_spend_by_tag_is_read_with_its_tags_as_they_stand(self, answer, wrapped) -> None:
        """They are compared with the ledger's, letter by letter; spending without a tag has an empty one."""
        rows = [
            {"tag": "sky  haven/<day>?a=b", "requests": 3, "cost_cents": 1.5},
            {"tag": None, "requests": 1, "cost_cents": 1},
            {"cost_cents": 2},
        ]
        spend = read_usage(answer(200, {"data": rows} if wrapped else rows))
        assert spend == [
            TagSpend("sky  haven/<day>?a=b", 3, 15_000),
            TagSpend("", 1, 10_000),
            TagSpend("", None, 20_000),
        ]

    @pytest.mark.parametrize("row", [{"tag": "x"}, {"tag": "x", "cost_cents": "1"}, {"tag": 7, "cost_cents": 1}, 7])
    def test_spend_with_a_row_that_can_not_be_read_is_none(self, answer, row) -> None:
        """A sum that leaves it out would be wrong, and no rows at all is something else."""
        assert read_usage(answer(200, [{"tag": "skyhaven/day", "cost_cents": 1.5}, row])) is None
        assert read_usage(answer(200, [])) == []

    def test_nothing_is_read_from_an_error(self, answer) -> None:
        """Whatever stands in its body."""
        failed = answer(500, {"balance_cents": 1, "pricing": {"per_second_usd": 1}, "data": []})
        assert (read_balance(failed), read_price(failed), read_usage(failed)) == (None, None, None)

    @pytest.mark.parametrize(
        ("status", "body", "headers", "address"),
        [
            (200, {"url": "https://a/b"}, {}, "https://a/b"),
            (200, {"signed_url": "https://a/b"}, {}, "https://a/b"),
            (307, b"", {"location": "https://a/b"}, "https://a/b"),
            (200, {"href": "https://a/b"}, {}, None),
            (404, {"url": "https://a/b"}, {}, None),
        ],
    )
    def test_a_signed_address_is_in_the_body_or_where_a_redirect_points(
        self, answer, status, body, headers, address
    ) -> None:
        """The contract names the question, not the answer's form."""
        assert read_signed_address(answer(status, body, headers)) == address


def test_an_error_that_says_nothing_is_read_as_nothing(answer) -> None:
    """Some proxies answer HTML or nothing at all, under any status."""
    for body in (b"", b"<html>502</html>", {"message": "Internal"}, [1], b'"x"'):
        assert read_error(answer(502, body)).is_the_gateways_own is False


class TestHeaders:
    @pytest.mark.parametrize(
        ("headers", "wait_s"),
        [
            ({}, None),
            ({"retry-after": "12"}, 12.0),
            ({"retry-after": " 0.5 "}, 0.5),
            ({"retry-after": "-3"}, None),
            ({"retry-after": "soon"}, None),
            ({"retry-after": "nan"}, None),
            ({"retry-after": "Thu, 23 Apr 2026 12:25:12 GMT", "date": "Thu, 23 Apr 2026 12:24:42 GMT"}, 30.0),
            ({"retry-after": "Thu, 23 Apr 2026 12:25:12 GMT"}, 25.0),
            ({"retry-after": "Thu, 23 Apr 2020 00:00:00 GMT"}, 0.0),
            ({"retry-after": "Thu, 99 Apr 2026 12:25:12 GMT"}, None),
        ],
        ids=[
            *("none", "seconds", "a fraction", "negative", "a word", "not a number", "a date by the answer's own"),
            *("a date by our clock", "a date gone by", "no date"),
        ],
    )
    def test_retry_after_is_seconds_or_a_date(self, headers, wait_s) -> None:
        """A date counts from the answer's own `Date`: the gateway's clock may not be ours."""
        assert retry_after_s(headers, now=1776947087.0) == wait_s

    def test_an_http_date_is_in_utc_whatever_it_says(self) -> None:
        """`-0000` means that no zone is known."""
        assert http_date("Thu, 23 Apr 2026 12:24:42 -0000") == http_date("Thu, 23 Apr 2026 12:24:42 GMT")

    @pytest.mark.parametrize(
        ("headers", "facts"),
        [
            ({}, RateFacts()),
            (
                {
                    "x-ratelimit-limit-requests": "600",
                    "x-ratelimit-remaining-requests": "0",
                    "x-ratelimit-reset-requests": "12.5",
                },
                RateFacts(600, 0, 12.5),
            ),
            (
                {"x-ratelimit-limit-requests": "600, 600;w=60", "x-ratelimit-reset-requests": "12s"},
                RateFacts(600, None, 12.0),
            ),
            ({"x-ratelimit-limit-requests": "0", "x-ratelimit-remaining-requests": "many"}, RateFacts()),
            ({"x-ratelimit-reset-requests": "6m0s"}, RateFacts()),
        ],
        ids=["none", "the contract's", "with a policy", "absurd", "another unit"],
    )
    def test_what_is_said_about_the_limit_is_read_where_it_can_be(self, headers, facts) -> None:
        """Forms that are not known say nothing."""
        assert rate_facts(headers) == facts
