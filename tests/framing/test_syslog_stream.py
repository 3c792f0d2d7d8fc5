"""Tests of logopsd.framing.syslog_stream."""

import itertools
import re
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import logopsd.framing
from logopsd.framing.buffer import PartialFrame
from logopsd.framing.syslog_stream import MIN_MAX_MESSAGE, Mode, SyslogStreamFramer
from logopsd.records import Frames
from tests.framing.helpers import feed, frames_of

LIMIT = 48
MODES: tuple[Mode, ...] = ("auto", "lf", "octet", "nul")


def make(mode: Mode = "auto", limit: int = LIMIT) -> Callable[[], SyslogStreamFramer]:
    """A maker of framers."""
    return lambda: SyslogStreamFramer(max_message=limit, mode=mode)


def counted(*messages: bytes) -> bytes:
    """Messages in octet counting, one behind the other."""
    return b"".join(b"%d %s" % (len(message), message) for message in messages)


def frames(*found: bytes, **faults: int) -> Frames:
    """What a stream without cut frames gives."""
    return Frames(list(found), {}, faults)


class TestLines:
    @pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\0", b"\n\0", b"\n\r"])
    def test_every_delimiter_ends_a_line(self, end: bytes) -> None:
        """LF, CRLF, NUL (Python's SysLogHandler), LF NUL (Perl's) and LF CR end a line."""
        stream = b"<34>one" + end + b'{"two": 2}' + end + b"three" + end

        assert frames_of(make(), stream) == frames(b"<34>one", b'{"two": 2}', b"three")

    def test_the_last_line_needs_no_delimiter(self) -> None:
        """Programs such as nc close without a trailing LF."""
        assert frames_of(make(), b"<34>one\nlast") == frames(b"<34>one", b"last")

    @pytest.mark.parametrize(
        "line",
        [
            b"2024-05-03T12:00:00Z up",
            b"200 OK",
            b"200 <b>bold</b>",
            b"7 <7",
            b"7 <7777>x",
            b"1234567890 <34>x",
            b"0 <34>x",
            b"05 <34>x",
            b"2  <34>x",
            b" 9 <34>abc",
            b"1 <3>x",
            b"2 <3>x",
            b"3 <34>x",
            b"4 <134>x",
            b"9",
            b"9 ",
            b"999999999 <191",
        ],
    )
    def test_a_line_that_begins_with_a_digit_stays_a_line(self, line: bytes) -> None:
        """Only a count of at most nine digits with a PRI behind it, and room for it, counts."""
        assert frames_of(make(), line + b"\n<34>next\n") == frames(line, b"<34>next")
        assert frames_of(make(), b"<34>before\n" + line) == frames(b"<34>before", line)

    def test_a_longer_line_is_cut(self) -> None:
        """A line over the limit is one frame of the limit, and the stream goes on behind it."""
        stream = b"x" * 1000 + b"\r\n<34>next"

        assert frames_of(make(), stream) == Frames([b"x" * LIMIT, b"<34>next"], {0: 1000}, {})


