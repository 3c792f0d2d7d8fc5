"""What vendors put before the message. Whole lines are golden pairs."""

from logopsd.parsing.vendor_headers import read_f5, read_snare, read_topics
from logopsd.records import Record
from tests.parsing.helpers import UTC, parse_line, stamps_at


def test_topics_end_before_the_message() -> None:
    """The topics are kept, the level is the last that is one of them."""
    record = parse_line(b"wireless,debug,error ap1: 52:54:00:00:00:01 disconnected")
    assert (record["level"], record["topics"]) == ("ERROR", ["wireless", "debug", "error"])
    assert record["msg"] == "ap1: 52:54:00:00:00:01 disconnected"


def test_a_windows_event_that_is_cut_keeps_its_text() -> None:
    """Without the description the whole line is the message."""
    line = "WIN1\tMSWinEventLog\t1\tSystem"
    record = parse_line(line.encode())
    assert (record["msg"], record["host"], record["event_log"]) == (line, "WIN1", "System")


def test_what_is_none_of_them_is_left_alone() -> None:
    """The readers say so and change nothing."""
    for text in ("hello", "a,b c", "info hello", "odd x[1]: y"):
        record = Record("", "", text)
        assert not read_snare(record, stamps_at(tz=UTC))
        assert not read_topics(record)
        assert not read_f5(record)
        assert record == Record("", "", text)
