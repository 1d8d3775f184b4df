"""What the gateway answers, as an OpenAPI 3.1 document, true of the forms that were chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.local_gateway.answers import submit_schema

if TYPE_CHECKING:
    from pipeline.local_gateway.options import AnswerForms, GatewayOptions

Schema = dict[str, Any]

_API: Final = {"url": "/"}
_TEXT: Final[Schema] = {"type": "string"}
_NUMBER: Final[Schema] = {"type": "number"}
_WHOLE: Final[Schema] = {"type": "integer"}


def openapi_document(options: GatewayOptions) -> dict[str, Any]:
    """The document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "AIgateway music API, the local gateway", "version": "1"},
        "servers": [_API],
        "security": [{"key": []}],
        "paths": _paths(options),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(options),
        },
    }


def _paths(options: GatewayOptions) -> dict[str, Any]:
    forms = options.forms
    cancel = _operation("Cancel a job", {"200": _json("Job")}, "id", refusals=(400, 404))
    job: dict[str, Any] = {"get": _poll()}
    paths: dict[str, Any] = {"/v1/audio/music": {"post": _submit(options)}, "/v1/jobs/{id}": job}
    if "delete" in forms.cancel:
        job["delete"] = cancel
    if "post" in forms.cancel:
        paths["/v1/jobs/{id}/cancel"] = {"post": cancel}
    audio = {"200": _audio("The file"), "206": _audio("A range of it"), "416": {"description": "No such range"}}
    media = {"url": options.media_base_url}
    gone = (404, forms.gone_status, 502)
    file = _operation("The audio, with the key", audio, "id", "file", refusals=gone)
    signed = _operation("The audio, by a signed address of the media origin", audio, "file", refusals=gone)
    signed["parameters"] += [_query("expires", _WHOLE), _query("signature", _TEXT)]
    sign = _operation("A fresh address", {"200": _json("Address")}, "id", "file", refusals=(400, *gone))
    sign["parameters"].append(_query("expires_in", {"type": "integer", "minimum": 60, "maximum": 604_800}))
    usage = _operation("Spend by tag", {"200": _json("Usage")}, refusals=(400,))
    usage["parameters"].append(_query("month", {"type": "string", "pattern": r"^\d{4}-\d{2}$"}))
    return paths | {
        "/v1/files/jobs/{id}/{file}": {"servers": [_API, media], "get": file, "head": file},
        "/v1/files/jobs/{id}/{file}/signed": {"get": sign},
        "/music/{file}": {"servers": [media], "get": signed, "head": signed},
        "/v1/balance": {"get": _operation("The wallet", {"200": _json("Balance")})},
        "/v1/usage/by-tag": {"get": usage},
        "/v1/models": {"get": _operation("All models", {"200": _json("Models")})},
        "/v1/models/{id}/schema": {"get": _operation("What it takes", {"200": _json()}, "id", refusals=(404,))},
        "/v1/models/{id}": {"get": _operation("A model", {"200": _json("Model")}, "id", refusals=(404,))},
        "/openapi.json": {"get": _operation("This document", {"200": _json()})},
    }


def _submit(options: GatewayOptions) -> dict[str, Any]:
    """The operation that makes a job."""
    accepted = _json("Job") | {"headers": {"x-cache": _header({"enum": ["hit", "miss"]})}}
    answers = {str(options.forms.submit_status): accepted}
    operation = _operation("Ask for a piece of music", answers, refusals=(400, 402, 404))
    operation["parameters"] += [
        {"name": "x-cache", "in": "header", "schema": {"enum": ["auto", "force", "skip"]}},
        {"name": "x-aig-tag", "in": "header", "schema": {"type": "string", "maxLength": 64}},
        {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255}},
    ]
    schema = submit_schema({"enum": [model.slug for model in options.models]}, "Seconds.")
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _poll() -> dict[str, Any]:
    too_soon = {"description": "Sooner than allowed after the poll before. No body."}
    return _operation("How a job stands", {"200": _json("Job"), "304": too_soon}, "id", refusals=(404,))


def _operation(summary: str, answers: dict[str, Any], *path: str, refusals: tuple[int, ...] = ()) -> dict[str, Any]:
    """An operation; 401, 403 and 429 can come from each."""
    refused = {str(status): _json("Error") for status in sorted({*refusals, 401, 403, 429})}
    parameters = [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in path]
    return {"summary": summary, "parameters": parameters, "responses": answers | refused}


def _query(name: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


def _header(schema: Schema) -> dict[str, Any]:
    return {"schema": schema}


def _json(name: str | None = None) -> dict[str, Any]:
    schema: Schema = {"type": "object"} if name is None else {"$ref": f"#/components/schemas/{name}"}
    return {"description": name or "JSON", "content": {"application/json": {"schema": schema}}}


def _audio(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"audio/mpeg": {}, "audio/wav": {}}}


def _object(required: dict[str, Schema], **optional: Schema) -> Schema:
    return {"type": "object", "required": sorted(required), "properties": {**required, **optional}}


def _schemas(options: GatewayOptions) -> dict[str, Schema]:
    error = _object({"message": _TEXT, "type": _TEXT, "code": _TEXT})
    model = _object({"id": _TEXT, "pricing": _object({"per_second_usd": _NUMBER})}, name=_TEXT, schema={})
    usage = _object({"tag": _TEXT, "requests": _WHOLE, "cost_cents": _NUMBER})
    return {
        "Job": _job(options),
        "Error": _object({"error": error}),
        "Address": _object({"url": _TEXT, "expires_in": _WHOLE, "expires_at": _WHOLE}),
        "Balance": _object({"balance_cents": _NUMBER, "currency": {"const": "usd"}}),
        "Usage": {"type": "array", "items": usage},
        "Model": model,
        "Models": _object({"data": {"type": "array", "items": {"$ref": "#/components/schemas/Model"}}}),
    }


def _job(options: GatewayOptions) -> Schema:
    """A job in the forms that were chosen: nothing that is not named here is in it."""
    forms = options.forms
    always: dict[str, Schema] = {
        "id": {"type": "string", "pattern": "^job_"},
        "status": {"enum": ["queued", "running", "completed", "failed", "cancelled"]},
        "model": _TEXT,
    }
    if forms.created == "created_at_iso":
        always["created_at"] = {"type": "string", "format": "date-time"}
    else:
        always[forms.created] = _WHOLE
    if forms.object_field:
        always["object"] = {"const": "job"}
    if forms.modality_field:
        always["modality"] = {"const": "music"}
    ended = _completed(options) | {"error": _job_error(forms)}
    job = _object(always, **ended) | {"additionalProperties": False}
    job["if"] = {"properties": {"status": {"const": "completed"}}}
    job["then"] = {"required": sorted(_completed(options))}
    return job


def _completed(options: GatewayOptions) -> dict[str, Schema]:
    """What a completed job has besides."""
    usage = {"usage": _object({"cost_cents": _NUMBER})} if options.usage_figures else {}
    forms = options.forms
    if forms.result == "result_url":
        return usage | {"result_url": _TEXT}
    result = {forms.result.removeprefix("result."): _TEXT}
    return usage | {"result": _object(result | ({"duration": _NUMBER} if forms.result_duration else {}))}


def _job_error(forms: AnswerForms) -> Schema:
    return _TEXT if forms.job_error == "string" else _object({"code": _TEXT, "message": _TEXT})
