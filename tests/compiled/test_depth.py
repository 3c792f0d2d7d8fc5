"""How deep JSON is nested is told as it is without what is compiled."""

from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.compiled import is_deeper
from logopsd.errors import PayloadError
from logopsd.parsing import json_text
from logopsd.parsing.json_text import MAX_JSON_DEPTH, decode

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=20,
)


def depth_of(value: object) -> int:
    """Count it as one would."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, dict | list) and 1 + max(map(depth_of, inner), default=0)


@given(VALUES, st.integers(0, 8))
def test_a_value_is_deeper_than_a_limit_or_not(value, limit):
    """Lists and objects count, whatever stands beside them."""
    assert is_deeper(value, limit) == (depth_of(value) > limit)


@pytest.mark.parametrize("extra", range(-2, 3))
@pytest.mark.parametrize(("open_", "close"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_what_is_too_deep_is_refused_alike(open_, close, extra):
    """At the limit, and beside values that are not deep."""
    times = (MAX_JSON_DEPTH + extra) // len(close)
    text = "[[], {}, " + open_ * times + "0" + close * times + ", {}]"

    def answer() -> str:
        try:
            return str(decode(text))
        except PayloadError as error:
            return str(error)

    compiled = answer()
    with mock.patch.object(json_text, "is_deeper", None):
        assert answer() == compiled


def test_many_flat_values_are_not_deep():
    """A list of records has more brackets than may stand within each other."""
    assert len(decode("[" + ",".join(['{"a": [1]}'] * 500) + "]")) == 500
