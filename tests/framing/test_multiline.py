"""Tests of logopsd.framing.multiline."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.framing.multiline import MAX_LINES, MultilineJoiner
from logopsd.framing.newline import NewlineFramer
from logopsd.framing.syslog_stream import SyslogStreamFramer
from logopsd.records import Frames
from tests.framing.helpers import feed

PYTHON = b"""\
<11>Nov 23 17:00:00 web shop[12]: payment failed
Traceback (most recent call last):
  File "/srv/shop.py", line 3, in pay
    raise KeyError(order)
KeyError: 'order'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/shop.py", line 5, in pay
    fail()
  [Previous line repeated 3 more times]
shop.errors.PaymentError: no such order

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/shop.py", line 9, in <module>
KeyboardInterrupt
"""

JAVA = b"""\
2026-11-23 17:00:00,123 ERROR [main] com.foo.Shop - payment failed
\tat com.foo.Shop.pay(Shop.java:12)
\tat com.foo.Shop$$Lambda$14/0x0000000800066840.run(Unknown Source)
Caused by: com.foo.PaymentException: no such order
\tat com.foo.Orders.<init>(Orders.java:7)
\tSuppressed: java.io.IOException: closed
at java.base/java.lang.Thread.run(Thread.java:829)
\t... 12 more
... 3 common frames omitted
... 3 more
"""


def joiner(**options: int) -> MultilineJoiner:
    """A joiner that waits for a second."""
    return MultilineJoiner(**{"max_message": 4096, "timeout": 1, **options})


def join(lines: Iterable[bytes], **options: int) -> list[bytes]:
    """The records of these lines, taken at once."""
    made = joiner(**options)
    return [*made.add(Frames(list(lines)), 0.0).frames, *made.flush().frames]


def lines_of(text: bytes) -> list[bytes]:
    """The lines of a text as a framer gives them."""
    return feed(NewlineFramer(max_message=4096), [text]).frames


class TestWhatGoesOn:
    @pytest.mark.parametrize("trace", [PYTHON, JAVA], ids=["Python", "Java"])
    def test_a_stack_trace_is_one_record(self, trace: bytes) -> None:
        """Between two records a whole trace, with its chain of causes, belongs to the first."""
        lines = lines_of(trace)

        assert join([b"<13>before", *lines, b"<13>behind"]) == [
            b"<13>before",
            b"\n".join(lines),
            b"<13>behind",
        ]

    @pytest.mark.parametrize(
        "line",
        [
            b"<13>more",
            b"  <13>more",
            b"2026-11-23T17:00:00Z more",
            b"Nov 23 17:00:00 web more",
            b"[2026-11-23 17:00:00] more",
            b'{"msg": "more"}',
            b"at noon (more or less)",
            b"at 17:00 (more)",
            b"... and more",
            b"ValueError: more",
            b"Caused by more",
            b"more",
        ],
    )
    def test_what_begins_a_record(self, line: bytes) -> None:
        """A line with a PRI, a stamp, or nothing that marks a continuation is a record."""
        assert join([b"<13>one", line]) == [b"<13>one", line]

    @pytest.mark.parametrize("line", [b" <more>", b"\t2026-11-23T17:00:00Z more", b" "])
    def test_indented_text_goes_on(self, line: bytes) -> None:
        """Whatever stands behind blanks is a continuation, but for a PRI."""
        assert join([b"<13>one", line]) == [b"<13>one\n" + line]

    @pytest.mark.parametrize(
        "line", [b"<13>two", b"2026-11-23 two", b"{}", b"GET / 200", b"a: b:c"]
    )
    def test_a_traceback_ends_where_no_exception_is_named(self, line: bytes) -> None:
        """The line behind the frames belongs to them only if it may be the exception's."""
        lines = [b"app: Traceback (most recent call last):", b"  File", line, b"Error: two"]

        assert join(lines)[0] == b"\n".join(lines[: 3 if line == b"a: b:c" else 2])
        assert join(lines)[-1] == b"Error: two"

    def test_a_traceback_may_stand_behind_a_header(self) -> None:
        """A sender may put PRI and tag before the first line, and nothing before the others."""
        lines = [b"<11>app: Traceback (most recent call last):", b'  File "x"', b"ValueError"]

        assert join([*lines, b"ValueError"]) == [b"\n".join(lines), b"ValueError"]

    def test_a_continuation_without_a_record_is_one(self) -> None:
        """The first line of a connection is a record, whatever it looks like."""
        assert join([b"  one", b"  two"]) == [b"  one\n  two"]

    def test_counted_frames_stay_apart(self) -> None:
        """An octet-counted frame has a PRI, and keeps the lines it came with."""
        stream = b"10 <13>a\n  b\n10 <13>c\n  d\n"
        frames = feed(SyslogStreamFramer(max_message=64), [stream]).frames

        assert join(frames) == [b"<13>a\n  b", b"<13>c\n  d"]


