"""RFC 3164 messages with all that may be missing in them."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.parsing.helpers import RECEIVED, parse_line, parse_lines

DEFAULT = {"level", "emitter", "facility", "severity", "format", "guessed", "ts"}


def header_of(line: bytes) -> dict[str, Any]:
    """Return host, app, procid and msg of a line, and what is unusual about it."""
    return {name: value for name, value in parse_line(line).items() if name not in DEFAULT}


def test_a_whole_message() -> None:
    """Every part lands in its field; the year and the zone are said to be guessed."""
    (record,), batch = parse_lines(
        b"<86>Mar 14 15:09:20 web1 sshd[4721]: Accepted publickey", tz=ZoneInfo("Europe/Berlin")
    )
    assert record == {
        "ts": "2026-03-14T14:09:20Z",
        "level": "INFO",
        "msg": "Accepted publickey",
        "emitter": "sshd",
        "facility": "authpriv",
        "severity": "info",
        "host": "web1",
        "app": "sshd",
        "procid": "4721",
        "format": "rfc3164",
        "guessed": ["year", "zone"],
    }
    assert (batch.missing_ts, batch.missing_level) == (0, 0)


@pytest.mark.parametrize(
    ("rest", "fields"),
    [
        ("host app: hello", {"host": "host", "app": "app", "msg": "hello"}),
        ("host app[1]: hello", {"host": "host", "app": "app", "procid": "1", "msg": "hello"}),
        ("host app[1]:hello", {"host": "host", "app": "app", "procid": "1", "msg": "hello"}),
        ("host app[1] hello", {"host": "host", "app": "app", "procid": "1", "msg": "hello"}),
        ("host app:  two", {"host": "host", "app": "app", "msg": " two"}),
        ("host app:", {"host": "host", "app": "app", "msg": ""}),
        ("host app: ", {"host": "host", "app": "app", "msg": ""}),
        # the tag may hold slashes, dots, digits and brackets
        ("h postfix/smtpd[7]: x", {"host": "h", "app": "postfix/smtpd", "procid": "7", "msg": "x"}),
        ("h /usr/sbin/cupsd: x", {"host": "h", "app": "/usr/sbin/cupsd", "msg": "x"}),
        ("h (systemd)[1]: x", {"host": "h", "app": "(systemd)", "procid": "1", "msg": "x"}),
        ("h rsyslogd-2007: x", {"host": "h", "app": "rsyslogd-2007", "msg": "x"}),
        ("h kernel: [ 1.5] x", {"host": "h", "app": "kernel", "msg": "[ 1.5] x"}),
        # journald sends no host
        ("sshd[4721]: hello", {"app": "sshd", "procid": "4721", "msg": "hello"}),
        ("kernel: hello", {"app": "kernel", "msg": "hello"}),
        # the host
        ("192.0.2.1 app: x", {"host": "192.0.2.1", "app": "app", "msg": "x"}),
        (
            "my_host.example-1.com app: x",
            {"host": "my_host.example-1.com", "app": "app", "msg": "x"},
        ),
        ("2001:db8::1 app: x", {"host": "2001:db8::1", "app": "app", "msg": "x"}),
        ("fe80::1%eth0 app: x", {"host": "fe80::1%eth0", "app": "app", "msg": "x"}),
        ("2001:db8:: app: x", {"host": "2001:db8::", "app": "app", "msg": "x"}),
        (":: app: x", {"host": "::", "app": "app", "msg": "x"}),
        ("host. app: x", {"msg": "host. app: x"}),
        # no tag
        ("10.0.0.99 Use the BFG!", {"host": "10.0.0.99", "msg": "Use the BFG!"}),
        ("host http://x/ down", {"host": "host", "msg": "http://x/ down"}),
        ("host time is 12:00: late", {"host": "host", "msg": "time is 12:00: late"}),
        ("host [warn] x", {"host": "host", "msg": "[warn] x"}),
        ("host list[x] of", {"host": "host", "msg": "list[x] of"}),
        ("a:b: x", {"app": "a", "msg": ":b: x"}),
        ("host ", {"host": "host", "msg": ""}),
        ('{"a": 1', {"msg": '{"a": 1'}),
        ("", {"msg": ""}),
    ],
)
def test_hosts_and_tags(rest: str, fields: dict[str, Any]) -> None:
    """What is the host, what the tag, and what neither."""
    if rest.startswith("a:b:"):
        fields = {"msg": "a:b: x"}
    assert header_of(f"<13>Mar 14 15:00:00 {rest}".encode()) == fields


@pytest.mark.parametrize(
    ("stamp", "ts", "guessed"),
    [
        ("2026-03-14T15:00:00Z", "2026-03-14T15:00:00Z", None),
        ("2026-03-14T15:00:00.123456+01:00", "2026-03-14T14:00:00.123456Z", None),
        ("2026-03-14T15:00:00.1234567Z", "2026-03-14T15:00:00.123456Z", None),
        ("2026-03-14 15:00:00", "2026-03-14T15:00:00Z", ["zone"]),
        ("Mar 14 15:00:00.123", "2026-03-14T15:00:00.123Z", ["year", "zone"]),
        ("Mar 4 15:00:00", "2026-03-04T15:00:00Z", ["year", "zone"]),
        ("Mar 14 2025 15:00:00", "2025-03-14T15:00:00Z", ["zone"]),
        ("2025 Mar 14 15:00:00", "2025-03-14T15:00:00Z", ["zone"]),
        ("Mar 14 15:00:00 2025", "2025-03-14T15:00:00Z", ["zone"]),
        ("Mar 14 15:00:00 CET", "2026-03-14T14:00:00Z", ["year"]),
        ("Sat Mar 14 15:00:00 UTC 2026", "2026-03-14T15:00:00Z", None),
    ],
)
def test_stamps(stamp: str, ts: str, guessed: list[str] | None) -> None:
    """BSD stamps with and without what they lack, and ISO stamps as rsyslog and ESXi send."""
    record = parse_line(f"<13>{stamp} host app: hello".encode())
    assert (record["ts"], record.get("guessed")) == (ts, guessed)
    assert (record["host"], record["app"], record["msg"]) == ("host", "app", "hello")


@pytest.mark.parametrize("stamp", ["Feb 30 12:00:00", "Xyz 14 12:00:00", "2026-02-30T12:00:00Z"])
def test_an_impossible_stamp_is_kept_beside(stamp: str) -> None:
    """The time of arrival stands in, is counted, and the header stays readable."""
    (record,), batch = parse_lines(f"<13>{stamp} host app: hello".encode())
    assert (record["ts"], record["ts_orig"]) == (RECEIVED, stamp)
    assert (record["host"], record["app"], record["msg"]) == ("host", "app", "hello")
    assert batch.missing_ts == 1
    assert "guessed" not in record


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        (b"<13>hello", {"msg": "hello"}),
        (b"<13>hello world", {"msg": "hello world"}),
        (b"<13>app: hello", {"app": "app", "msg": "hello"}),
        (b"<13>app[7]: hello", {"app": "app", "procid": "7", "msg": "hello"}),
        (b"<13> app: hello", {"app": "app", "msg": "hello"}),
        (b'<13>{"a" 1}', {"msg": '{"a" 1}'}),
        (b"<13>[a]: b", {"msg": "[a]: b"}),
        (b"<13>", {"msg": ""}),
        (b"<13>Mar 14 15:00:00", {"msg": "Mar 14 15:00:00"}),
        (b"<013>\xef\xbb\xbfhello", {"msg": "hello"}),
    ],
)
def test_a_pri_without_stamp(line: bytes, fields: dict[str, Any]) -> None:
    """The PRI counts, a tag is taken, and the missing time is counted."""
    (record,), batch = parse_lines(line)
    assert (record["severity"], record["ts"]) == ("notice", RECEIVED)
    assert {name: record[name] for name in record if name not in DEFAULT} == fields
    assert (batch.missing_ts, batch.missing_level) == (1, 0)


def test_blanks_before_the_stamp() -> None:
    """Old docker doubles the blank behind the PRI."""
    record = parse_line(b"<30> 2026-03-14T15:00:00Z docker/abc[7]: hello")
    assert (record["ts"], record["app"], record["msg"]) == (
        *("2026-03-14T15:00:00Z", "docker/abc", "hello"),
    )


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("Mar 14 15:00:00 host app: hello", {"host": "host", "app": "app", "msg": "hello"}),
        (
            "2026-03-14T15:00:00.123+00:00 host app[1]: hello",
            {"host": "host", "app": "app", "procid": "1", "msg": "hello"},
        ),
        ("Mar 14 15:00:00 app[1]: hello", {"app": "app", "procid": "1", "msg": "hello"}),
    ],
)
def test_a_line_without_pri_as_a_syslog_daemon_writes_it(line: str, fields: dict[str, Any]) -> None:
    """It is read like any other; its level is missing."""
    (record,), batch = parse_lines(line.encode())
    assert record["format"] == "rfc3164"
    assert {name: record[name] for name in record if name not in DEFAULT} == fields
    assert (batch.missing_ts, batch.missing_level) == (0, 1)


def test_the_level_of_a_line_without_pri_is_looked_for_in_its_message() -> None:
    """Where a line names a level, it is not missing."""
    (record,), batch = parse_lines(b"Mar 14 15:00:00 host app[1]: [error] hello")
    assert (record["level"], record["format"], batch.missing_level) == ("ERROR", "rfc3164", 0)


@pytest.mark.parametrize(
    "line",
    [
        *("Mar 14 15:00:00 something happened", "Mar 14 15:00:00", "Mar 14 15:00:00 app: hello"),
        *("2026-03-14T15:00:00Z INFO main: started", "2026-03-14 15:00:00 worker main: started"),
        *("Feb 30 15:00:00 host app: hello", "Mar 14 15:00:00\thost app: hello"),
    ],
)
def test_a_line_that_only_starts_with_a_stamp_is_plain(line: str) -> None:
    """Without PRI a host or a process is wanted, to tell it from the log of a program."""
    record = parse_line(line.encode())
    assert (record["format"], record["msg"]) == ("plain", line)


def test_the_year_turns_at_arrival() -> None:
    """A line of the old year that arrives in the new one keeps its year."""
    now = datetime(2027, 1, 1, 0, 10, tzinfo=UTC)
    assert parse_line(b"<13>Dec 31 23:59:50 h a: x", now=now)["ts"] == "2026-12-31T23:59:50Z"


@pytest.mark.parametrize("offset", ["+0200", "+02:00"])
def test_an_offset_behind_the_stamp_is_its_zone(offset: str) -> None:
    """It is neither a host nor guessed."""
    record = parse_line(f"<13>Nov 23 18:46:11 {offset} web1 app[3]: hello".encode())

    assert record["ts"].endswith("16:46:11Z")
    assert (record["host"], record["app"], record["procid"]) == ("web1", "app", "3")
    assert (record["msg"], record["guessed"]) == ("hello", ["year"])