class TestCounted:
    def test_a_message_may_hold_anything(self) -> None:
        """LF, NUL and what looks like another header belong to the message they are counted in."""
        messages = (b"<34>a\nb\0c", b"<3>9 <34>abc", b"<1>")

        assert frames_of(make(), counted(*messages)) == frames(*messages)

    @pytest.mark.parametrize("trailer", [b"\n", b"\r\n", b"\0", b"\r", b"\n\0", b"\r\r\n\n"])
    def test_a_stray_trailer_is_swallowed(self, trailer: bytes) -> None:
        """Delimiters behind a counted frame are neither frame nor fault."""
        stream = (counted(b"<34>one") + trailer) * 3 + b"<34>line\n"

        assert frames_of(make(), stream) == frames(*[b"<34>one"] * 3, b"<34>line")

    def test_a_trailer_inside_the_count_is_no_content(self) -> None:
        """Some senders count the LF behind the message as part of it."""
        stream = counted(b"<34>one\n", b"<34>two\0", b"<34>three\r\n")

        assert frames_of(make(), stream) == frames(b"<34>one", b"<34>two", b"<34>three")

    def test_a_longer_message_is_cut(self) -> None:
        """A message over the limit is one frame of the limit, and the stream goes on behind it."""
        stream = counted(b"<34>" + b"x" * 996, b"<34>next")
        cut = b"<34>" + b"x" * (LIMIT - 4)

        assert frames_of(make(), stream) == Frames([cut, b"<34>next"], {0: 1000}, {})

    def test_a_message_cut_off_by_eof_is_kept(self) -> None:
        """What arrived of a counted frame is a frame that is cut, and its want is counted."""
        stream = counted(b"<34>one") + b"100 <34>tw"

        assert frames_of(make(), stream) == Frames(
            [b"<34>one", b"<34>tw"], {1: 100}, {"incomplete": 1}
        )

    def test_a_longer_message_cut_off_by_eof_is_kept(self) -> None:
        """Its length is the one that was promised."""
        stream = b"9999 <34>" + b"x" * 96

        found = frames_of(make(), stream)

        assert found == Frames([b"<34>" + b"x" * 44], {0: 9999}, {"incomplete": 1})

    def test_a_count_cut_off_by_eof_is_kept(self) -> None:
        """The beginning of a header behind a counted frame is kept and counted."""
        stream = counted(b"<34>one") + b"10 <3"

        assert frames_of(make(), stream) == frames(b"<34>one", b"10 <3", incomplete=1)

    def test_both_framings_in_one_connection(self) -> None:
        """Each frame is told apart by itself, whatever came before it."""
        stream = (
            b"<34>line\n"
            + counted(b"<34>counted\n1", b"<34>counted2")
            + b"<34>line behind a count\r\n"
            + counted(b"<34>counted3")
            + b'{"json": 1}\n\r\n'
            + counted(b"<34>counted4")
            + b"\ntext\0"
            + counted(b"<34>counted5")
        )

        assert frames_of(make(), stream) == frames(
            b"<34>line",
            b"<34>counted\n1",
            b"<34>counted2",
            b"<34>line behind a count",
            b"<34>counted3",
            b'{"json": 1}',
            b"<34>counted4",
            b"text",
            b"<34>counted5",
        )


class TestLies:
    """A count that is wrong: nothing is dropped, the stream is found again, a fault is counted."""

    def test_a_count_too_short_leaves_a_rest(self) -> None:
        """The rest of the message is a frame of its own, up to the next counted frame."""
        stream = b"8 <34>abcdef" + counted(b"<34>next")

        assert frames_of(make(), stream) == frames(b"<34>abcd", b"ef", b"<34>next", resync=1)

    def test_a_count_too_long_eats_into_the_next(self) -> None:
        """The stream is found again at the next counted frame, without any LF."""
        stream = b"12 <34>short" + counted(b"<34>eaten", b"<34>next")

        assert frames_of(make(), stream) == frames(
            b"<34>short9 <", b"34>eaten", b"<34>next", resync=1
        )

    def test_a_count_beyond_belief_is_text(self) -> None:
        """It swallows nothing: the lines behind it are frames of their own."""
        stream = b"999999999 <13>a\n<13>b\n" + counted(b"<34>c") + b"1048577 <13>d\n<13>e\n"

        assert frames_of(make(), stream) == frames(
            b"999999999 <13>a", b"<13>b", b"<34>c", b"1048577 <13>d", b"<13>e", resync=2
        )
        assert frames_of(make("octet"), b"999999999 <13>a").faults == {"incomplete": 1}

    @pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\0"])
    def test_the_stream_is_found_again_at_a_delimiter(self, end: bytes) -> None:
        """LF and NUL are landmarks too."""
        stream = b"8 <34>abcdef" + end + b"<34>next\n"

        assert frames_of(make(), stream) == frames(b"<34>abcd", b"ef", b"<34>next", resync=1)

    def test_a_rest_that_ends_with_the_stream_is_kept(self) -> None:
        """At EOF the search for a landmark gives what it passed, the begun header with it."""
        assert frames_of(make(), b"8 <34>abcdef") == frames(b"<34>abcd", b"ef", resync=1)
        assert frames_of(make(), b"8 <34>abcdef10 <3") == frames(b"<34>abcd", b"ef10 <3", resync=1)

    def test_what_is_no_header_after_all_is_passed(self) -> None:
        """While the stream is sought, digits that turn out to be text stay in the text."""
        stream = b"8 <34>abcdef 10 <x> 12 <34567> 1234567890\n"

        assert frames_of(make(), stream) == frames(
            b"<34>abcd", b"ef 10 <x> 12 <34567> 1234567890", resync=1
        )

    def test_a_long_search_is_cut(self) -> None:
        """What is passed while the stream is sought is held up to the limit."""
        stream = b"8 <34>abcd" + b"x" * 1000 + counted(b"<34>next")

        assert frames_of(make(), stream) == Frames(
            [b"<34>abcd", b"x" * LIMIT, b"<34>next"], {1: 1000}, {"resync": 1}
        )

    def test_a_line_begun_by_pri_or_brace_is_no_lie(self) -> None:
        """Directly behind a counted frame a line may begin with `<` or `{`."""
        stream = counted(b"<34>one") + b"<34>line\n" + counted(b"<34>two") + b"{}\n"

        assert frames_of(make(), stream) == frames(b"<34>one", b"<34>line", b"<34>two", b"{}")


