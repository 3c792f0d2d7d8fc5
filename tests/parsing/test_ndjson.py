"""NDJSON as it streams."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.parsing.ndjson import Documents, NdjsonReader


def read(*pieces: bytes, max_line: int = 50) -> Documents:
    """Give a reader a body in pieces; all that it found."""
    reader = NdjsonReader(max_line=max_line)
    documents: list[object] = []
    rejected: list[tuple[int, str]] = []
    for found in [*map(reader.receive_data, pieces), reader.receive_eof()]:
        documents += found.documents
        rejected += found.rejected
    return Documents(documents, rejected)


@pytest.mark.parametrize(
    ("body", "documents"),
    [
        (b"", []),
        (b'{"a":1}', [{"a": 1}]),
        (b'{"a":1}\n', [{"a": 1}]),
        (b'\n \r\n{"a":1}\r\n\n"b"\n', [{"a": 1}, "b"]),
        (b'\xef\xbb\xbf{"a":1}\n', [{"a": 1}]),
        (b"\xef\xbb\xbf\n{}", [{}]),
    ],
)
def test_a_document_a_line(body: bytes, documents: list[object]) -> None:
    """Blank lines are none; a byte-order mark stands before the first."""
    assert read(body) == Documents(documents)


def test_bad_lines_have_their_number_in_the_body() -> None:
    """Blank lines count; nothing is quoted."""
    found = read(b'\n{}\nSECRET\n42\n"\xff"\n{}\n\xef\xbb\xbf{}\n')
    assert found.documents == [{}, {}]
    assert [number for number, _ in found.rejected] == [3, 4, 5, 7]
    assert found.rejected[1] == (4, "neither an object nor a text")
    assert found.rejected[2] == (5, "not UTF-8 at byte 1")
    assert "SECRET" not in str(found.rejected)


@pytest.mark.parametrize("end", [b"", b"\n", b"\n{}"])
def test_a_line_that_is_too_long_is_rejected_alone(end: bytes) -> None:
    """However it comes; the next line is read again."""
    line = b'"' + b"x" * 49 + b'"'
    pieces = [line[i : i + 1] for i in range(len(line))]
    expected = Documents([{}] if end.endswith(b"}") else [], [(1, "longer than 50 bytes")])
    assert read(line + end) == read(*pieces, end) == expected


def test_a_line_without_end_is_not_held() -> None:
    """Beyond the limit nothing of it is kept."""
    reader = NdjsonReader(max_line=1000)
    for _ in range(100):
        reader.receive_data(b"x" * 999)
        assert reader.held_bytes <= 1000


@given(
    st.lists(
        st.sampled_from([b"{}", b'"a"', b"\n", b"\r\n", b" ", b"x", b"\xff", b"[1]", b"y" * 9]),
        max_size=12,
    ).map(b"".join),
    st.lists(st.integers(0, 60), max_size=5),
)
def test_any_split_gives_the_same(body: bytes, cuts: list[int]) -> None:
    """Where the network cuts a body changes nothing."""
    places = [0, *sorted(cuts), len(body)]
    assert read(*(body[a:b] for a, b in pairwise(places)), max_line=8) == read(body, max_line=8)
