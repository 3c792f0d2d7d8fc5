"""Telling formats apart, decoding, and one record a frame."""

from hypothesis import given
from hypothesis import strategies as st

from logopsd.encoding import encode
from logopsd.parsing.lines import LineParser
from logopsd.records import Frames
from tests.parsing.helpers import RECEIVED, batch_at, parse_line, parse_lines


def test_any_bytes_give_one_record_a_frame() -> None:
    """Whatever bytes come, each frame becomes one record that can be encoded."""
    parser = _parser()

    @given(st.lists(st.binary() | st.sampled_from(_SEEDS)))
    def check(frames: list[bytes]) -> None:
        batch = batch_at()
        parser.parse(Frames(frames), None, batch)
        assert len(batch.records) == len(frames)
        assert encode(batch.records).count(b"\n") == len(frames)

    check()


def _parser() -> LineParser:
    from datetime import UTC

    return LineParser(tz=UTC)


_SEEDS = [b"<13>", b"<13>1 - - - - - -", b"{}", b" ", b"", b"<999>x", b"\xef\xbb\xbf{}"]


def test_formats_are_told_apart_line_by_line() -> None:
    """Lines of all formats may come mixed; each is read as what it is."""
    records, _ = parse_lines(
        b"<34>1 2003-10-11T22:14:15.003Z host su - ID47 - hello",
        b"<34>Oct 11 22:14:15 host su: hello",
        b'{"msg": "hello"}',
        b"hello",
    )
    assert [record["format"] for record in records] == ["rfc5424", "rfc3164", "json", "plain"]


def test_what_nothing_understands_is_kept_whole() -> None:
    """A line of no known form is its own message."""
    assert parse_line(b"hello world") == {
        "ts": RECEIVED,
        "level": "INFO",
        "msg": "hello world",
        "emitter": "udp",
        "format": "plain",
    }