class TestOctetMode:
    """RFC 5425: counted frames only, yet lines are not lost."""

    BEHIND = (b"\n10 <13>behind", b"<13>behind")

    def found(self, stream: bytes) -> Frames:
        """The frames in this mode."""
        return frames_of(make("octet"), stream, behind=self.BEHIND)

    def test_counted_frames(self) -> None:
        """They are taken as in every mode."""
        assert self.found(counted(b"<34>a\nb", b"<34>c")) == frames(b"<34>a\nb", b"<34>c")

    def test_a_count_is_believed_without_a_pri(self) -> None:
        """The operator said that frames are counted."""
        assert self.found(b"2 hi5 hello") == frames(b"hi", b"hello")

    def test_a_frame_of_delimiters_alone_is_none(self) -> None:
        """A counted LF is an empty frame."""
        assert self.found(b"1 \n2 hi") == frames(b"hi")

    def test_lines_are_kept_and_counted_as_faults(self) -> None:
        """Each line where a count should stand is a frame and a fault."""
        stream = b"<34>one\n<34>two\r\n" + counted(b"<34>three")

        assert self.found(stream) == frames(b"<34>one", b"<34>two", b"<34>three", resync=2)

    def test_a_count_cut_off_by_eof_is_kept(self) -> None:
        """Digits at the end are the beginning of a count."""
        assert self.found(b"12") == frames(b"12", incomplete=1)


class TestOtherModes:
    def test_in_lf_mode_nothing_is_counted(self) -> None:
        """What looks like a counted frame is text."""
        assert frames_of(make("lf"), b"7 <34>one\n\r\n") == frames(b"7 <34>one")

    def test_in_nul_mode_messages_hold_lf(self) -> None:
        """Only NUL ends a message."""
        behind = (b"\0<13>behind\0", b"<13>behind")

        assert frames_of(make("nul"), b"7 <34>a\nb\0", behind=behind) == frames(b"7 <34>a\nb")

    def test_a_limit_that_holds_no_header_is_refused(self) -> None:
        """A header must fit, to be decided upon."""
        with pytest.raises(ValueError, match="at least 16"):
            SyslogStreamFramer(max_message=MIN_MAX_MESSAGE - 1)


PRI = st.integers(0, 999).map(b"<%d>".__mod__)
TEXT = st.text(st.sampled_from("ab{<> \r\n\x00" + "0123456789"), max_size=60).map(str.encode)
FRAGMENT = st.one_of(
    TEXT,
    PRI,
    st.integers(0, 200).map(b"%d ".__mod__),
    st.builds(bytes.__add__, PRI, TEXT).map(counted),
    st.sampled_from([b"\n", b"\r", b"\0", b"\r\n", b"999999999 <1>", b"x" * 100]),
)
STREAM = st.lists(FRAGMENT, max_size=12).map(b"".join)


