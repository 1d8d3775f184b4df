"""How a local gateway behaves: every figure, and every form of answer that can be asked of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from pipeline.local_gateway.models import MODELS, MusicModel

CancelForm = Literal["delete", "post"]

DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class AnswerForms:
    """The forms that the contract's sources disagree about. The defaults are the local gateway's own."""

    submit_status: Literal[200, 202] = 202
    created: Literal["created", "created_at", "created_at_iso"] = "created"  # the last: `created_at` as ISO 8601
    object_field: bool = False  # "object": "job"
    modality_field: bool = False  # "modality": "music"
    result: Literal["result.url", "result.file_url", "result_url"] = "result.url"
    result_duration: bool = True  # `result.duration`; there is no place for it beside `result_url`
    address: Literal["signed", "file"] = "signed"  # file: the media origin's address that wants the key
    job_error: Literal["object", "string"] = "object"
    cancel: tuple[CancelForm, ...] = ("delete", "post")
    retry_after: Literal["seconds", "date"] = "seconds"
    gone_status: Literal[404, 410] = 404  # of a file past its seven days


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """Everything about a local gateway that can be chosen. Raises ValueError for a figure that makes no sense."""

    latency_s: float = 2.0  # a job's mean time from submit to completed, without the composing itself
    sigma: float = 0.25  # its spread: the lognormal's sigma; 0: every job takes the mean
    seed: int = 0  # of the spread: a request meets the same latency each time it is played
    rpm: int | None = 600  # requests a minute for each key; None: no limit
    min_poll_interval_s: float = 3.0  # a poll sooner after the one before is answered with 304
    idempotency: bool = True  # honour Idempotency-Key
    usage_figures: bool = True  # `usage.cost_cents` in a completed job
    wallet_cents: int = 100_000
    price_per_second_usd: Decimal | None = None  # of every model; None: each model's own
    cached_share: Decimal = Decimal("0.1")  # what a cache hit costs, as a share of the price
    cache_kept_s: float = DAY_S  # how long a result answers later requests for the same
    media_base_url: str = "http://media.gateway.local"
    webhook_secret: str = field(default="whsec_local", repr=False)
    models: tuple[MusicModel, ...] = MODELS
    forms: AnswerForms = field(default_factory=AnswerForms)

    def __post_init__(self) -> None:
        if not (math.isfinite(self.latency_s) and self.latency_s >= 0):
            raise ValueError(f"a job can't take {self.latency_s} s; expected a latency of 0 or more seconds")
        if not (math.isfinite(self.sigma) and self.sigma >= 0):
            raise ValueError(f"latencies can't spread by {self.sigma}; expected a sigma of 0 or more")
        if self.rpm is not None and self.rpm < 1:
            raise ValueError(f"{self.rpm} requests a minute are none; expected 1 or more, or None for no limit")

    def model(self, slug: str) -> MusicModel | None:
        """The model of that name."""
        return next((model for model in self.models if model.slug == slug), None)

    def price_usd(self, model: MusicModel) -> Decimal:
        """What a second of `model` costs here."""
        return model.price_per_second_usd if self.price_per_second_usd is None else self.price_per_second_usd
