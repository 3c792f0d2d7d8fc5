"""Heads: what of the syntax of `re` they have, and that all else is refused."""

import pytest

from logopsd.privacy.detectors.triggers import LONGEST_HEAD, Head, parse_head, trigger


@pytest.mark.parametrize(
    ("text", "head"),
    [
        (b"ab", Head(b"", False, (b"a", b"b"))),
        (rb"\.0{2}", Head(b"", False, (b".", b"0", b"0"))),
        (rb"[a-c_-]x", Head(b"", False, (b"abc_-", b"x"))),
        (rb"[\]\\]", Head(b"", False, (rb"]\ ".strip(),))),
        (rb"(?<!0)00", Head(b"0", True, (b"0", b"0"))),
        (rb"(?<=[a-c])j", Head(b"abc", False, (b"j",))),
        (b"a{30}", Head(b"", False, (b"a",) * LONGEST_HEAD)),
    ],
)
def test_a_head_is_taken_apart(text, head):
    """Literals, classes, repeats and one look behind."""
    assert parse_head(text) == head


@pytest.mark.parametrize("text", [b"a?", b"a(?=b)", b"a|b", b"a*", b"[a", b"a.", rb"a\d", b"(a)"])
def test_what_is_no_head_is_refused(text):
    """With what to do about it."""
    with pytest.raises(ValueError, match="name its heads"):
        parse_head(text)


def test_an_empty_head_is_refused():
    """It would stand everywhere."""
    with pytest.raises(ValueError, match="empty"):
        parse_head(b"")


def test_a_pattern_is_its_own_head_where_it_can_be():
    """And heads that are named stand in its place."""
    assert trigger(b"://").heads == (parse_head(b"://"),)
    assert trigger(b"z(?=ation)", b"zation").heads == (parse_head(b"zation"),)
    with pytest.raises(ValueError, match="name its heads"):
        trigger(b"z(?=ation)")


@pytest.mark.parametrize("heads", [(b"ab", b"b"), (b"[ab]c",)])
def test_all_heads_begin_with_one_literal(heads):
    """As a batch without that byte is not searched at all."""
    with pytest.raises(ValueError, match="one literal"):
        trigger(b"a", *heads)
