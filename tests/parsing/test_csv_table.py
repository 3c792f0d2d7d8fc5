"""Tables with a header row."""

import csv
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.errors import PayloadError
from logopsd.parsing.csv_table import MAX_CELL_CHARS, parse_table


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("ts,level,msg\n1,info,hello\n", [{"ts": "1", "level": "info", "msg": "hello"}]),
        ("a;b\n1;2,5\n", [{"a": "1", "b": "2,5"}]),
        ("a\tb\n1\t2", [{"a": "1", "b": "2"}]),
        ("a, b \r\n1,2\r\n", [{"a": "1", "b": "2"}]),
        ("a,b\r1,2\r", [{"a": "1", "b": "2"}]),
        ('a,b\n"x\ny","say ""hi"""\n', [{"a": "x\ny", "b": 'say "hi"'}]),
        ("\n\na,b\n\n1,2\n\n", [{"a": "1", "b": "2"}]),
        ("a,b\n", []),
        ("msg\nhello\nworld", [{"msg": "hello"}, {"msg": "world"}]),
        # ragged rows
        ("a,b\n1\n", [{"a": "1"}]),
        ("a,b\n1,2,3,4\n", [{"a": "1", "b": "2", "extra": "3,4"}]),
        ("a,b\n,\n", [{"a": "", "b": ""}]),
        # columns without a name, named twice, or named like what is ours
        ("a,,b\n1,2,3\n", [{"a": "1", "column_2": "2", "b": "3"}]),
        ("a,a,a\n1,2,3\n", [{"a": "1", "a_2": "2", "a_3": "3"}]),
        ("extra\n1,2\n", [{"extra_2": "1", "extra": "2"}]),
        # nothing but what ends a line ends a row
        ("a,b\nx\u2028y,\x0b\x1c\x85\n", [{"a": "x\u2028y", "b": "\x0b\x1c\x85"}]),
        ("a,b\n\0,2\n", [{"a": "\0", "b": "2"}]),
    ],
)
def test_rows_become_dicts(text: str, rows: list[dict[str, str]]) -> None:
    """Separators, quotes, line breaks in cells, and rows of any length."""
    assert parse_table(text) == rows


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "no header row: the first line must name the columns"),
        ("\n \n,,\n", "no header row: the first line must name the columns"),
        ('a,b\n1,2\n"open,3\n', "line 3: unexpected end of data"),
        ('a,b\n"1"x,2\n', "line 2: ',' expected after '\"'"),
        ("a\n" + "x" * (MAX_CELL_CHARS + 1), f"line 2: field larger than field limit ({2**20})"),
    ],
)
def test_what_is_no_table(text: str, error: str) -> None:
    """The error says what is wrong and in which line, and quotes nothing."""
    with pytest.raises(PayloadError) as caught:
        parse_table(text)
    assert str(caught.value) == error


def test_a_mebibyte_of_equal_columns_takes_bounded_time() -> None:
    """Naming them apart costs no more than their number."""
    start = time.process_time()
    (row,) = parse_table("a," * 500_000 + "a\n" + "1," * 500_000)
    assert len(row) == 500_001
    assert time.process_time() - start < 5


CELL = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    st.lists(st.tuples(CELL, CELL), max_size=5),
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n"]),
)
def test_any_table_written_by_the_rules_is_read_back(
    rows: list[tuple[str, str]], separator: str, end: str
) -> None:
    """What the csv module writes comes back cell by cell."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("a", "b"), *rows])
    assert parse_table(out.getvalue()) == [{"a": a, "b": b} for a, b in rows]
