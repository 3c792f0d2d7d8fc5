"""Pairs. Whole lines of real senders are golden pairs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.parsing.logfmt import parse_pairs

KEYS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,20}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("a=1 b=2", {"a": "1", "b": "2"}),
        ('a="x y" b="q\\"q" c="\\\\" d="l\\nl"', {"a": "x y", "b": 'q"q', "c": "\\", "d": "l\nl"}),
        ("a='x y' b=2", {"a": "x y", "b": "2"}),
        ("a= b=", {"a": "", "b": ""}),
        ("a=1, b=2", {"a": "1,", "b": "2"}),
        ('a="1", b="2"', {"a": "1", "b": "2"}),
        ("a=b=c d=e", {"a": "b=c", "d": "e"}),
        ("a=1   b=2 ", {"a": "1", "b": "2"}),
        ("a=1 a=2", {"a": ["1", "2"]}),
        ("a=1", None),
        ("a=1 b", None),
        ("a b=1", None),
        ('a=1 b="open', None),
        ("1=a 2=b", None),
        ("", None),
    ],
)
def test_a_text_is_pairs_or_it_is_not(text: str, fields: dict[str, Any] | None) -> None:
    """Anything beside pairs makes it prose."""
    assert parse_pairs(text) == fields


@given(st.dictionaries(KEYS, st.text(), min_size=2))
def test_pairs_written_by_the_rules_are_read_back(fields: dict[str, str]) -> None:
    """Quoted values come back as they were."""
    text = " ".join(f'{key}="{_escape(value)}"' for key, value in fields.items())
    assert parse_pairs(text) == fields


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
