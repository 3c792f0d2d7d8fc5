"""CEF and LEEF: escapes, severities and times. Whole lines are golden pairs."""

import pytest

from tests.parsing.helpers import parse_line


def test_escapes_in_header_and_extension() -> None:
    """Bars are escaped in the header, equal signs in values; both may hold backslashes."""
    record = parse_line(rb"CEF:0|V\|1|P|1|2|a\\b|5|x=a\=b c=\\d e=one\ntwo f=\q")
    assert record["device_vendor"] == "V|1"
    assert record["name"] == "a\\b"
    assert [record[key] for key in "xcef"] == ["a=b", "\\d", "one\ntwo", "\\q"]


@pytest.mark.parametrize(
    ("severity", "level"),
    [
        *(("0", "INFO"), ("3", "INFO"), ("4", "WARN"), ("6", "WARN"), ("7", "ERROR")),
        *(("8", "ERROR"), ("9", "CRITICAL"), ("10", "CRITICAL"), ("11", None), ("-1", None)),
        *(("Low", "INFO"), ("MEDIUM", "WARN"), ("High", "ERROR"), ("Very-High", "CRITICAL")),
        *(("", None), ("odd", None), ("1" * 5000, None)),
    ],
)
def test_severities(severity: str, level: str | None) -> None:
    """Without a PRI the event's severity is the level; one of no meaning is none."""
    record = parse_line(f"CEF:0|V|P|1|2|n|{severity}|a=b".encode())
    assert record["level"] == (level or "INFO")
    assert record["device_severity"] == severity


@pytest.mark.parametrize(
    ("extension", "ts"),
    [
        ("rt=1773500400123", "2026-03-14T15:00:00.123Z"),
        ("rt=odd end=1773500400123", "2026-03-14T15:00:00.123Z"),
        ("start=Mar 14 2026 15:00:00.5 UTC", "2026-03-14T15:00:00.5Z"),
    ],
)
def test_times(extension: str, ts: str) -> None:
    """Without a time in the header the event's own is taken."""
    assert parse_line(f"CEF:0|V|P|1|2|n|1|{extension}".encode())["ts"] == ts


@pytest.mark.parametrize("delimiter", ["^", "x5E", "0x5e"])
def test_the_delimiter_of_leef(delimiter: str) -> None:
    """The sixth field of LEEF 2.0 names it, as itself or by its code."""
    record = parse_line(f"LEEF:2.0|V|P|1|E|{delimiter}|a=1^b=two words".encode())
    assert (record["a"], record["b"]) == ("1", "two words")


def test_repeated_keys_make_a_list() -> None:
    """No value is lost."""
    assert parse_line(b"CEF:0|V|P|1|2|n|1|a=1 a=2 a=3")["a"] == ["1", "2", "3"]
    assert parse_line(b"LEEF:1.0|V|P|1|E|a=1\ta=2")["a"] == ["1", "2"]
