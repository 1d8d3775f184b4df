"""The plain forms of `run` and `plan`: what is understood without click, and what is left to it."""

from __future__ import annotations

import pytest

from pipeline.noop.words import read

UNDERSTOOD = {
    "plan m.yaml": ("plan", ["m.yaml"]),
    "run a.yaml b.yaml": ("run", ["a.yaml", "b.yaml"]),
    "run --gateway local m.yaml --output out": ("run", ["m.yaml"]),
    "run m.yaml --gateway=local=http://127.0.0.1:8787": ("run", ["m.yaml"]),
    "run m.yaml --only a --only=b --budget 2.50 --concurrency 8": ("run", ["m.yaml"]),
    "run m.yaml --shard 2/8 --requests-per-minute=1000000": ("run", ["m.yaml"]),
    "run m.yaml --wait --cancel-on-interrupt -q": ("run", ["m.yaml"]),
    "run m.yaml --depfile m.d --stamp m.stamp": ("run", ["m.yaml"]),
    "run m.yaml --finish-on tcp://scheduler.example.com:8786": ("run", ["m.yaml"]),
    "plan m.yaml --detailed-exitcode --json": ("plan", ["m.yaml"]),
}
LEFT = (
    *("", "run", "plan --json", "check m.yaml", "--help", "run --help", "run m.yaml --help", "pla m.yaml"),
    *("run m.yaml --regenerate menu", "run m.yaml --new-run", "plan m.yaml --regenerate=menu"),
    *("run m.yaml --webhook-url http://127.0.0.1", "run m.yaml --webhook-secret=x", "run m.yaml --outp x"),
    *("run m.yaml --output", "run m.yaml --output --wait", "run m.yaml --only -x", "run m.yaml --output="),
    *("run m.yaml --output a --output b", "run m.yaml --wait=yes", "run m.yaml -qv", "run m.yaml -- other.yaml"),
    *("plan m.yaml --wait", "plan m.yaml --concurrency 3", "run m.yaml --detailed-exitcode", "run m.yaml -"),
    *("run m.yaml --concurrency 0", "run m.yaml --concurrency x", "run m.yaml --concurrency ²", "plan m.yaml -q"),
    *("plan m.yaml --shard", "run m.yaml --shard 1/2 --shard 2/2", "plan m.yaml --requests-per-minute 3"),
    f"run m.yaml --requests-per-minute {'9' * 5_000}",
    *("run m.yaml --requests-per-minute 0", "run m.yaml --requests-per-minute 1000001"),
    *("plan m.yaml --finish-on tcp://a:1", "run m.yaml --finish-on http://a:1", "run m.yaml --finish-on tcp://a"),
    *("run m.yaml --finish-on tcp://:1", "run m.yaml --finish-on tcp://a:0", "run m.yaml --finish-on tcp://a:1/b"),
)


@pytest.mark.parametrize("line", UNDERSTOOD)
def test_the_plain_forms_are_understood(line: str) -> None:
    """Options in any order, before or behind the manifests, joined by = or not."""
    asked = read(line.split())
    assert (asked.command, asked.manifests) == UNDERSTOOD[line]


@pytest.mark.parametrize("line", LEFT)
def test_whatever_else_is_left_to_click(line: str) -> None:
    """Also what pays again on purpose, and any option that is not known here."""
    assert read(line.split(" ") if line else []) is None


def test_an_empty_word_is_left_to_click() -> None:
    """It may be a manifest, a value, or a mistake in a script."""
    assert read(["run", ""]) is None
    assert read(["run", "m.yaml", "--output", ""]) is None


def test_what_differs_has_another_stamp() -> None:
    """And what only changes what is printed has the same, for `run` and `plan` alike."""
    lines = (
        *("plan m.yaml", "plan other.yaml", "plan m.yaml other.yaml", "plan other.yaml m.yaml", "plan m.yaml m.yaml"),
        *("plan m.yaml --output m.yaml", "plan m.yaml --state m.yaml", "plan m.yaml --gateway m.yaml"),
        *("plan m.yaml --only m.yaml", "plan m.yaml --only a --only b", "plan m.yaml --only b --only a"),
        *("plan m.yaml --shard 1/2", "plan m.yaml --shard 2/2"),
        *("plan m.yaml --budget 1", "run m.yaml --depfile m.d", "run m.yaml --stamp m.d"),
    )
    parts = {tuple(read(line.split()).parts()) for line in lines}
    assert len(parts) == len(lines)
    same = ("plan m.yaml", "run m.yaml", "run m.yaml -q --wait", "plan m.yaml --json", "run m.yaml --concurrency 2")
    same += ("run m.yaml --requests-per-minute 9", "run m.yaml --finish-on tcp://scheduler:8786")
    assert len({tuple(read(line.split()).parts()) for line in same}) == 1
