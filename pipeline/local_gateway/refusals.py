"""Every way in which the gateway says no.

Refusal
├── InvalidRequest (400)
├── BadKey (401)
├── OutOfCredit (402)
├── OutOfScope (403)
├── NotFound (404)
│   └── ModelNotFound
├── MethodNotAllowed (405)
├── Gone (410)
├── TooManyRequests (429)
└── ComposerFailed (502)
TooSoon (304: no error, and no body)
ReplyLost: no answer at all
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping


class Refusal(Exception):
    """An answer in the gateway's error form: `status`, `type` and `code`; the text is the message."""

    status: ClassVar[int]
    type: ClassVar[str]
    default_code: ClassVar[str]

    def __init__(self, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code or self.default_code
        self.headers = dict(headers or {})


class InvalidRequest(Refusal):
    status, type, default_code = 400, "invalid_request_error", "invalid_request"


class BadKey(Refusal):
    status, type, default_code = 401, "authentication_error", "invalid_api_key"


class OutOfCredit(Refusal):
    status, type, default_code = 402, "insufficient_credits", "insufficient_credits"


class OutOfScope(Refusal):
    status, type, default_code = 403, "scope_exceeded", "scope_exceeded"


class NotFound(Refusal):
    status, type, default_code = 404, "not_found", "not_found"


class ModelNotFound(NotFound):
    type, default_code = "model_not_found", "model_not_found"


class MethodNotAllowed(Refusal):
    status, type, default_code = 405, "invalid_request_error", "method_not_allowed"


class Gone(Refusal):
    status, type, default_code = 410, "not_found", "file_gone"


class TooManyRequests(Refusal):
    status, type, default_code = 429, "rate_limit_error", "rate_limited"


class ComposerFailed(Refusal):
    status, type, default_code = 502, "provider_error", "composition_failed"


class TooSoon(Exception):
    """A poll sooner than the least time after the one before."""


class ReplyLost(Exception):
    """No answer, or no more of it: the connection closes here.

    It leaves the app on purpose. `serving` closes the socket; a transport that drives the app in-process turns it into
    a read error (with httpx: `ASGITransport` lets it through, and what stands around that raises `ReadError`).
    """
