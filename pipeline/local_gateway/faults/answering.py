"""Fault answers as responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from pipeline.local_gateway.faults.rules import Answer

_BODILESS: Final = (204, 304)
_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "insufficient_credits",
    403: "scope_exceeded",
    404: "not_found",
    429: "rate_limit_error",
    500: "server_error",
    502: "provider_error",
    503: "service_unavailable",
    504: "timeout_error",
}


def fault_response(answer: Answer) -> Response:
    """The response that a fault gives instead of the gateway."""
    headers = dict(answer.headers or {})
    if answer.status in _BODILESS:
        return Response(None, answer.status, headers)
    if answer.body is not None:
        return Response(answer.body, answer.status, headers)
    kind = _TYPES.get(answer.status, "server_error")
    error = {"message": f"a fault was asked for: {answer.status}", "type": kind, "code": kind}
    return JSONResponse({"error": error}, answer.status, headers)
