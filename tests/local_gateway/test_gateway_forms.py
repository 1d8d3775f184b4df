"""The forms that the contract's sources disagree about, each to be had, and each true of /openapi.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.local_gateway.options import AnswerForms, GatewayOptions

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("forms", "expected"),
    [
        ({}, {"created": 1790000000}),
        ({"created": "created_at"}, {"created_at": 1790000000}),
        ({"created": "created_at_iso"}, {"created_at": "2026-09-21T14:13:20Z"}),
        ({"object_field": True}, {"created": 1790000000, "object": "job"}),
        ({"modality_field": True}, {"created": 1790000000, "modality": "music"}),
    ],
    ids=str,
)
async def test_a_job_in_each_form(make_bench: Callable[..., Any], forms: Any, expected: dict[str, Any]) -> None:
    """Beside id, status and model."""
    bench = make_bench(forms=AnswerForms(**forms))
    job = (await bench.submit()).json()
    assert {key: value for key, value in job.items() if key not in ("id", "status", "model")} == expected


async def test_a_submit_may_be_answered_with_200(make_bench: Callable[..., Any]) -> None:
    """As the model page shows."""
    assert (await make_bench(forms=AnswerForms(submit_status=200)).submit()).status_code == 200


@pytest.mark.parametrize(
    ("forms", "keys"),
    [
        ({}, {"result": {"url", "duration"}}),
        ({"result": "result.file_url"}, {"result": {"file_url", "duration"}}),
        ({"result": "result_url"}, {"result_url": None}),
        ({"result_duration": False}, {"result": {"url"}}),
    ],
    ids=["url", "file_url", "result_url", "no duration"],
)
async def test_a_result_in_each_form(make_bench: Callable[..., Any], forms: Any, keys: dict[str, Any]) -> None:
    """Its audio's address under the name that was asked for."""
    job = await make_bench(forms=AnswerForms(**forms)).completed()
    found = {
        name: set(job[name]) if isinstance(job[name], dict) else None for name in ("result", "result_url") & job.keys()
    }
    assert found == keys


async def test_usage_figures_may_be_missing(make_bench: Callable[..., Any]) -> None:
    """Then a client has to compute what it was billed; the wallet knows."""
    bench = make_bench(usage_figures=False)
    assert "usage" not in await bench.completed()
    assert bench.books.charged_microusd == 2000


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ("object", {"code": "content_policy", "message": "no"}),
        ("string", "no"),
    ],
)
async def test_a_failure_in_each_form(make_bench: Callable[..., Any], form: Any, error: Any) -> None:
    """An object as documented, or a plain string as the official client has it."""
    bench = make_bench(forms=AnswerForms(job_error=form))
    bench.play("faults: [{endpoint: submit, job: {fail: {code: content_policy, message: 'no'}}}]")
    bench.transport.checking = True
    job = await bench.completed()
    assert (job["status"], job["error"]) == ("failed", error)


@pytest.mark.parametrize(("kept", "answers"), [(("delete",), [200, 404]), (("post",), [405, 200]), ((), [405, 404])])
async def test_a_cancel_form_may_be_missing(make_bench: Callable[..., Any], kept: Any, answers: list[int]) -> None:
    """The one that a gateway does not have is an unknown path, or a method that is not for it."""
    bench = make_bench(forms=AnswerForms(cancel=kept))
    job_id = await bench.job()
    found = [await bench.http.delete(f"/v1/jobs/{job_id}"), await bench.http.post(f"/v1/jobs/{job_id}/cancel")]
    assert [answer.status_code for answer in found] == answers


async def test_the_document_names_every_endpoint_and_is_served_without_a_key(bench: Any) -> None:
    """What the table can find is what the document describes."""
    document = (await bench.http.get("/openapi.json", headers={"Authorization": ""})).json()
    described = {
        (method.upper(), path) for path, item in document["paths"].items() for method in item.keys() - {"servers"}
    }
    table = bench.app._door._table
    plain = {(method, path) for (_, path), methods in table._plain.items() for method in methods}
    endpoints = [one for rows in table._patterns.values() for _, methods in rows for one in methods.values()]
    served = plain | {(one.method, one.path.replace(":path", "")) for one in endpoints}
    assert served <= described
    assert {row for row in described - served if row[0] != "HEAD"} == set()


@pytest.mark.parametrize("options", [{"latency_s": -1}, {"latency_s": float("nan")}, {"sigma": -0.1}, {"rpm": 0}])
async def test_figures_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    """Where they are chosen, not where they would be used."""
    with pytest.raises(ValueError, match="expected"):
        GatewayOptions(**options)
