"""Where audio lies: signed addresses that open for a while, and addresses that want the key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pipeline.local_gateway.options import DAY_S
from pipeline.local_gateway.signing import AddressSigner

if TYPE_CHECKING:
    from pipeline.local_gateway.calls import Origin
    from pipeline.local_gateway.jobs import Job
    from pipeline.local_gateway.options import GatewayOptions

SIGNED_FOR_S: Final = int(DAY_S)
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


class Addresses:
    """The addresses of finished audio, on the media origin."""

    def __init__(self, options: GatewayOptions, secret: bytes) -> None:
        self._signer = AddressSigner(secret)
        self._form = options.forms.address
        self._base_url = options.media_base_url.rstrip("/")
        self._media_host = _host(self._base_url)

    def origin_of(self, host: str) -> Origin:
        """The origin that a request with this `Host` header came to."""
        return "media" if host.lower() == self._media_host else "api"

    def result(self, job: Job, now: float) -> str:
        """What a completed job names: a fresh address each time it is asked."""
        if self._form == "file":
            return f"{self._base_url}/v1/files/jobs/{job.id}/{job.file_name}"
        return self.signed(job, int(now) + SIGNED_FOR_S)

    def signed(self, job: Job, expires_at: int) -> str:
        """An address that needs no key until `expires_at`, in seconds since 1970."""
        path = _path(job.file_name)
        return f"{self._base_url}{path}?{self._signer.query(path, expires_at)}"

    def opens(self, file_name: str, expires: str, signature: str, now: float) -> bool:
        """Whether a signed address with these words in its query opens the file at `now`."""
        return self._signer.opens(_path(file_name), expires, signature, now)


def _path(file_name: str) -> str:
    return f"/music/{file_name}"


def _host(base_url: str) -> str:
    """The `Host` header of requests to `base_url`."""
    parts = urlsplit(base_url)
    return parts.netloc.lower().removesuffix(_DEFAULT_PORTS.get(parts.scheme, ""))
