"""Jobs, models and refusals as JSON, in the forms that the options ask for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline.local_gateway.money import cents

if TYPE_CHECKING:
    from pipeline.local_gateway.fates import JobError
    from pipeline.local_gateway.jobs import Job
    from pipeline.local_gateway.models import MusicModel
    from pipeline.local_gateway.options import AnswerForms, GatewayOptions
    from pipeline.local_gateway.refusals import Refusal


def job_document(job: Job, status: str, address: str | None, options: GatewayOptions) -> dict[str, Any]:
    """The job as an answer. `address`: where its audio is, once it is completed."""
    forms = options.forms
    document: dict[str, Any] = {"id": job.id, "status": status, "model": job.piece.model}
    if forms.object_field:
        document["object"] = "job"
    if forms.modality_field:
        document["modality"] = "music"
    document |= _created(job.created_at, forms)
    if status == "completed":
        document |= _result(job, address, forms)
        if options.usage_figures:
            document["usage"] = {"cost_cents": cents(job.charged_microusd)}
    if status == "failed" and job.error is not None:
        document["error"] = _job_error(job.error, forms)
    return document


def _created(created_at: float, forms: AnswerForms) -> dict[str, Any]:
    if forms.created == "created_at_iso":
        return {"created_at": datetime.fromtimestamp(int(created_at), UTC).isoformat().replace("+00:00", "Z")}
    return {forms.created: int(created_at)}


def _result(job: Job, address: str | None, forms: AnswerForms) -> dict[str, Any]:
    if forms.result == "result_url":
        return {"result_url": address}
    result: dict[str, Any] = {forms.result.removeprefix("result."): address}
    if forms.result_duration:
        result["duration"] = job.piece.duration_s
    return {"result": result}


def _job_error(error: JobError, forms: AnswerForms) -> Any:
    return error.message if forms.job_error == "string" else {"code": error.code, "message": error.message}


def error_document(refusal: Refusal) -> dict[str, Any]:
    return {"error": {"message": str(refusal), "type": refusal.type, "code": refusal.code}}


def model_document(model: MusicModel, options: GatewayOptions) -> dict[str, Any]:
    """A model with its price; its schema is `schema_document`."""
    return {
        "id": model.slug,
        "object": "model",
        "name": model.name,
        "modality": "music",
        "owned_by": model.slug.partition("/")[0],
        "pricing": {"per_second_usd": float(options.price_usd(model))},
    }


def schema_document(model: MusicModel) -> dict[str, Any]:
    """What a submit to `model` may say, as JSON Schema."""
    span = f"Seconds. Moved into {model.shortest_s:g} to {model.longest_s:g}."
    own = " The model chooses its own length near it." if model.own_length else ""
    return submit_schema({"const": model.slug}, span + own)


def submit_schema(model: dict[str, Any], about_duration: str) -> dict[str, Any]:
    """A submit's body as JSON Schema. `model`: the schema of the slug."""
    return {
        "type": "object",
        "required": ["model", "prompt"],
        "properties": {
            "model": model,
            "prompt": {"type": "string", "minLength": 1},
            "lyrics": {"type": "string"},
            "is_instrumental": {"type": "boolean", "default": False},
            "lyrics_optimizer": {"type": "boolean", "default": True},
            "duration": {"type": "number", "exclusiveMinimum": 0, "default": 30, "description": about_duration},
            "format": {"enum": ["mp3", "wav"], "default": "mp3"},
            "webhook_url": {"type": "string", "format": "uri"},
        },
    }
