"""Telling formats apart, decoding, and one record a frame."""

from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.encoding import encode
from logopsd.parsing.lines import LineParser
from logopsd.records import Batch, Frames
from tests.parsing.helpers import RECEIVED, batch_at, parse_line, parse_lines

PLAIN = {"ts": RECEIVED, "level": "INFO", "emitter": "udp", "format": "plain"}


def test_formats_are_told_apart_line_by_line() -> None:
    """Lines of all formats may come mixed; each is read as what it is."""
    records, _ = parse_lines(
        b"<34>1 2003-10-11T22:14:15.003Z host su - ID47 - hello",
        b"<34>Oct 11 22:14:15 host su: hello",
        b'{"msg": "hello"}',
        b"hello",
    )
    assert [record["format"] for record in records] == ["rfc5424", "rfc3164", "json", "plain"]


@pytest.mark.parametrize("line", ["hello world", " ", "\t \t", "", "caf\u00e9 \U0001f600"])
def test_what_nothing_understands_is_kept_whole(line: str) -> None:
    """A line of no known form is its own message, blanks too."""
    assert parse_line(line.encode()) == PLAIN | {"msg": line}


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\0", b"\n\0", b"\r"])
@pytest.mark.parametrize(
    ("line", "format"),
    [
        (b"<13>Mar 14 15:00:00 h app: hello", "rfc3164"),
        (b"<13>1 2026-03-14T15:00:00Z h app - - - hello", "rfc5424"),
        (b'{"msg":"hello"}', "json"),
        (b"hello", "plain"),
    ],
)
def test_what_ends_a_frame_is_no_part_of_the_message(line: bytes, end: bytes, format: str) -> None:
    """LF, CR and NUL at the end of a datagram are cut off."""
    record = parse_line(line + end)
    assert (record["msg"], record["format"]) == ("hello", format)


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b" ", b"\xef\xbb\xbf  ", b"\t"])
@pytest.mark.parametrize(
    ("line", "format"),
    [
        (b"<13>Mar 14 15:00:00 h app: hello", "rfc3164"),
        (b"<13>1 2026-03-14T15:00:00Z h app - - - hello", "rfc5424"),
        (b'{"msg":"hello"}', "json"),
    ],
)
def test_what_stands_before_a_line(start: bytes, line: bytes, format: str) -> None:
    """A byte-order mark and blanks before a line hide no format."""
    record = parse_line(start + line)
    assert (record["msg"], record["format"]) == ("hello", format)


def test_control_characters_survive() -> None:
    """NUL, ESC and the like inside a message are kept."""
    record = parse_line(b"<13>Mar 14 15:00:00 h app: a\0b\x1b[1mc\x7f d\te")
    assert record["msg"] == "a\0b\x1b[1mc\x7f d\te"


@pytest.mark.parametrize(
    ("line", "msg"),
    [
        (b"caf\xe9 ol\xe9", "café olé"),
        ("ü ".encode() + b"\xfc", "ü ü"),
        (b"\xff\xfe", "ÿþ"),
        (b"\xed\xa0\x80", "í\xa0\x80"),
        (b"\xf0\x9f\x98", "ð\x9f\x98"),
        (b"\xc0\x80", "À\x80"),
    ],
)
def test_bytes_that_are_not_utf8_are_read_as_latin1(line: bytes, msg: str) -> None:
    """Latin-1 text stays readable, valid parts stay as they are, and the record says so."""
    assert parse_line(line) == PLAIN | {"msg": msg, "encoding": "invalid-utf8"}


def test_one_invalid_frame_leaves_the_others_alone() -> None:
    """Only the frame that holds invalid bytes is marked."""
    records, _ = parse_lines("ü".encode(), b"\xfc", "ü".encode())
    assert [record.get("encoding") for record in records] == [None, "invalid-utf8", None]
    assert [record["msg"] for record in records] == ["ü"] * 3


def test_a_frame_that_was_cut_says_so() -> None:
    """The record names the length the message had."""
    records, _ = parse_lines(b"one", b"tw", b"three", cut={1: 3000})
    assert records[1]["truncated"] is True
    assert records[1]["original_length"] == 3000
    assert "truncated" not in records[0]
    assert "truncated" not in records[2]


