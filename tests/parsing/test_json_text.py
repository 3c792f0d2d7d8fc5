"""JSON decoding, bounded and fit to be written again. Bodies are tested with `bodies`."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.errors import PayloadError
from logopsd.parsing import json_text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_the_json_module_writes_is_read(value: Any) -> None:
    """Any value comes back as it was, escaped or not."""
    assert json_text.decode(json.dumps(value)) == value
    assert json_text.decode(json.dumps(value, ensure_ascii=False)) == value


@pytest.mark.parametrize("depth", [json_text.MAX_JSON_DEPTH, json_text.MAX_JSON_DEPTH + 2])
def test_the_bound_on_depth(depth: int) -> None:
    """Up to the bound a value is decoded, beyond it refused."""
    text = "[" * depth + "]" * depth
    if depth <= json_text.MAX_JSON_DEPTH:
        json_text.decode(text)
    else:
        with pytest.raises(PayloadError):
            json_text.decode(text)
