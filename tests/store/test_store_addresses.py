"""What a store's address may be, and what the environment says of how it is reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.store_choice import StoreAccess, StoreMistake, store_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("s3://game-music/library", "s3://game-music/library"),
        (" s3://game-music/library/ ", "s3://game-music/library"),
        ("gs://game_music.studio", "gs://game_music.studio"),
        ("az://music/a/b", "az://music/a/b"),
        ("team", "/studio/game/team"),
        ("../team", "/studio/team"),
        ("/mnt/team/", "/mnt/team"),
        ("a folder/ü", "/studio/game/a folder/ü"),
    ],
)
def test_an_address_has_one_spelling(text: str, address: str) -> None:
    """A folder's is absolute, from where it was written."""
    assert store_address(text, Path("/studio/game")) == address


@pytest.mark.parametrize(
    "text",
    ["ftp://host/x", "https://bucket.s3.amazonaws.com", "s3:bucket", "s3://", "s3://Ab", "s3://bucket/a//b",
     "s3://bucket/../other", "s3://bucket/a b", "s3://bucket/%2e%2e", "file:///tmp/x", "memory://x", "", "a\0b",
     "s3://[bucket/x"],
)  # fmt: skip
def test_what_is_no_address_is_a_mistake(text: str) -> None:
    """With what was expected."""
    with pytest.raises(StoreMistake, match="expected s3://bucket/prefix"):
        store_address(text, Path("/studio"))


@pytest.mark.parametrize(
    "text",
    ["s3://AKIA:wJalr@bucket/x", "az://container/x?sig=wJalr", "gs://bucket/x#wJalr"],
    ids=["key", "SAS", "tail"],
)
def test_credentials_in_an_address_are_a_mistake_that_is_not_repeated(text: str) -> None:
    """The sentence says where they belong."""
    with pytest.raises(StoreMistake, match="credentials come from the environment") as caught:
        store_address(text, Path("/studio"))
    assert "wJalr" not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "allowed"),
    [({}, False), ({"AWS_ALLOW_HTTP": "true"}, True), ({"AWS_ALLOW_HTTP": "false"}, False),
     ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9000"}, True), ({"AWS_ENDPOINT_URL": "http://nas:9000"}, False)],
)  # fmt: skip
def test_plain_http_is_for_this_machine_or_for_whoever_allows_it(environment: dict[str, str], *, allowed: bool) -> None:
    """As for the gateway."""
    assert StoreAccess.by(environment).allow_http is allowed
