"""Index, locks and reports are laid out as Python's own JSON encoder lays them out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.indented_json import indented_json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)


@settings(max_examples=100, deadline=None, database=None)
@given(DOCUMENTS, st.booleans())
def test_every_document_has_the_text_that_the_standard_library_gives_it(document: object, sort_keys: bool) -> None:
    """To the byte: what stands in version control does not change with how it was written."""
    expected = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=sort_keys)
    assert indented_json(document, sort_keys=sort_keys) == expected


@pytest.mark.parametrize("document", [float("nan"), [1, float("inf")], {"a": {"b": float("nan")}}, [{"a": [0.0]}]])
def test_what_is_no_number_is_refused_where_it_must_not_be(document: object) -> None:
    """As the standard library refuses it."""
    try:
        expected = json.dumps(document, indent=1, allow_nan=False)
    except ValueError:
        with pytest.raises(ValueError, match="not JSON compliant"):
            indented_json(document, allow_nan=False)
    else:
        assert indented_json(document, allow_nan=False) == expected
