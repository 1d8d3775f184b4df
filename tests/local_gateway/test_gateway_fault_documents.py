"""Faults documents are read strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.local_gateway.faults.reading import FaultMistake, read_faults, read_faults_file

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("faults: [", "^faults.yaml:1:10: not readable as YAML: "),
        ("[]", "expected a mapping"),
        ("fault: []", "there is no 'fault'; did you mean faults?"),
        ("seed: x", "expected a number"),
        ("faults: [3]", r"faults\[0\]: expected a mapping"),
        ("faults: [{}, {nth: 0}]", r"faults\[1\].nth: expected a count from 1"),
        ("faults: [{nth: [1, x]}]", "expected a count from 1"),
        ("faults: [{endpoint: submits}]", "there is no 'submits'"),
        ("faults: [{rate: 1.5}]", "expected a number from 0 to 1"),
        ("faults: [{rate: true}]", "expected a number"),
        ("faults: [{every: 0}]", "expected a number 1 or more"),
        ("faults: [{every: 1.5}]", "expected a whole number"),
        ("faults: [{prompt: 3}]", "expected text"),
        ("faults: [{delay: -1}]", "expected a number 0 or more"),
        ("faults: [{delay: .nan}]", "expected a number 0 or more"),
        ("faults: [{lose: sometimes}]", "expected one of after, before"),
        ("faults: [{answer: {}}]", "`status` is required"),
        ("faults: [{answer: {status: 99}}]", "from 200 to 599"),
        ("faults: [{answer: {status: 500, headers: {Retry-After: 3}}}]", "names and values in quotes"),
        ("faults: [{wrong: music}]", "expected one of empty, html, noise, silence"),
        ("faults: [{truncate: {}}]", "either `share` or `size`"),
        ("faults: [{truncate: {share: 0.5, size: 3}}]", "either `share` or `size`"),
        ("faults: [{truncate: {size: 3, declared: 1}}]", "expected true or false"),
        ("faults: [{oversize: {declared: true}}]", "`size` is required"),
        ("faults: [{dribble: {size: 3}}]", "are required"),
        ("faults: [{endpoint: submit, job: {explode: true}}]", "there is no 'explode'"),
        ("faults: [{endpoint: poll, job: {fail: true}}]", "write `endpoint: submit`"),
        ("faults: [{job: {fail: true}}]", "write `endpoint: submit`"),
        ("faults: [{name: a}, {name: b}, {name: a}]", "two faults are called 'a'"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(text: str, message: str) -> None:
    """So that whoever wrote it finds it."""
    with pytest.raises(FaultMistake, match=message) as caught:
        read_faults(text, "faults.yaml")
    assert str(caught.value).startswith("faults.yaml:")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "seed: 3", "faults:", "faults: []", "{}"])
def test_no_faults_are_a_plan_too(text: str) -> None:
    """Nothing goes wrong."""
    assert read_faults(text, "faults").rules == ()


def test_the_documented_example_is_read(tmp_path: Path) -> None:
    """What the module's own text shows can be written so."""
    import pipeline.local_gateway.faults.reading as module

    example = (module.__doc__ or "").split("```yaml\n")[1].split("```")[0]
    path = tmp_path / "faults.yaml"
    path.write_text(example)
    [rule] = read_faults_file(path).rules
    assert rule.fate.length_factor == 0.5
    assert rule.spoil is not None
    assert rule.spoil.dribble is not None


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    """Rather than decoded into nonsense."""
    path = tmp_path / "faults.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FaultMistake, match="not text in UTF-8"):
        read_faults_file(path)
