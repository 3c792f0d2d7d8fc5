"""Tests of logopsd.framing.relp."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.framing.buffer import FrameList
from logopsd.framing.relp import LAST_TXNR, MAX_COMMAND_DATA, SERVERCLOSE, RelpRead, RelpSession

LIMIT = 64
OFFERS = b"relp_version=0\nrelp_software=librelp,1.11.0,http://librelp.adiscon.com\ncommands=syslog"
OPEN = b"1 open %d %s\n" % (len(OFFERS), OFFERS)
OPENED = b"1 rsp 61 200 OK\nrelp_version=0\nrelp_software=logopsd,1\ncommands=syslog\n"


def session() -> RelpSession:
    """A new session."""
    return RelpSession(max_message=LIMIT, software="logopsd,1")


def feed(pieces: Iterable[bytes]) -> RelpRead:
    """All that a session gives for a stream in these pieces."""
    out, answers, ended = FrameList(), b"", False
    relp = session()
    for piece in pieces:
        read = relp.receive_data(piece)
        out.extend(read.frames)
        for reason in read.frames.faults:
            out.fault(reason)
        answers += read.answers
        ended = read.ended
    return RelpRead(out.result(), answers, ended)


def read_of(stream: bytes) -> RelpRead:
    """What a stream gives: whole, byte by byte, in any two halves, and with bytes behind it."""
    whole = feed([stream])
    assert feed(stream[i : i + 1] for i in range(len(stream))) == whole
    for i in range(len(stream)):
        assert feed([stream[:i], stream[i:]]) == whole
    if whole.ended:
        assert feed([stream + b"9 syslog 6 behind\n"]) == whole
        assert feed([stream, b"9 syslog 6 behind\n"]) == whole
    return whole


def message(txnr: int, text: bytes) -> bytes:
    """A frame with a message."""
    return b"%d syslog %d %s\n" % (txnr, len(text), text)


def stored(txnr: int) -> bytes:
    """The answer to one."""
    return b"%d rsp 6 200 OK\n" % txnr


class TestInOrder:
    def test_a_session_of_librelp(self) -> None:
        """Open, messages and close are answered in order, and the close says goodbye."""
        read = read_of(OPEN + message(2, b"<13>one") + message(3, b"<13>two") + b"4 close 0\n")

        assert read.frames.frames == [b"<13>one", b"<13>two"]
        assert read.answers == OPENED + stored(2) + stored(3) + b"4 rsp 0\n" + SERVERCLOSE
        assert read.ended
        assert not read.frames.faults

    def test_the_answer_to_open_counts_its_bytes(self) -> None:
        """The count of the answer to open is that of what stands behind it."""
        _, _, length, data = read_of(OPEN).answers.split(b" ", 3)

        assert int(length) == len(data) - 1

    @pytest.mark.parametrize(
        "data", [b"relp_version=1", b"relp_version=0\nnonsense=7", b"", b"\xff\0"]
    )
    def test_any_offer_is_met_with_ours(self, data: bytes) -> None:
        """Whatever version or extension a client offers, it gets version 0 with syslog."""
        read = read_of(b"1 open %d %s\n" % (len(data), data))

        assert read == RelpRead(answers=OPENED)

    def test_a_message_may_hold_anything(self) -> None:
        """LF, NUL and what looks like a frame within a message are part of it."""
        text = b"<13>a\nb\0c\n3 close 0\nd"

        assert read_of(OPEN + message(2, text)).frames.frames == [text]

    def test_delimiters_around_a_message_are_not_of_it(self) -> None:
        """A template that ends with LF gives the same record."""
        assert read_of(OPEN + message(2, b"<13>x\r\n")).frames.frames == [b"<13>x"]

    @pytest.mark.parametrize("text", [b"2 syslog 0\n", b"2 syslog 0 \n", b"2 syslog 1 \n\n"])
    def test_a_message_without_content_is_answered(self, text: bytes) -> None:
        """What is empty is no frame, and its sender need not send it again."""
        read = read_of(OPEN + text)

        assert read.frames.frames == []
        assert read.answers == OPENED + stored(2)

    def test_a_long_message_is_cut(self) -> None:
        """A message beyond the limit is kept up to it, with its length, and is answered."""
        read = read_of(OPEN + message(2, b"x" * (LIMIT + 9)) + message(3, b"y" * LIMIT))

        assert read.frames.frames == [b"x" * LIMIT, b"y" * LIMIT]
        assert read.frames.cut == {0: LIMIT + 9}
        assert read.answers == OPENED + stored(2) + stored(3)

    def test_the_numbers_wrap(self) -> None:
        """Behind 999999999 comes 1."""
        relp = session()
        relp.receive_data(OPEN)
        relp._next = LAST_TXNR  # as after a thousand million messages

        read = relp.receive_data(message(LAST_TXNR, b"last") + message(1, b"first"))

        assert read.frames.frames == [b"last", b"first"]
        assert read.answers == stored(LAST_TXNR) + stored(1)

    def test_hints_are_not_answered(self) -> None:
        """A command numbered 0 is passed over and takes no number."""
        read = read_of(b"0 hello 2 hi\n" + OPEN + b"0 serverclose 0\n" + message(2, b"x"))

        assert read.answers == OPENED + stored(2)
        assert read.frames.frames == [b"x"]

    def test_a_command_we_do_not_know_is_refused(self) -> None:
        """Its sender hears so, and may go on."""
        read = read_of(OPEN + b"2 starttls 0\n" + message(3, b"x"))

        assert read.answers == OPENED + b"2 rsp 25 500 command not supported\n" + stored(3)


class TestErrors:
    @pytest.mark.parametrize(
        "bad",
        [
            b"syslog 1 x\n",
            b"<13>plain text\n",
            b"\x16\x03\x01\x02",
            b"2  syslog 1 x\n",
            b"2 sys-log 1 x\n",
            b"2 syslog -1 x\n",
            b"2 syslog 1x\n",
            b"2 syslog 1\nx",
            b"2 syslog 1 xy",
            b"2 syslog 99 " + b"x" * 99 + b"y",
            b"2 syslog 0 x",
            b"1234567890 syslog 1 x\n",
            b"2 " + b"c" * 33 + b" 0\n",
            b"2 syslog 1234567890 ",
            b"1 syslog 1 x\n",
            b"3 syslog 1 x\n",
            b"0 syslog 1 x\n",
            b"2 open 0\n",
            b"2 other %d " % (MAX_COMMAND_DATA + 1),
        ],
    )
    def test_ends_the_session(self, bad: bytes) -> None:
        """What breaks the protocol is counted and ends the session; what came before it counts."""
        read = read_of(OPEN + bad)
        after = feed([OPEN, bad, message(2, b"x")])

        assert (read.ended, read.frames.faults) == (True, {"protocol": 1})
        assert read.frames.frames == []
        assert read.answers == OPENED
        assert after == read

    def test_a_message_before_the_error_is_kept(self) -> None:
        """Messages that were complete are handed down and answered."""
        read = read_of(OPEN + message(2, b"good") + b"bad")

        assert read.frames.frames == [b"good"]
        assert read.answers == OPENED + stored(2)
        assert read.ended

    def test_a_message_before_open_ends_the_session(self) -> None:
        """A session begins with open."""
        read = read_of(message(1, b"x"))

        assert read == RelpRead(frames=read.frames, ended=True)
        assert read.frames.frames == []

    def test_a_frame_under_way_is_not_kept(self) -> None:
        """Without its end a message has no answer, and its sender has it still."""
        read = read_of(OPEN + message(2, b"half of it")[:-4])

        assert read == RelpRead(answers=OPENED)

    def test_a_promise_of_a_gigabyte_holds_no_memory(self) -> None:
        """Of a message longer than the limit no more than the limit is held."""
        relp = session()
        relp.receive_data(OPEN + b"2 syslog 999999999 ")
        for _ in range(100):
            assert relp.receive_data(b"x" * 10_000) == RelpRead()

        assert len(relp._partial.held) == LIMIT


@given(
    st.lists(st.binary(max_size=80), max_size=12),
    st.lists(st.integers(0, 1200)),
    st.booleans(),
)
def test_any_split_gives_the_same(texts: list[bytes], cuts: list[int], closes: bool) -> None:
    """However a stream is cut into reads, the same messages are found and answered."""
    stream = OPEN + b"".join(message(n, text) for n, text in enumerate(texts, 2))
    if closes:
        stream += b"%d close 0\n" % (len(texts) + 2)
    places = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    read = feed(stream[a:b] for a, b in pairwise(places))

    assert read == feed([stream])
    trimmed = [text.strip(b"\r\n\0") for text in texts]
    assert read.frames.frames == [text[:LIMIT] for text in trimmed if text]
    assert read.answers.count(b" rsp 6 200 OK\n") == len(texts)
    assert read.ended is closes


@given(st.lists(st.binary(max_size=60), max_size=5), st.booleans())
def test_any_bytes_are_survived(pieces: list[bytes], opened: bool) -> None:
    """Nothing that a peer may send raises, and an error is said once."""
    read = feed([OPEN] * opened + pieces)

    assert read.frames.faults in ({}, {"protocol": 1})
