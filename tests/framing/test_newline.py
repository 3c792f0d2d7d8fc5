"""Tests of logopsd.framing.newline."""

import pytest

from logopsd.framing.newline import NewlineFramer, NulFramer
from logopsd.records import Frames
from tests.framing.helpers import feed, frames_of


def newline() -> NewlineFramer:
    """A framer with a small limit."""
    return NewlineFramer(max_message=32)


def nul() -> NulFramer:
    """A framer with a small limit."""
    return NulFramer(max_message=32)


class TestNewlineFramer:
    @pytest.mark.parametrize(
        ("stream", "frames"),
        [
            (b"one\ntwo\n", [b"one", b"two"]),
            (b"one\r\ntwo\r\n", [b"one", b"two"]),
            (b"one\0two\0", [b"one", b"two"]),
            (b"one\n\0two\n\0", [b"one", b"two"]),
            (b"one\n\rtwo\n\r", [b"one", b"two"]),
            (b"a\rb\n", [b"a\rb"]),
            (b"\n\r\n\0\n", []),
            (b"one\ntwo", [b"one", b"two"]),
            (b"one\r", [b"one"]),
            (b"", []),
        ],
        ids=["LF", "CRLF", "NUL", "LF NUL", "LF CR", "CR inside", "empty", "EOF", "CR EOF", "none"],
    )
    def test_lines(self, stream: bytes, frames: list[bytes]) -> None:
        """A line ends at LF, CRLF, NUL or EOF; CR inside is kept, empty lines are no frames."""
        assert frames_of(newline, stream) == Frames(frames)

    @pytest.mark.parametrize("over", [1, 100])
    @pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\0", b""])
    def test_a_longer_line_is_cut(self, over: int, end: bytes) -> None:
        """A line over the limit is one frame of the limit, and the stream goes on behind it."""
        stream = b"first\n" + b"x" * (32 + over) + end

        assert frames_of(newline, stream) == Frames([b"first", b"x" * 32], {1: 32 + over}, {})

    def test_a_line_of_exactly_the_limit_is_whole(self) -> None:
        """The CR of its delimiter does not make a line too long."""
        assert frames_of(newline, b"x" * 32 + b"\r\n") == Frames([b"x" * 32], {}, {})

    def test_nothing_is_complete_before_its_delimiter(self) -> None:
        """Without a delimiter and without EOF there is no frame."""
        assert feed(newline(), [b"one\ntw", b"o"], eof=False).frames == [b"one"]


class TestNulFramer:
    @pytest.mark.parametrize(
        ("stream", "frames"),
        [
            (b"one\ntwo\0three\0", [b"one\ntwo", b"three"]),
            (b"one\n\0two\r\n\0", [b"one", b"two"]),
            (b"\none\0\0\n\0", [b"one"]),
            (b"one\0two", [b"one", b"two"]),
        ],
        ids=["LF inside", "LF NUL", "empty", "EOF"],
    )
    def test_messages(self, stream: bytes, frames: list[bytes]) -> None:
        """A message ends at NUL or EOF and may hold LF; LF and CR beside a NUL are delimiters."""
        behind = (b"\0<13>behind\0", b"<13>behind")

        assert frames_of(nul, stream, behind=behind) == Frames(frames)

    def test_a_longer_message_is_cut(self) -> None:
        """A message over the limit is one frame of the limit."""
        behind = (b"\0<13>behind\0", b"<13>behind")
        stream = b"x\n" * 32 + b"\0"

        assert frames_of(nul, stream, behind=behind) == Frames([b"x\n" * 16], {0: 63}, {})
