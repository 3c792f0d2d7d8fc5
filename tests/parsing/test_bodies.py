"""Bodies of requests into documents, and what is said of those that are none."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.encoding import encode
from logopsd.errors import PayloadError
from logopsd.parsing.bodies import decode_csv, decode_json, decode_ndjson
from logopsd.parsing.documents import DocumentParser
from logopsd.parsing.json_text import MAX_JSON_DEPTH
from tests.parsing.helpers import UTC, batch_at


def error_of(decode: Callable[[bytes], object], body: bytes) -> str:
    """Return what is said of a body that is refused."""
    with pytest.raises(PayloadError) as caught:
        decode(body)
    return str(caught.value)


@pytest.mark.parametrize(
    ("body", "documents"),
    [
        (b'{"msg": "hello"}', [{"msg": "hello"}]),
        (b'[{"msg": "a"}, "b", {}]', [{"msg": "a"}, "b", {}]),
        (b"[]", []),
        (b'\xef\xbb\xbf {"a": 1}\n', [{"a": 1}]),
        (b'{"a": 1, "a": 2}', [{"a": 2}]),
        (b'{"a": 123456789012345678901234567890}', [{"a": 123456789012345678901234567890}]),
        (b'{"a": "\\u00fc\\ud83d\\ude00\\u0000"}', [{"a": "ü😀\0"}]),
        # a lone surrogate is no character; what only looks like one stays
        (b'{"a": "\\ud800"}', [{"a": "\ufffd"}]),
        (b'{"a\\udfff": "\\ud800\\ud83d\\ude00"}', [{"a\ufffd": "\ufffd😀"}]),
        (b'{"a": "\\\\ud800\\ud800"}', [{"a": "\\ud800\ufffd"}]),
    ],
)
def test_json(body: bytes, documents: list[Any]) -> None:
    """An object or a list; what UTF-8 cannot hold is replaced."""
    assert decode_json(body) == documents


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "the body is empty"),
        (b" \n", "the body is empty"),
        (b"\xef\xbb\xbf", "the body is empty"),
        (b"7", "the body must be a JSON object or a list of objects"),
        (b'"secret"', "the body must be a JSON object or a list of objects"),
        (b'["a", {}, 7]', "item 3 of the list is neither an object nor a text"),
        (b"[null]", "item 1 of the list is neither an object nor a text"),
        (b'{"secret": 1', "Input data was truncated"),
        (b'{"secret": nope}', "invalid character at line 1, column 16"),
        (
            b'{\n  "m": "\xc3\xbc\xc3\xbc", secret\n}',
            "object keys must be strings at line 2, column 14",
        ),
        (b"{'secret': 1}", "object keys must be strings at line 1, column 2"),
        (b'{"secret": 1} {}', "trailing characters at line 1, column 16"),
        (b'{"secret": NaN}', "invalid character at line 1, column 12"),
        (b'{"secret": 1e999}', "Number out of range"),
        (b'{"secret": ' + b"9" * 5000 + b"}", "Integer value out of range"),
        (b'{"secret": "\\ud800", nope}', "object keys must be strings at line 1, column 22"),
        (b'{"secret": "\\x"}', "invalid escape character in string at line 1, column 15"),
        (b'{"secret": "\xff"}', "not UTF-8 at byte 12, line 1"),
        (b'{"secret":\n "\xff"}', "not UTF-8 at byte 13, line 2"),
        (b"[" * 100_000, f"nested deeper than {MAX_JSON_DEPTH}"),
        (b'{"secret":' * 100_000, f"nested deeper than {MAX_JSON_DEPTH}"),
        (b"[" * 300 + b"]" * 300, f"nested deeper than {MAX_JSON_DEPTH}"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, f"nested deeper than {MAX_JSON_DEPTH}"),
    ],
)
def test_what_is_no_json(body: bytes, error: str) -> None:
    """The error says what is wrong and where, and quotes nothing of the body."""
    assert error_of(decode_json, body) == error


def test_a_wide_body_is_not_a_deep_one() -> None:
    """Many objects side by side are no nesting."""
    body = b"[" + b",".join([b'{"a": [1, {}]}'] * 1000) + b"]"
    assert len(decode_json(body)) == 1000


def test_the_deepest_body_that_is_taken_can_be_written() -> None:
    """What the decoder lets through makes no later stage fail."""
    nested = b'{"a":' * (MAX_JSON_DEPTH - 1) + b"1" + b"}" * (MAX_JSON_DEPTH - 1)
    batch = batch_at()
    DocumentParser(tz=UTC).parse(decode_json(nested), None, batch, format="json")
    assert encode(batch.records).count(b"\n") == 1


def test_ndjson() -> None:
    """A document a line; blank lines and CR do not count."""
    body = b'\xef\xbb\xbf{"a": 1}\r\n\n  \n"text"\n{"a": "x\\u2028y"}'
    assert decode_ndjson(body) == [{"a": 1}, "text", {"a": "x\u2028y"}]
    assert decode_ndjson(b"") == []


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{}\n{"secret": nope}\n', "line 2: invalid character at column 16"),
        (b"{}\n\n[1]", "line 3: neither an object nor a text"),
        (b'{"secret"', "line 1: Input data was truncated"),
        (b"{}\n" + b"[" * 100_000, f"line 2: nested deeper than {MAX_JSON_DEPTH}"),
        (b"{}\n\xff", "not UTF-8 at byte 3, line 2"),
    ],
)
def test_what_is_no_ndjson(body: bytes, error: str) -> None:
    """The first bad line is named by its number."""
    assert error_of(decode_ndjson, body) == error


def test_csv() -> None:
    """Rows of a table; a byte-order mark is not part of the first column's name."""
    assert decode_csv(b"\xef\xbb\xbfts,msg\n1,hello\n") == [{"ts": "1", "msg": "hello"}]
    assert error_of(decode_csv, b"a\n\xff") == "not UTF-8 at byte 2, line 2"
    assert error_of(decode_csv, b"").startswith("no header row")


@given(st.binary() | st.builds(lambda value: json.dumps(value).encode(), st.text()))
def test_only_the_documented_error_is_raised(body: bytes) -> None:
    """Any bytes are documents or a PayloadError, for each kind of body."""
    for decode in (decode_json, decode_ndjson, decode_csv):
        with contextlib.suppress(PayloadError):
            decode(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters()),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    )
)
def test_what_is_decoded_can_be_written(value: object) -> None:
    """Whatever the json module can write, surrogates and infinities too, is taken or refused."""
    batch = batch_at()
    try:
        documents = decode_json(json.dumps([{"a": value}]).encode())
    except PayloadError:
        return
    DocumentParser(tz=UTC).parse(documents, None, batch, format="json")
    assert encode(batch.records).count(b"\n") == 1
