"""RFC 5424 messages, those of the RFC and those of senders that do not keep to it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.parsing.helpers import RECEIVED, parse_line, parse_lines

SD = '[exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"]'
SD_READ = {"exampleSDID@32473": {"iut": "3", "eventSource": "Application", "eventID": "1011"}}


def test_the_first_example_of_the_rfc() -> None:
    """Every field of the header lands in its own field."""
    line = (
        b"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - "
        b"\xef\xbb\xbf'su root' failed for lonvick on /dev/pts/8"
    )
    assert parse_line(line) == {
        "ts": "2003-10-11T22:14:15.003Z",
        "level": "CRITICAL",
        "msg": "'su root' failed for lonvick on /dev/pts/8",
        "emitter": "su",
        "facility": "auth",
        "severity": "crit",
        "host": "mymachine.example.com",
        "app": "su",
        "msgid": "ID47",
        "format": "rfc5424",
    }


def test_nothing_but_nilvalues() -> None:
    """Fields that are `-` are absent; the time of arrival stands in and is counted."""
    (record,), batch = parse_lines(b"<13>1 - - - - - -")
    assert record == {
        "ts": RECEIVED,
        "level": "INFO",
        "msg": "",
        "emitter": "udp",
        "facility": "user",
        "severity": "notice",
        "format": "rfc5424",
    }
    assert (batch.missing_ts, batch.missing_level) == (1, 0)


@pytest.mark.parametrize(
    ("tail", "fields"),
    [
        (f"ID47 {SD} An event", {"msgid": "ID47", "sd": SD_READ, "msg": "An event"}),
        (f"ID47 {SD}", {"msgid": "ID47", "sd": SD_READ, "msg": ""}),
        (f"- {SD}[x@1] hello", {"sd": SD_READ | {"x@1": {}}, "msg": "hello"}),
        ("- - ", {"msg": ""}),
        ("- -", {"msg": ""}),
        ("- -  two blanks", {"msg": " two blanks"}),
        ("- - line\nline", {"msg": "line\nline"}),
        ("- - \ufeffBOM", {"msg": "BOM"}),
        # malformed structured data stays in the message, and the header is kept
        ('ID47 [x a="1 open', {"msgid": "ID47", "msg": '[x a="1 open'}),
        ("ID47 [x a=1] hello", {"msgid": "ID47", "msg": "[x a=1] hello"}),
        ("- [] hello", {"msg": "[] hello"}),
    ],
)
def test_what_follows_the_header(tail: str, fields: dict[str, Any]) -> None:
    """Structured data and message, either of them missing, malformed or empty."""
    line = f"<165>1 2003-10-11T22:14:15.003Z host evntslog 7 {tail}".encode()
    record = parse_line(line)
    expected = {
        "ts": "2003-10-11T22:14:15.003Z",
        "level": "INFO",
        "emitter": "evntslog",
        "facility": "local4",
        "severity": "notice",
        "host": "host",
        "app": "evntslog",
        "procid": "7",
        "format": "rfc5424",
    }
    assert record == expected | fields


@pytest.mark.parametrize(
    ("stamp", "ts"),
    [
        ("2003-08-24T05:14:15.000003-07:00", "2003-08-24T12:14:15.000003Z"),
        ("1985-04-12T19:20:50.52-04:00", "1985-04-12T23:20:50.52Z"),
        ("2003-10-11T22:14:15.123456789Z", "2003-10-11T22:14:15.123456Z"),
        ("2003-10-11t22:14:15z", "2003-10-11T22:14:15Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2003-10-11 22:14:15+00:00", "2003-10-11T22:14:15Z"),
        ("1563249630.774247467", "2019-07-16T04:00:30.774247Z"),
    ],
)
def test_stamps(stamp: str, ts: str) -> None:
    """Any offset and fraction, and what some senders write for a stamp."""
    record = parse_line(f"<13>1 {stamp} host app 1 ID7 - hello".encode())
    assert (record["ts"], record["host"], record["msg"]) == (ts, "host", "hello")
    assert "guessed" not in record
    assert "ts_orig" not in record


def test_a_stamp_without_zone_is_said_to_be_guessed() -> None:
    """The zone is the daemon's, as for RFC 3164."""
    record = parse_line(b"<13>1 2003-10-11T22:14:15 host app - - - hello")
    assert (record["ts"], record["guessed"]) == ("2003-10-11T22:14:15Z", ["zone"])


