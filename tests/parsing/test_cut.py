"""What a cut may have halved is left out."""

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.parsing.cut import REACH, without_halves
from logopsd.parsing.documents import DocumentParser
from tests.parsing.helpers import batch_at

LEAD = "word " * 200


@pytest.mark.parametrize(
    ("end", "left"),
    [
        ("mail of jan.kowalski@exam", "mail of"),
        ('"user":"jan.kowalski@exam', '"user":'),
        ("card 4111 1111 1111 111", "card"),
        ("card 4111-1111-1111-111", "card"),
        ("iban GB82 WEST 1234 5698 765", "iban GB82 WEST"),
        ("from 83.11.22.3", "from"),
        ("a whole last word ", "a whole last word"),
    ],
)
def test_the_last_word_goes(end: str, left: str) -> None:
    """And groups of digits before it, which may be of one number."""
    assert without_halves(LEAD + end) == LEAD + left


@given(st.text(" ab1@,-", max_size=3 * REACH))
def test_never_more_than_half(text: str) -> None:
    """What is left is the text's beginning; without any separator, so much goes unseen."""
    left = without_halves(text)
    assert text.startswith(left)
    assert len(text) - len(left) <= min(REACH, len(text) // 2)


def test_a_text_without_words_loses_its_end() -> None:
    """Nobody can say where in it an address begins."""
    assert without_halves("x" * 1000) == "x" * (1000 - REACH)
    assert without_halves("") == ""


@pytest.mark.parametrize("format", ["json", "csv"])
def test_the_message_of_a_document_is_cut_at_the_limit_too(format: str) -> None:
    """In bytes, as a frame's is, and the record says how long it was."""
    batch = batch_at()
    documents = [{"msg": "short"}, {"msg": "x" * 100}, {"msg": "\u0142 " * 100}]

    DocumentParser(tz=UTC, max_message=100).parse(documents, None, batch, format=format)

    short, full, long = batch.records
    assert (short.msg, short.truncated) == ("short", False)
    assert (full.msg, full.truncated) == ("x" * 100, False)
    assert (long.truncated, long.original_length) == (True, 300)
    assert 50 <= len(long.msg.encode()) <= 100
