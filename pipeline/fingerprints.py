"""The two fingerprints: what is paid for, and what is free to repeat (docs/money.md).

They decide what is bought, so their content never changes within manifest version 1: a key is only ever added where
leaving it out means what it meant before.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from pipeline.audio.settings import Finishing, Loop, Loudness, Output, Trim, canonical

if TYPE_CHECKING:
    from pipeline.jobs import Kind
    from pipeline.manifest.tracks import Track
    from pipeline.picks.values import Asked

#: A plan asks for the same ones again and again; two kinds of each track of the longest manifest.
_MOST_REMEMBERED: Final = 200_000
_ENCODER: Final = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def paid_fingerprint(track: Track, kind: Kind) -> str:
    """Of what the gateway is asked for. Neither its address, nor the track's name, nor which take it is."""
    return _paid_digest(
        kind,
        track.model,
        track.prompt,
        track.lyrics,
        track.refine_lyrics,
        float(track.duration_s),
        track.source_format,
    )


@lru_cache(maxsize=_MOST_REMEMBERED)
def _paid_digest(  # noqa: PLR0917 - all by place, as a cache wants them
    kind: Kind,
    model: str,
    prompt: str | None,
    lyrics: str,
    refine_lyrics: bool,  # noqa: FBT001 - as above
    duration: float,
    source_format: str,
) -> str:
    return _digest(
        {
            "version": 1,
            "kind": kind,
            "model": model,
            "prompt": prompt,
            "lyrics": lyrics,
            "refine_lyrics": refine_lyrics,
            "duration": duration,
            "source_format": source_format,
        }
    )


def asked_fingerprint(asked: Asked) -> str:
    """The paid fingerprint of what a lock says that the real gateway was asked for: it can be proven from the lock."""
    return _paid_digest(
        "real", asked.model, asked.prompt, asked.lyrics, asked.refine_lyrics, asked.duration, asked.source_format
    )


def recording_fingerprint(sha256: str) -> str:
    """Of a person's recording: its content stands where a purchase would."""
    return f"file:{sha256}"


def finishing_fingerprint(track: Track, output: Output, steps: tuple[str, ...] = ()) -> str:
    """Of all that is done to a source to make this output of `track`; `steps`: the names of the user's own."""
    return _finishing(track.finishing, output, steps)[1]


def finishing_record(track: Track, output: Output, steps: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the finishing fingerprint covers, without what stands at its default: the index keeps it beside that.

    It is everybody's who asks for the same, and not to be changed.
    """
    return _finishing(track.finishing, output, steps)[0]


@lru_cache(maxsize=1000)
def _finishing(finishing: Finishing, output: Output, steps: tuple[str, ...]) -> tuple[dict[str, Any], str]:
    """The record of so finishing something, and its fingerprint."""
    document = {"version": 1, "finishing": canonical(finishing), "output": canonical(output)}
    record = document | ({"steps": list(steps)} if steps else {})
    return record, fingerprint_of(record)


def fingerprint_of(record: dict[str, Any]) -> str:
    """The finishing fingerprint that is made of `record`."""
    return _digest(record)


def recorded_settings(
    record: dict[str, Any] | None, fingerprint: str
) -> tuple[Finishing, Output, tuple[str, ...]] | None:
    """What `record` was made of, which leaves out what stands at its default: finishing, output, the user's own steps.

    None where it is not what `fingerprint` was made of, since anybody may have edited the index, or is of a newer
    version, with settings of its own.
    """
    if record is None or fingerprint_of(record) != fingerprint:
        return None
    try:
        settings = dict(record["finishing"])
        for name, kind in (("trim", Trim), ("loop", Loop), ("loudness", Loudness)):
            if settings.get(name) is not None:
                settings[name] = kind(**settings[name])
        settings["gates"] = tuple((gate, action) for gate, action in settings.get("gates", ()))
        return Finishing(**settings), Output(**record["output"]), tuple(record.get("steps", ()))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def judging_fingerprint(track: Track, steps: tuple[str, ...] = ()) -> str:
    """Of all by which a take of `track` is found fit or unfit: its finishing, gates among it; 16 hex digits."""
    document = {"version": 1, "finishing": canonical(_heard(track))}
    return _digest(document | ({"steps": steps} if steps else {}))[:16]


def serial_seed(track: Track, source_sha256: str) -> str:
    """What Ogg streams' serials come from: the track's finishing and its source, whatever else is made with them."""
    return _digest({"version": 1, "finishing": canonical(_heard(track))})[:32] + source_sha256[:32]


def member_fingerprint(track: Track, paid: str, take: int, regeneration: int, steps: tuple[str, ...] = ()) -> str:
    """Of what `track` brings to its group's joint loudness: which purchase, and all that shapes it; 16 hex digits.

    `paid`: its paid fingerprint, which covers what it was asked to be.
    """
    shaping = canonical(replace(_heard(track), loudness=Loudness(), gates=()))
    document = {"version": 1, "paid": paid, "take": take, "regeneration": regeneration, "shaping": shaping}
    return _digest(document | ({"steps": steps} if steps else {}))[:16]


def _heard(track: Track) -> Finishing:
    """All of the track's finishing that its sound depends on: what its files say about it is no part of that."""
    return replace(track.finishing, mark="iptc")


def _digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(_ENCODER.encode(document).encode()).hexdigest()
