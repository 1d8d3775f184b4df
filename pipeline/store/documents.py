"""What lies in a store beside audio: records of takes, claims on them, and leases of runs, as JSON. Pure.

Whatever is read may have been written by a newer version, by hand, or by somebody who means harm: it is taken for what
it says only where it is complete, and where it proves what it is about.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from pipeline.fingerprints import asked_fingerprint
from pipeline.jobs import Intent, PurchaseKey  # noqa: TC001 - pydantic reads them
from pipeline.money import Basis, as_usd, budget_from_usd
from pipeline.picks.values import Asked  # noqa: TC001 - as above
from pipeline.store_choice import NoStore

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = 1
#: The longest prompt and lyrics there may be, twice over, in the longest spelling that JSON has for them.
MOST_BYTES: Final = 1_000_000
_RUN: Final = re.compile(r"[0-9a-f]{8,64}")
#: Keys and ids: they stand in headers and in addresses, where `..` would lead elsewhere.
_ID: Final = re.compile(r"(?!\.+$)[\x21-\x7e]{1,200}")
_COST_TAG: Final = re.compile(r"[\x20-\x7e]{0,64}")
#: So many characters of people, machines and origins are shown; so many dollars, bytes and seconds since 1970 are any.
_LONGEST_NAME: Final = 300
_MOST_USD: Final = 10**8
_LARGEST_SOURCE: Final = 10**10
_LAST_MOMENT: Final = 1e11
T = TypeVar("T")

ClaimState = Literal["open", "released", "fruitless"]


class BadDocument(NoStore):
    """Something in the store that is not what stands at its place. Its text is one sentence."""


@dataclass(frozen=True, slots=True)
class TakeRecord:
    """A take that somebody paid for, and where its source lies. Times are seconds since 1970."""

    key: PurchaseKey
    asked: Asked
    sha256: str
    format: str
    size: int
    duration_s: float
    sample_rate: int
    channels: int
    origin: str  # of the gateway that made it
    job_id: str
    idempotency_key: str
    cost_microusd: int
    cost_basis: Basis
    bought_by: str  # who, and on which machine
    bought_at: float  # when its source came home


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody is about to buy a take, or is at it: with which words and key, and as which job.

    `run` names the lease that it lives by. `released`: its holder has given it up, and whoever comes goes on with its
    key; `fruitless`: nothing came of it and nothing was charged, so that whoever comes begins anew.
    """

    key: PurchaseKey
    holder: str  # the ledger that has it on its books
    machine: str
    run: str
    intent: Intent
    intended_at: float  # by the holder's clock
    job_id: str | None = None
    accepted_at: float | None = None
    state: ClaimState = "open"


@dataclass(frozen=True, slots=True)
class Lease:
    """A run that is alive as long as its lease is renewed."""

    run: str
    machine: str
    lease_s: float
    renewals: int  # so that no two texts of it are the same


# --- where they lie ---------------------------------------------------------------------------------------------------

MARKER_PATH: Final = "music-asset-store.json"


def record_path(key: PurchaseKey) -> str:
    return f"takes/{_place(key)}"


def claim_path(key: PurchaseKey) -> str:
    return f"claims/{_place(key)}"


def lease_path(run: str) -> str:
    return f"runs/{run}.json"


def source_path(sha256: str, audio_format: str) -> str:
    return f"sources/{sha256[:2]}/{sha256}.{audio_format}"


def _place(key: PurchaseKey) -> str:
    return f"{key.fingerprint[:2]}/{key.fingerprint}/{key.take}.{key.regeneration}.json"


# --- written ----------------------------------------------------------------------------------------------------------


def marker_text() -> bytes:
    """What shows a store of ours, and which form of it."""
    return _text({})


def record_text(record: TakeRecord) -> bytes:
    document = asdict(record) | record.key._asdict()
    cost = {"cost_usd": as_usd(document.pop("cost_microusd"))}
    return _text({name: value for name, value in (document | cost).items() if name != "key"})


def claim_text(claim: Claim) -> bytes:
    document = asdict(claim) | claim.key._asdict()
    intent = {name: value for name, value in document.pop("intent").items() if name != "key"}
    intent |= {"body": claim.intent.body.decode(), "estimate_usd": as_usd(intent.pop("estimate_microusd"))}
    return _text({name: value for name, value in (document | {"intent": intent}).items() if name != "key"})


def lease_text(lease: Lease) -> bytes:
    return _text(asdict(lease))


def _text(document: Mapping[str, Any]) -> bytes:
    return json.dumps({"version": VERSION, **document}, indent=1, ensure_ascii=False).encode() + b"\n"


# --- read -------------------------------------------------------------------------------------------------------------


def check_marker(content: bytes) -> None:
    """Raise BadDocument for a store of another form."""
    _document(content, MARKER_PATH)