def split(stream: bytes, cuts: list[int]) -> list[bytes]:
    """The stream cut at these places."""
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [stream[a:b] for a, b in itertools.pairwise(places)]


class TestProperties:
    @given(stream=STREAM, cuts=st.lists(st.integers(0, 300)), mode=st.sampled_from(MODES))
    @example(stream=b"\n\r\r9 <34>abcd", cuts=[2], mode="auto")
    def test_the_split_of_a_stream_does_not_matter(
        self, stream: bytes, cuts: list[int], mode: Mode
    ) -> None:
        """Any split of any stream into reads gives the same frames, cuts and faults."""
        framer = make(mode)

        assert feed(framer(), split(stream, cuts)) == feed(framer(), [stream])

    @given(stream=STREAM, mode=st.sampled_from(MODES))
    def test_nothing_is_lost_but_delimiters_and_counts(self, stream: bytes, mode: Mode) -> None:
        """Under a limit that cuts nothing, the frames hold the stream's bytes, all and in order."""
        found = feed(make(mode, limit=10_000)(), [stream])

        gap = rb"(?:[\r\n\0]|[0-9]{1,9} )*"
        kept = gap + b"".join(re.escape(frame) + gap for frame in found.frames)
        assert re.fullmatch(kept, stream)
        assert set(found.faults) <= set(logopsd.framing.FAULTS)

    @given(stream=STREAM, mode=st.sampled_from(MODES))
    def test_no_frame_is_empty_or_over_the_limit(self, stream: bytes, mode: Mode) -> None:
        """Every frame has content, and the cut ones are exactly the limit long."""
        found = feed(make(mode)(), [stream])

        assert all(0 < len(frame) <= LIMIT for frame in found.frames)
        # Only the last one may be shorter, where the stream ended within it.
        ended = {len(found.frames) - 1} if "incomplete" in found.faults else set()
        assert all(len(found.frames[i]) == LIMIT < found.cut[i] for i in set(found.cut) - ended)

    @given(
        messages=st.lists(
            st.tuples(st.builds(bytes.__add__, PRI, TEXT), st.sampled_from(["octet", "lf", "nul"]))
        )
    )
    def test_encoded_messages_come_back(self, messages: list[tuple[bytes, str]]) -> None:
        """Messages in any mixture of framings are the frames they were."""
        stream, expected = b"", []
        for message, framing in messages:
            if framing != "octet":
                message = message.translate(None, b"\n\0")
            message = message.rstrip(b"\r\n\0")
            expected.append(message)
            end = {"lf": b"\n", "nul": b"\0"}
            stream += counted(message) if framing == "octet" else message + end[framing]

        assert feed(make(limit=10_000)(), [stream]) == frames(*expected)


class TestCost:
    @pytest.mark.parametrize("head", [b"<34>", b"99999 <34>", b"5 <34>xlost"])
    def test_a_slow_sender_costs_no_more(
        self, head: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However slowly a long frame comes, each byte of it is handled once."""
        handled = 0
        add = PartialFrame.add

        def spy(partial: PartialFrame, piece: bytes) -> None:
            nonlocal handled
            handled += len(piece)
            add(partial, piece)

        monkeypatch.setattr(PartialFrame, "add", spy)
        stream = head + b"x" * 20_000
        feed(make()(), [stream[i : i + 1] for i in range(len(stream))])

        assert handled <= len(stream) + 16

    @pytest.mark.parametrize("head", [b"<34>", b"999999999 <34>", b"5 <34>xlost"])
    def test_a_frame_over_the_limit_takes_no_memory(self, head: bytes) -> None:
        """Of a frame of 5 MB no more is held than the limit."""
        framer = make()()
        chunk = b"x" * 1000
        framer.receive_data(head)
        tracemalloc.start()
        try:
            for _ in range(5_000):
                framer.receive_data(chunk)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert peak < 20_000

    def test_an_idle_framer_keeps_no_read(self) -> None:
        """Between two reads a framer holds what is unfinished, and not the read it came in."""
        framer = make()()
        tracemalloc.start()
        try:
            framer.receive_data(b"<34>line\n" * 20_000)
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert held < 20_000