@pytest.mark.parametrize(
    ("peers", "expected"),
    [
        ("192.0.2.1", ["192.0.2.1", "192.0.2.1"]),
        (["192.0.2.1", "192.0.2.2"], ["192.0.2.1", "192.0.2.2"]),
        (["192.0.2.1"], ["192.0.2.1", None]),
        (None, [None, None]),
    ],
)
def test_peers(peers: Any, expected: list[str | None]) -> None:
    """One peer for all frames, or one for each; a frame without one is still kept."""
    batch = batch_at()
    LineParser(tz=UTC).parse(Frames([b"one", b"two"]), peers, batch)
    assert [record.peer for record in batch.records] == expected


def test_records_are_appended() -> None:
    """What the batch holds already stays, and marks go to the right records."""
    batch = batch_at()
    parser = LineParser(tz=UTC)
    parser.parse(Frames([b"one"]), None, batch)
    parser.parse(Frames([b"\xff"], {0: 9}), None, batch)
    assert [record.encoding for record in batch.records] == [None, "invalid-utf8"]
    assert [record.original_length for record in batch.records] == [0, 9]


@pytest.mark.parametrize(
    "line",
    [b"hello", b"{}", b"<13>hello", b"<13>1 - - - - - -", b"<13>1 2026-03-14T15:00:00Z - - - - -"],
)
def test_the_default_emitter(line: bytes) -> None:
    """Lines that name no producer get the one that was given, else the input's name."""
    batch = batch_at()
    parser = LineParser(tz=UTC)
    parser.parse(Frames([line]), None, batch, default_emitter="nginx")
    parser.parse(Frames([line]), None, batch)
    assert [record.emitter for record in batch.records] == ["nginx", "udp"]


HEADS = st.sampled_from(
    [
        *("<13>", "<13>1 ", "<13>Mar 14 15:00:00 ", "<13>2026-03-14T15:00:00Z h ", "{", "["),
        *("<13>1 2026-03-14T15:00:00Z h a p m ", "<13>1 2026-03-14T15:00:00Z h a p m [x ", "<999>"),
        *("2026-03-14 15:00:00,", "Mar 14 15:00:00 ", "W0314 15:00:00.", '{"ts": ', '{"level": '),
        *(
            '{"sd": ',
            '{"msg": ',
            "<13>Feb 29 12:00:00 ",
            "[2026-03-14 ",
            "<13>1 17147376",
            "\ufeff",
        ),
    ]
)
NOISE = st.text() | st.sampled_from(["1", '"', "]", "[", "}", ": ", " ", "=", "\\", "\0", "\ud7ff"])


@given(
    st.lists(st.binary() | st.builds(lambda *parts: "".join(parts).encode(), HEADS, NOISE, NOISE))
)
def test_any_bytes_give_one_record_a_frame(frames: list[bytes]) -> None:
    """Whatever bytes come, each frame becomes one record that can be encoded."""
    batch = batch_at()
    LineParser(tz=UTC).parse(Frames(frames), None, batch)
    assert len(batch.records) == len(frames)
    assert encode(batch.records).count(b"\n") == len(frames)
    assert batch.missing_ts <= len(frames)
    assert batch.missing_level <= len(frames)


@given(st.text(st.characters(exclude_characters="\r\n\0\ufeff<{[", exclude_categories=["Cs"])))
def test_no_plain_text_is_changed(text: str) -> None:
    """Any line without a syslog header, object or stamp comes out as it came in."""
    assert parse_line(text.encode())["msg"] == text


def test_a_parser_that_fails_costs_its_line_no_more_than_its_fields(monkeypatch):
    """A bug in a parser keeps the line as plain text, counts it, and leaves the others whole."""
    parser = LineParser(tz=UTC)
    whole = parser._rfc3164.parse

    def fail(text, *rest):
        if "boom" in text:
            raise RuntimeError("a bug")
        return whole(text, *rest)

    monkeypatch.setattr(parser._rfc3164, "parse", fail)
    batch = Batch("tcp", 1_790_000_000.0, "2026-09-21T14:13:20.000Z")
    lines = [b"<13>Sep 21 14:00:00 h a: one", b"<13>Sep 21 14:00:00 h a: boom \xff", b"three"]

    parser.parse(Frames(lines), "192.0.2.1", batch)

    assert [record.msg for record in batch.records] == ["one", lines[1].decode("latin-1"), "three"]
    assert [record.format for record in batch.records] == ["rfc3164", "plain", "plain"]
    assert batch.records[1].encoding == "invalid-utf8"
    assert (batch.failed, batch.missing_ts, batch.missing_level) == (1, 2, 2)