class TestLimits:
    def test_a_record_has_so_many_bytes_at_most(self) -> None:
        """A line for which there is no room begins a record, and nothing is cut."""
        assert join([b"1234", b" 678", b" x", b" y"], max_message=9) == [b"1234\n 678", b" x\n y"]

    def test_a_record_has_so_many_lines_at_most(self) -> None:
        """One line more begins a record, and a traceback goes on in it."""
        lines = [b"Traceback (most recent call last):", *[b"  x"] * (MAX_LINES + 1), b"ValueError"]
        first, second = join(lines)

        assert first.count(b"\n") == MAX_LINES - 1
        assert second == b"  x\n  x\nValueError"

    def test_a_cut_line_stays_marked_and_alone(self) -> None:
        """What the framer cut fills a record, and its length before is told of that record."""
        frames = Frames([b"one", b" two", b" 34567890", b"z"], {2: 99}, {"resync": 2})
        made = joiner(max_message=9)

        assert made.add(frames, 0.0) == Frames([b"one\n two", b" 34567890"], {1: 99}, {"resync": 2})
        assert made.flush() == Frames([b"z"])


class TestTime:
    def test_the_last_record_waits_for_the_time_out(self) -> None:
        """It is given once nothing was added for the time-out, and not before."""
        made = joiner()
        assert made.add(Frames([b"one"]), 10.0) == Frames()
        assert made.due == 11.0
        assert made.add(Frames([b" more"]), 10.5) == Frames()
        assert made.expire(11.25) == Frames()
        assert made.expire(11.5) == Frames([b"one\n more"])
        assert made.expire(99.0) == Frames()

    def test_a_read_without_a_frame_does_not_make_it_wait_longer(self) -> None:
        """A peer that sends a byte now and then cannot hold a record back."""
        made = joiner()
        made.add(Frames([b"one"]), 10.0)
        made.add(Frames(faults={"resync": 1}), 10.9)

        assert made.due == 11.0

    def test_it_waits_anew_where_nothing_could_come(self) -> None:
        """While nobody reads, the time does not count; without a record there is none."""
        made = joiner()
        made.extend(9.0)
        assert made.expire(99.0) == Frames()
        made.add(Frames([b"one"]), 10.0)
        made.extend(11.0)

        assert made.due == 12.0


_lines = st.lists(
    st.sampled_from(
        [
            *(b"<13>record", b"plain", b"  more", b"\tat x", b"Traceback (most recent call last):"),
            *(b"ValueError: x", b"Caused by: y", b"... 3 more", b"x" * 20, b" " + b"y" * 30),
        ]
    )
)


class TestAnyLines:
    @given(_lines, st.integers(20, 60), st.integers(1, 5))
    def test_nothing_is_lost_or_moved(self, lines: list[bytes], limit: int, count: int) -> None:
        """The records hold all lines in order, within both limits or a line each."""
        records = join(lines, max_message=limit, max_lines=count)

        assert b"\n".join(records) == b"\n".join(lines)
        for record in records:
            assert record.count(b"\n") < count
            assert len(record) <= limit or b"\n" not in record

    @given(st.data(), _lines)
    def test_reads_do_not_matter(self, data: st.DataObject, lines: list[bytes]) -> None:
        """However the lines come in reads, the records are the same while no time passes."""
        made, records, left = joiner(), list[bytes](), list(lines)
        while left:
            size = data.draw(st.integers(1, len(left)))
            records += made.add(Frames(left[:size]), 0.0).frames
            assert made.due is not None
            del left[:size]

        assert [*records, *made.flush().frames] == join(lines)

    @given(st.lists(st.binary(min_size=1)), st.lists(st.booleans()))
    def test_any_bytes(self, lines: list[bytes], expiries: list[bool]) -> None:
        """Nothing raises, and time-outs part records without losing any."""
        made, records = joiner(), list[bytes]()
        for now, (line, expires) in enumerate(zip(lines, expiries, strict=False)):
            records += made.add(Frames([line]), float(now)).frames
            if expires:
                records += made.expire(now + 1.0).frames
        records += made.flush().frames

        taken = min(len(lines), len(expiries))
        assert b"\n".join(records) == b"\n".join(lines[:taken])
