"""RFC 5424 structured data."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.parsing.structured_data import STRUCTURED_DATA, parse_structured_data

WHOLE = re.compile(STRUCTURED_DATA, re.DOTALL)
NAMES = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='= ]"'),
    min_size=1,
    max_size=32,
)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("[x]", {"x": {}}),
        ('[x a="1" b=""]', {"x": {"a": "1", "b": ""}}),
        ('[x a="1"][y b="2"]', {"x": {"a": "1"}, "y": {"b": "2"}}),
        ('[x a="\\"q\\" \\\\ \\]"]', {"x": {"a": '"q" \\ ]'}}),
        ('[x a="c:\\dir\\n"]', {"x": {"a": "c:\\dir\\n"}}),
        ('[x a="] ["]', {"x": {"a": "] ["}}),
        ('[x a="[y b=1"]', {"x": {"a": "[y b=1"}}),
        ('[x a="1" a="2" a="3"]', {"x": {"a": ["1", "2", "3"]}}),
        ('[x a="1"][x a="2" b="3"]', {"x": {"a": ["1", "2"], "b": "3"}}),
        ('[x  a="1"  b="2" ]', {"x": {"a": "1", "b": "2"}}),
        ('[x a="line\nline"]', {"x": {"a": "line\nline"}}),
        ('[a@1 ü="ß"]', {"a@1": {"ü": "ß"}}),
    ],
)
def test_elements_become_dicts(text: str, data: dict[str, Any]) -> None:
    """SD-IDs, parameters, the three escapes, and repetitions of both."""
    assert WHOLE.fullmatch(text)
    assert parse_structured_data(text) == data


@pytest.mark.parametrize("text", ["[]", "[x a]", '[x a="1]', "[x", '[x a="1" b=2]', '[ a="1"]'])
def test_malformed_elements_do_not_match(text: str) -> None:
    """What is not well-formed is left to the message."""
    assert WHOLE.fullmatch(text) is None


@given(
    st.dictionaries(
        NAMES, st.dictionaries(NAMES, st.text(), min_size=1, max_size=4), min_size=1, max_size=4
    )
)
def test_any_data_written_by_the_rules_is_read_back(data: dict[str, dict[str, str]]) -> None:
    """What is escaped as RFC 5424 wants it comes back as it was."""
    text = "".join(
        f"[{sd_id}" + "".join(f' {n}="{_escape(v)}"' for n, v in element.items()) + "]"
        for sd_id, element in data.items()
    )
    assert WHOLE.fullmatch(text)
    assert parse_structured_data(text) == data


def _escape(value: str) -> str:
    return re.sub(r'(["\\\]])', r"\\\1", value)
