"""What each endpoint does, between a call that was let in and its answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response

from pipeline.local_gateway.addresses import SIGNED_FOR_S
from pipeline.local_gateway.answers import job_document, model_document, schema_document
from pipeline.local_gateway.calls import Endpoint
from pipeline.local_gateway.composition import CompositionFailed
from pipeline.local_gateway.media import audio_response
from pipeline.local_gateway.money import cents
from pipeline.local_gateway.openapi import openapi_document
from pipeline.local_gateway.orders import read_order
from pipeline.local_gateway.refusals import ComposerFailed, InvalidRequest, ModelNotFound, OutOfScope
from pipeline.local_gateway.sender import sender_of
from pipeline.local_gateway.usage import month_of, usage_by_tag

if TYPE_CHECKING:
    from pipeline.local_gateway.addresses import Addresses
    from pipeline.local_gateway.calls import Call, Origin
    from pipeline.local_gateway.gateway import LocalGateway
    from pipeline.local_gateway.jobs import Job
    from pipeline.local_gateway.models import MusicModel
    from pipeline.local_gateway.studio import Studio

SHORTEST_SIGNED_S: Final = 60
LONGEST_SIGNED_S: Final = 604_800
_MEDIA: Final[frozenset[Origin]] = frozenset({"media"})
_BOTH: Final[frozenset[Origin]] = frozenset({"api", "media"})
_WHOLE_NUMBER: Final = re.compile(r"\d{1,9}", re.ASCII)


class Endpoints:
    """The contract's endpoints over one gateway's books."""

    def __init__(self, gateway: LocalGateway, studio: Studio, addresses: Addresses) -> None:
        self._gateway = gateway
        self._options = gateway.options
        self._studio = studio
        self._addresses = addresses

    def all(self) -> tuple[Endpoint, ...]:
        """The table of the contract; the first rows are those most asked for."""
        cancels = {
            "delete": Endpoint("cancel", "DELETE", "/v1/jobs/{id}", self.cancel),
            "post": Endpoint("cancel", "POST", "/v1/jobs/{id}/cancel", self.cancel),
        }
        return (
            Endpoint("poll", "GET", "/v1/jobs/{id}", self.poll),
            Endpoint("submit", "POST", "/v1/audio/music", self.submit),
            *(cancels[form] for form in self._options.forms.cancel),
            Endpoint("media", "GET", "/music/{file}", self.media, origins=_MEDIA, wants_key=False),
            Endpoint("file", "GET", "/v1/files/jobs/{id}/{file}", self.file, origins=_BOTH),
            Endpoint("sign", "GET", "/v1/files/jobs/{id}/{file}/signed", self.sign),
            Endpoint("balance", "GET", "/v1/balance", self.balance),
            Endpoint("usage", "GET", "/v1/usage/by-tag", self.usage),
            Endpoint("models", "GET", "/v1/models", self.models),
            Endpoint("schema", "GET", "/v1/models/{id:path}/schema", self.schema),
            Endpoint("model", "GET", "/v1/models/{id:path}", self.model),
            Endpoint("openapi", "GET", "/openapi.json", self.openapi, wants_key=False),
        )

    # --- jobs -------------------------------------------------------------------------------------------------------

    async def submit(self, call: Call) -> Response:
        order = read_order(await call.body(), call.request.headers, sender_of(call.key), self._options)
        accepted = self._gateway.submit(order, call.now, call.fate)
        headers: dict[str, str] = {"x-cache": accepted.job.cache}
        if accepted.replayed:
            headers["Idempotent-Replayed"] = "true"
        return JSONResponse(self.document(accepted.job, call.now), self._options.forms.submit_status, headers)

    async def poll(self, call: Call) -> Response:
        return JSONResponse(self.document(self._gateway.poll(call.params["id"], call.now), call.now))

    async def cancel(self, call: Call) -> Response:
        return JSONResponse(self.document(self._gateway.cancel(call.params["id"], call.now), call.now))

    def document(self, job: Job, now: float) -> dict[str, Any]:
        """The job as every answer has it, and every webhook."""
        status = job.status_at(now)
        address = self._addresses.result(job, now) if status == "completed" else None
        return job_document(job, status, address, self._options)

    # --- audio ------------------------------------------------------------------------------------------------------

    async def media(self, call: Call) -> Response:
        file_name, query = call.params["file"], call.request.query_params
        if not self._addresses.opens(file_name, query.get("expires", ""), query.get("signature", ""), call.now):
            raise OutOfScope("this address is not signed, or has expired; fetch the job again for a fresh one")
        return await self._audio(call, file_name.rpartition(".")[0], file_name)

    async def file(self, call: Call) -> Response:
        return await self._audio(call, call.params["id"], call.params["file"])

    async def _audio(self, call: Call, job_id: str, file_name: str) -> Response:
        job = self._gateway.file(job_id, file_name, call.now)
        try:
            audio = await self._studio.audio(job.piece)
        except CompositionFailed as error:
            raise ComposerFailed(str(error)) from error
        job.downloads += call.request.method == "GET"
        return audio_response(audio, job.piece.format, call.request.headers.get("range"))

    async def sign(self, call: Call) -> Response:
        job = self._gateway.file(call.params["id"], call.params["file"], call.now)
        asked = call.request.query_params.get("expires_in", str(SIGNED_FOR_S))
        if not _WHOLE_NUMBER.fullmatch(asked) or not SHORTEST_SIGNED_S <= int(asked) <= LONGEST_SIGNED_S:
            raise InvalidRequest(f"`expires_in` must be {SHORTEST_SIGNED_S} to {LONGEST_SIGNED_S} seconds")
        expires_at = int(call.now) + int(asked)
        url = self._addresses.signed(job, expires_at)
        return JSONResponse({"url": url, "expires_in": int(asked), "expires_at": expires_at})

    # --- money and models -------------------------------------------------------------------------------------------

    async def balance(self, _: Call) -> Response:
        return JSONResponse({"balance_cents": cents(self._gateway.balance_microusd), "currency": "usd"})

    async def usage(self, call: Call) -> Response:
        month = call.request.query_params.get("month") or month_of(call.now)
        return JSONResponse(usage_by_tag(self._gateway.books.jobs, month))

    async def models(self, _: Call) -> Response:
        rows = [model_document(model, self._options) for model in self._options.models]
        return JSONResponse({"object": "list", "data": rows})

    async def model(self, call: Call) -> Response:
        model = self._model(call)
        return JSONResponse(model_document(model, self._options) | {"schema": schema_document(model)})

    async def schema(self, call: Call) -> Response:
        return JSONResponse(schema_document(self._model(call)))

    def _model(self, call: Call) -> MusicModel:
        model = self._options.model(call.params["id"])
        if model is None:
            raise ModelNotFound(f"there is no model {call.params['id']!r}; GET /v1/models lists those that there are")
        return model

    async def openapi(self, _: Call) -> Response:
        return JSONResponse(openapi_document(self._options))