@pytest.mark.parametrize("stamp", ["2024-13-45T99:00:00Z", "yesterday", "12:00:00"])
def test_an_unreadable_stamp_is_kept_beside(stamp: str) -> None:
    """The header stays readable around it."""
    (record,), batch = parse_lines(f"<13>1 {stamp} host app - - - hello".encode())
    assert record == {
        "ts": RECEIVED,
        "level": "INFO",
        "msg": "hello",
        "emitter": "app",
        "facility": "user",
        "severity": "notice",
        "host": "host",
        "app": "app",
        "format": "rfc5424",
        "ts_orig": stamp,
    }
    assert batch.missing_ts == 1


@pytest.mark.parametrize("version", ["1", "2", "99", "999"])
def test_any_version(version: str) -> None:
    """A later version is read as this one."""
    record = parse_line(f"<13>{version} 2003-10-11T22:14:15Z host app - - - hello".encode())
    assert (record["format"], record["msg"]) == ("rfc5424", "hello")


def test_doubled_blanks_between_fields() -> None:
    """Blanks too many between the header's fields separate like one."""
    record = parse_line(b"<13>1  2003-10-11T22:14:15Z  host  app  1  ID7  -  hello")
    assert (record["host"], record["procid"], record["msg"]) == ("host", "1", " hello")


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        (  # Heroku leaves the structured data out
            b"<40>1 2012-11-30T06:45:29+00:00 host app web.3 - State changed",
            {"host": "host", "app": "app", "procid": "web.3", "msg": "State changed"},
        ),
        (
            b"<40>1 2012-11-30T06:45:29+00:00 host heroku api - Release v1 created",
            {"host": "host", "app": "heroku", "msg": "api - Release v1 created"},
        ),
        (  # Check Point: a blank in the stamp, and `:` for `=`
            b'<134>1 2018-03-21 17:25:25 MDS-72 CheckPoint 13752 - [action:"Update"; flags:"1"]',
            {
                "host": "MDS-72",
                "app": "CheckPoint",
                "procid": "13752",
                "msg": '[action:"Update"; flags:"1"]',
            },
        ),
        (  # Meraki: an epoch stamp, a host and a kind
            b"<134>1 1563249630.774247467 ap1 flows src=10.0.0.1 dst=10.0.0.2",
            {
                "host": "ap1",
                "app": "flows",
                "msg": "src=10.0.0.1 dst=10.0.0.2",
                "src": "10.0.0.1",
                "dst": "10.0.0.2",
            },
        ),
        (b"<13>1 2012-11-30T06:45:29Z host", {"host": "host", "msg": ""}),
        (b"<13>1 2012-11-30T06:45:29Z - - 17 -", {"procid": "17", "msg": ""}),
        (b"<13>1 2012-11-30T06:45:29Z ", {"msg": ""}),
        (b"<13>1 - short", {"host": "short", "msg": ""}),
    ],
)
def test_headers_that_are_not_whole(line: bytes, fields: dict[str, Any]) -> None:
    """What can be told is taken, the rest is the message; nothing is lost."""
    record = parse_line(line)
    assert record["format"] == "rfc5424"
    for name in ("ts", "level", "format", "facility", "severity", "guessed", "emitter"):
        record.pop(name, None)
    assert record == fields


@pytest.mark.parametrize(
    "line",
    [b"<13>5 apples", b"<13>1 apple", b"<13>0 2003-10-11T22:14:15Z h a - - - x", b"<13>2 - x"],
)
def test_a_number_behind_the_pri_does_not_make_it_rfc5424(line: bytes) -> None:
    """Such a line is read as RFC 3164, with all of it as message."""
    record = parse_line(line)
    assert record["format"] == "rfc3164"
    assert record["msg"] == line[4:].decode()


WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


@given(host=WORDS, app=WORDS, procid=WORDS, msgid=WORDS, msg=st.text(min_size=1))
def test_any_header_written_by_the_rules_is_read_back(
    host: str, app: str, procid: str, msgid: str, msg: str
) -> None:
    """All words and any message come back as they were, but for what ends a frame."""
    line = f"<13>1 2003-10-11T22:14:15Z {host} {app} {procid} {msgid} - {msg}"
    record = parse_line(line.encode())
    read = [record.get(name, "-") for name in ("host", "app", "procid", "msgid")]
    assert read == [host, app, procid, msgid]
    assert record["msg"] == msg.rstrip("\r\n\0").removeprefix("\ufeff")
