"""RFC 5424 structured data."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.parsing.structured_data import (
    ONE_PARAMETER,
    STRUCTURED_DATA,
    parse_structured_data,
)

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


@given(st.text('[]="\\ ab\u00fc\n', max_size=12), st.text('[]="\\ ab\u00fc\n', max_size=12))
def test_one_parameter_is_read_alike_by_its_own_pattern(name: str, value: str) -> None:
    """What the short pattern matches is structured data, and means what the long way says."""
    text = f'[{name} {name}="{value}"]'
    match = re.fullmatch(ONE_PARAMETER, text, re.DOTALL)
    if match is not None:
        sd_id, key, found = match.groups()
        assert WHOLE.fullmatch(text)
        assert parse_structured_data(text) == {sd_id: {key: found}}


@given(NAMES, NAMES, st.text().filter(lambda value: not set(value) & set('"\\')))
def test_the_short_pattern_takes_every_plain_parameter(sd_id: str, key: str, value: str) -> None:
    """Names as the RFC has them and a value without escapes are all it needs."""
    match = re.fullmatch(ONE_PARAMETER, f'[{sd_id} {key}="{value}"]', re.DOTALL)
    assert match is not None
    assert match.groups() == (sd_id, key, value)
