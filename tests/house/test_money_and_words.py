"""Amounts, and the gateway that words mean."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.gateway.addresses import base_address
from pipeline.gateway_choice import NoGateway, choose_gateway
from pipeline.money import as_usd, budget_from_usd, dollars, from_cents, seconds_cost


@pytest.mark.parametrize(
    ("seconds", "price", "microusd"),
    [(30, "0.0010", 30_000), (0.5, "0.0010", 500), (12.345678, "0.0010", 12_346), (1, "0.00000001", 1), (30, "0", 0)],
)
def test_seconds_cost_their_price_rounded_up(seconds: float, price: str, microusd: int) -> None:
    """A sum of parts is never less than what it stands for."""
    assert seconds_cost(seconds, Decimal(price)) == microusd


def test_cents_may_be_fractions() -> None:
    """`cost_cents: 1.5` is a cent and a half."""
    assert from_cents(Decimal("1.5")) == 15_000
    assert from_cents(Decimal("0.00001")) == 1


@given(st.integers(min_value=0, max_value=10**12))
def test_dollars_come_back_as_they_went_out(microusd: int) -> None:
    """Six decimals hold a micro-dollar, in JSON and back."""
    assert budget_from_usd(Decimal(repr(as_usd(microusd)))) == microusd


def test_a_budget_is_never_more_than_what_was_written() -> None:
    """Less than a micro-dollar is nothing to spend."""
    assert budget_from_usd(Decimal("0.0029999999")) == 2_999


@pytest.mark.parametrize(
    ("microusd", "text"), [(30_000, "$0.0300"), (1, "$0.000001"), (1_234_560_000, "$1,234.5600"), (0, "$0.0000")]
)
def test_amounts_for_people_hide_nothing(microusd: int, text: str) -> None:
    """Four decimals, six where four would hide something."""
    assert dollars(microusd) == text


@pytest.mark.parametrize(
    ("word", "environment", "kind", "origin"),
    [
        ("local", {}, "local", "local"),
        ("local", {"AIGATEWAY_API_KEY": "sk-aig-1"}, "local", "local"),
        ("local=http://127.0.0.1:8787/", {}, "local", "http://127.0.0.1:8787"),
        ("aigateway", {"AIGATEWAY_API_KEY": "sk-aig-1"}, "real", "https://api.aigateway.sh"),
        (None, {"AIGATEWAY_API_KEY": "sk-aig-1"}, "real", "https://api.aigateway.sh"),
        (None, {"AIGATEWAY_API_KEY": "k", "AIGATEWAY_BASE_URL": "https://proxy/x"}, "real", "https://proxy/x"),
        ("http://127.0.0.1:8787", {"AIGATEWAY_API_KEY": "sk-aig-1"}, "real", "http://127.0.0.1:8787"),
        (" http://127.0.0.1:8787/\n", {"AIGATEWAY_API_KEY": "sk-aig-1"}, "real", "http://127.0.0.1:8787"),
        ("http://[::1]:8787", {"AIGATEWAY_API_KEY": "sk-aig-1"}, "real", "http://[::1]:8787"),
    ],
)
def test_a_word_means_one_gateway(word: str | None, environment: dict, kind: str, origin: str) -> None:
    """A URL is real whatever its address; local is said, never guessed."""
    choice = choose_gateway(word, environment)
    assert (choice.kind, choice.origin) == (kind, origin)


def test_a_key_goes_over_no_network_in_the_clear() -> None:
    """Plain http is for this machine, or for whoever says that the network is his own."""
    key = {"AIGATEWAY_API_KEY": "sk-aig-secret"}
    for word, environment in (
        ("http://studio.example:8787", key),
        (None, key | {"AIGATEWAY_BASE_URL": "http://10.0.0.7"}),
    ):
        with pytest.raises(NoGateway, match="https:// address, or set AIGATEWAY_ALLOW_HTTP=1") as failure:
            choose_gateway(word, environment)
        assert "secret" not in str(failure.value)
        assert choose_gateway(word, environment | {"AIGATEWAY_ALLOW_HTTP": "1"}).kind == "real"
    assert choose_gateway("local=http://studio.example:8787", key).kind == "local"


def test_with_no_key_and_no_word_both_ways_on_are_said() -> None:
    """It never falls back silently."""
    with pytest.raises(NoGateway, match=r"AIGATEWAY_API_KEY.*--gateway local") as failure:
        choose_gateway(None, {})
    assert failure.value.key


@pytest.mark.parametrize("word", ["ftp://x", "nonsense", "http://", "http://user:secret@host", "http://host:99999"])
def test_a_word_that_means_nothing_is_a_mistake(word: str) -> None:
    """One sentence, and no key asked for."""
    with pytest.raises(NoGateway) as failure:
        choose_gateway(word, {"AIGATEWAY_API_KEY": "sk-aig-1"})
    assert not failure.value.key


@pytest.mark.parametrize("url", ["http://a b", "http://a\\b", "http://h\u00f6st", "http://-a", "http://a/{x}"])
def test_an_address_that_the_client_would_not_take_is_a_mistake(url: str) -> None:
    """Said before anything else happens, under either kind."""
    for word in (url, f"local={url}"):
        with pytest.raises(NoGateway, match="is no gateway's address"):
            choose_gateway(word, {"AIGATEWAY_API_KEY": "sk-aig-1"})
    with pytest.raises(ValueError, match="is no address of a gateway"):
        base_address(url)


def test_a_choice_never_shows_its_key() -> None:
    """Not even in a traceback's locals."""
    assert "sk-aig-secret" not in repr(choose_gateway("aigateway", {"AIGATEWAY_API_KEY": "sk-aig-secret"}))
