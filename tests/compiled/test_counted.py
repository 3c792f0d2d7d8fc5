"""Counted frames are cut as the framer cuts them without what is compiled."""

from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logopsd.compiled import find_counted, take_counted
from logopsd.framing import syslog_stream
from logopsd.framing.syslog_stream import SyslogStreamFramer
from tests.depth import examples

PIECES = st.sampled_from(
    [
        *(b"5 <1>ab", b"8 <13>two\n", b"7 <13>\r\n\0", b"4 <1>", b"4 <13>", b"3 <1>", b"2 <1"),
        *(b"9 <191>abc", b"99 <1>", b"05 <1>ab", b"5  <1>ab", b"5 1>abc", b"5 <1234", b"5 <>abc"),
        *(b"\n", b"\r", b"\0", b"<13>line\n", b"x", b"5", b" ", b"1234567890 <1>"),
        b"60 <1>" + b"x" * 57,
    ]
)


def cut(pieces: list[bytes], mode: str) -> list[object]:
    """Feed a framer, and give all that comes of it."""
    framer = SyslogStreamFramer(max_message=48, mode=mode)
    return [*map(framer.receive_data, pieces), framer.receive_eof()]


@pytest.mark.parametrize("mode", ["auto", "octet"])
@settings(max_examples=examples(340), deadline=None)
@given(pieces=st.lists(st.lists(PIECES, max_size=8).map(b"".join), max_size=4))
def test_frames_are_cut_alike(mode, pieces):
    """Frames, faults and what is cut are the same, read by read."""
    compiled = cut(pieces, mode)
    with (
        mock.patch.object(syslog_stream, "take_counted", None),
        mock.patch.object(syslog_stream, "find_counted", None),
    ):
        assert cut(pieces, mode) == compiled


@settings(max_examples=examples(340), deadline=None)
@given(st.lists(PIECES, max_size=12).map(b"".join), st.integers(0, 20))
def test_counted_frames_are_found_behind_lines_as_by_the_pattern(data, pos):
    """The first of them, wherever the search begins; NULs are LFs by then."""
    data = data.replace(b"\0", b"\n")
    match = syslog_stream._counted_after_lf.search(data, pos)
    assert find_counted(data, pos) == (match.start() if match else -1)


@pytest.mark.parametrize("pri", [b"<>", b"<1>", b"<12>", b"<123>", b"<1234>"])
@pytest.mark.parametrize(
    "count", [b"0", *(b"%d" % n for n in range(1, 8)), b"123456789", b"1" * 10]
)
def test_a_count_shorter_than_its_pri_is_none(count, pri):
    """Whatever the numbers of digits."""
    data = b"x\n\r" + count + b" " + pri + b"y"
    match = syslog_stream._counted_after_lf.search(data)
    assert find_counted(data, 0) == (match.start() if match else -1)


def test_frames_that_follow_one_another_are_taken():
    """Up to the first that is not whole, or longer than may be, with delimiters left out."""
    frames = []
    data = b"x5 <1>ab\n8 <13>two\n6 <1>abc9 <1>ab"
    assert take_counted(data, 1, 48, frames) == 27
    assert frames == [b"<1>ab", b"<13>two", b"<1>abc"]
    assert take_counted(data, 1, 4, []) == 1
    assert take_counted(b"", 0, 48, []) == 0
    assert take_counted(data, -1, 48, []) == -1
    assert take_counted(data, 99, 48, []) == 99
    with pytest.raises(TypeError):
        take_counted(None, 0, 48, [])