def read_record(content: bytes, key: PurchaseKey) -> TakeRecord:
    """The record of `key`. Raises BadDocument, also for one that is about something else."""
    path = record_path(key)
    document = _document(content, path)
    document["cost_microusd"] = _microusd(document.pop("cost_usd", None), path)
    record = _as(TakeRecord, document | {"key": _key_of(document)}, path)
    is_hash = len(record.sha256) == len(key.fingerprint) and set(record.sha256) <= set("0123456789abcdef")
    if record.key != key or asked_fingerprint(record.asked) != key.fingerprint or not is_hash:
        raise BadDocument(f"{path}: it is about another take; {_WHAT_TO_DO}")
    is_sound = record.format == record.asked.source_format and 0 < record.size <= _LARGEST_SOURCE
    are_ids = _are_ids(record.job_id, record.idempotency_key)
    if not (is_sound and are_ids and _are_names(record.bought_by, record.origin) and _are_moments(record.bought_at)):
        raise BadDocument(f"{path}: what it says can't be; {_WHAT_TO_DO}")
    return record


def read_claim(content: bytes, key: PurchaseKey) -> Claim:
    """The claim on `key`. Raises BadDocument, also for one that is about something else."""
    path = claim_path(key)
    document = _document(content, path)
    found = document.get("intent")
    if not isinstance(found, dict) or not isinstance(found.get("body"), str):
        raise BadDocument(f"{path}: its intent is missing; {_WHAT_TO_DO}")
    intent = found | {
        "key": _key_of(document),
        "body": found["body"].encode(),
        "estimate_microusd": _microusd(found.get("estimate_usd"), path),
    }
    claim = _as(Claim, document | {"key": _key_of(document), "intent": intent}, path)
    if claim.key != key or not _RUN.fullmatch(claim.run):
        raise BadDocument(f"{path}: it is about another take, or another run's; {_WHAT_TO_DO}")
    sent = claim.intent
    are_ids = _are_ids(sent.idempotency_key, sent.request_id) and (claim.job_id is None or _are_ids(claim.job_id))
    are_moments = _are_moments(claim.intended_at, claim.accepted_at or 0.0)
    are_names = _are_names(claim.machine, claim.holder, sent.origin)
    if not (are_ids and are_moments and are_names and _COST_TAG.fullmatch(sent.cost_tag)):
        raise BadDocument(f"{path}: what it says can't be; {_WHAT_TO_DO}")
    return claim


def read_lease(content: bytes, run: str) -> Lease:
    """The lease of `run`. Raises BadDocument."""
    return _as(Lease, _document(content, lease_path(run)), lease_path(run))


_WHAT_TO_DO: Final = "put right what stands there, or remove it"


def _document(content: bytes, path: str) -> dict[str, Any]:
    try:
        document = json.loads(content, parse_float=Decimal, parse_constant=_no_number)
        json.dumps(document, ensure_ascii=False, default=str).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise BadDocument(f"{path}: it is no JSON document; {_WHAT_TO_DO}") from error
    if not isinstance(document, dict):
        raise BadDocument(f"{path}: it is no JSON object; {_WHAT_TO_DO}")
    version = document.get("version")
    if version != VERSION:
        which = f"of version {version}" if isinstance(version, int) else "of no known version"
        raise BadDocument(f"{path}: it is {which}, and this program reads {VERSION}; install a newer version")
    return document


def _no_number(word: str) -> None:
    raise ValueError(word)


def _key_of(document: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return (document.get("fingerprint"), document.get("take"), document.get("regeneration"))


def _microusd(usd: object, path: str) -> int:
    if isinstance(usd, (int, Decimal)) and not isinstance(usd, bool) and 0 <= usd <= _MOST_USD:
        return budget_from_usd(Decimal(usd))
    raise BadDocument(f"{path}: it has no amount in dollars; {_WHAT_TO_DO}")


def _are_ids(*words: str) -> bool:
    return all(_ID.fullmatch(word) for word in words)


def _are_names(*words: str) -> bool:
    return all(len(word) <= _LONGEST_NAME for word in words)


def _are_moments(*moments: float) -> bool:
    return all(0 <= moment <= _LAST_MOMENT for moment in moments)


#: Made once, and where there is a store: to make one takes a hundred times longer than to read a document by it.
_READERS: Final[dict[type, TypeAdapter[Any]]] = {}


def _as(kind: type[T], document: Mapping[str, Any], path: str) -> T:
    try:
        if kind not in _READERS:
            _READERS[kind] = TypeAdapter(kind)
        return cast(T, _READERS[kind].validate_python(dict(document)))
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise BadDocument(f"{path}: {where} is missing or wrong; {_WHAT_TO_DO}") from error
