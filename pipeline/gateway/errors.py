"""What can go wrong between us and the gateway, and what each proves. Which of them is raised decides about money.

GatewayError                a request that did not bring what was asked for
├── NotTaken                surely not carried out: no job was made by it
│   ├── ConnectionNotMade   no connection: nothing was sent                               (may be sent again)
│   ├── RateLimited         429: sent too soon, not before `retry_after_s`                (may be sent again)
│   ├── GatewayBusy         500, 502, 503 in the gateway's own form                       (may be sent again)
│   ├── WaitTooLong         it may be sent again, but later than anybody waits for it
│   ├── InvalidRequest      400, 404, 413, 422 and the like: this track is wrong
│   ├── KeyRefused          401, 403: stop the run
│   └── OutOfCredit         402: stop submitting; what is paid for is still collected
├── AnswerUnknown           nobody knows whether a job was made                           (again, under its own key)
├── JobNotFound             404, 410 on a poll: the gateway has no such job
├── PollFailed              a question that got no usable answer; asking again is harmless
└── DownloadFailed          audio that did not come; it is paid for, and stays at the gateway
    ├── AddressExpired      401, 403, 404, 410: polling the job gives a fresh address     (may be fetched again)
    ├── HostRefused         the address is not one that audio may come from
    ├── TooLarge            more bytes than a take of this length can have
    ├── Truncated           fewer bytes, or more, than were announced                     (may be fetched again)
    └── NotAudio            empty, or a web page, or JSON                                 (may be fetched again)

Every message is one sentence that says what happened and what to do. None holds the key, or the query of a signed
address; what they quote from outside is short and printable. The caller puts the track's name before them.
"""

from __future__ import annotations

from typing import ClassVar, Final

#: A longer wait than this is not waited for, in seconds: it ends that track with a sentence, not the night.
LONGEST_WAIT_S: Final = 120.0


class GatewayError(Exception):
    """A request that did not bring what was asked for.

    `status`: the HTTP status, None where no answer came. `code`: one word for machines. `retry_after_s`: how long the
    gateway asks to wait, where it says so. `retryable`: whether the same request may do better later.
    """

    may_be_retried: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str = "",
        retry_after_s: float | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s
        self.retryable: bool = self.may_be_retried if retryable is None else retryable


class NotTaken(GatewayError):
    """The request was surely not carried out: no job was made by it."""


class ConnectionNotMade(NotTaken):
    """There was no connection: nothing was sent."""

    may_be_retried = True


class RateLimited(NotTaken):
    """429: too many requests a minute."""

    may_be_retried = True


class GatewayBusy(NotTaken):
    """500, 502 or 503, said by the gateway itself."""

    may_be_retried = True


class WaitTooLong(NotTaken):
    """The gateway asks for a longer wait than LONGEST_WAIT_S."""


class InvalidRequest(NotTaken):
    """The gateway can't do what was asked: this track is wrong."""


class KeyRefused(NotTaken):
    """401 or 403, or a key that can't be sent: stop the run."""


class OutOfCredit(NotTaken):
    """402: stop submitting. What is paid for is still collected."""


class AnswerUnknown(GatewayError):
    """Nobody knows whether a job was made: it may be sent again only as the same request, under the same key."""

    may_be_retried = True


class JobNotFound(GatewayError):
    """The gateway has no such job. Soon after its submit that proves nothing: the caller decides."""


class PollFailed(GatewayError):
    """A question that got no usable answer. Asking again is harmless."""

    may_be_retried = True


class DownloadFailed(GatewayError):
    """Audio that did not come. It is paid for, and stays at the gateway for some days."""


class AddressExpired(DownloadFailed):
    """The address no longer gives the audio: polling the job gives a fresh one."""

    may_be_retried = True


class HostRefused(DownloadFailed):
    """The address is not one that audio may come from."""


class TooLarge(DownloadFailed):
    """More bytes than a take of this length can have."""


class Truncated(DownloadFailed):
    """Fewer bytes, or more, than were announced."""

    may_be_retried = True


class NotAudio(DownloadFailed):
    """Empty, or a web page, or JSON."""

    may_be_retried = True
