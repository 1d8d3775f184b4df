"""What is sent to buy a take."""

from __future__ import annotations

import hashlib
import json

import pytest

from pipeline.gateway.requests import cost_tag, submit_body

ASKED = {
    "model": "sony-ai/mmaudio-v2-text-to-audio",
    "prompt": "Calm harp",
    "lyrics": "",
    "refine_lyrics": False,
    "duration_s": 30.0,
    "source_format": "wav",
}


def test_an_instrumental_says_so_and_sends_no_lyrics() -> None:
    """No lyrics, or only blanks: `is_instrumental` is true and there is no `lyrics` member."""
    for lyrics in ("", "  \n"):
        document = json.loads(submit_body(**{**ASKED, "lyrics": lyrics}))
        assert document["is_instrumental"] is True
        assert "lyrics" not in document


def test_lyrics_stay_as_they_are_written_unless_refining_is_asked_for() -> None:
    """The gateway rewrites lyrics by default: an advert's words are its client's."""
    sung = {**ASKED, "lyrics": " Spring is here,\nprices disappear "}
    plain = json.loads(submit_body(**sung))
    assert plain["lyrics"] == " Spring is here,\nprices disappear "
    assert (plain["lyrics_optimizer"], plain["is_instrumental"]) == (False, False)
    assert json.loads(submit_body(**{**sung, "refine_lyrics": True}))["lyrics_optimizer"] is True


def test_a_webhooks_address_is_sent_where_there_is_one() -> None:
    """And a body without one has none: not even an empty member."""
    assert b"webhook" not in submit_body(**ASKED)
    body = submit_body(**ASKED, webhook_url="https://hooks.example.com/music?a=1")
    assert json.loads(body)["webhook_url"] == "https://hooks.example.com/music?a=1"


@pytest.mark.parametrize(("duration_s", "sent"), [(30.0, b'"duration":30,'), (7.5, b'"duration":7.5,')])
def test_whole_seconds_are_sent_as_whole_numbers(duration_s: float, sent: bytes) -> None:
    """30.0 s and 30 s are one request."""
    assert sent in submit_body(**{**ASKED, "duration_s": duration_s})


def test_one_meaning_has_one_spelling() -> None:
    """The body is what is written down and sent again: sorted, without blanks, in UTF-8."""
    body = submit_body(**{**ASKED, "prompt": "Glück 🎻"})
    assert (
        body
        == (
            '{"duration":30,"format":"wav","is_instrumental":true,"lyrics_optimizer":false,'
            '"model":"sony-ai/mmaudio-v2-text-to-audio","prompt":"Glück 🎻"}'
        ).encode()
    )


@pytest.mark.parametrize(
    ("track", "tag"),
    [
        ("overworld/day", "skyhaven/overworld/day"),
        ("title (loud) 1+2", "skyhaven/title (loud) 1+2"),
        ("Höhle", "skyhaven/H%C3%B6hle"),
        ("a\r\nx-evil: 1", "skyhaven/a%0D%0Ax-evil: 1"),
        ("100%", "skyhaven/100%25"),
    ],
    ids=["plain", "punctuation stays", "beyond ASCII", "control characters", "percent itself"],
)
def test_a_cost_tag_is_a_name_that_a_header_can_carry(track: str, tag: str) -> None:
    """`<manifest>/<track>` in printable ASCII."""
    assert cost_tag("skyhaven", track) == tag


def test_a_long_cost_tag_ends_in_a_digest_of_the_whole() -> None:
    """64 characters are kept by the gateway: the first 55, `~`, and 8 digits that tell it from its neighbours."""
    track = "battle/" + "dragon" * 20
    whole = f"skyhaven/{track}"
    tag = cost_tag("skyhaven", track)
    assert tag == f"{whole[:55]}~{hashlib.sha256(whole.encode()).hexdigest()[:8]}"
    assert len(tag) == 64
    assert cost_tag("skyhaven", track + "2") != tag


def test_a_cost_tag_of_just_the_limit_is_kept_whole() -> None:
    """64 characters fit."""
    assert cost_tag("m", "t" * 62) == "m/" + "t" * 62
