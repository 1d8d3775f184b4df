"""The documents are held to what they say: every test that they name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_test_that_a_document_names_is_there(document: Path) -> None:
    """A promise is worth the test that holds it."""
    named = re.findall(r"`(tests/[\w/]+(?:\.py)?)(?:::(\w+))?`", document.read_text(encoding="utf-8"))
    for path, name in named:
        assert (ROOT / path).exists(), path
        if name:
            assert re.search(rf"^(?:class|def|async def) {name}\b", (ROOT / path).read_text(), re.MULTILINE), name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_that_a_document_names_is_there(document: Path) -> None:
    """Whoever copies a command gets what it promises."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", document.read_text(encoding="utf-8")))
    assert named <= targets
