"""Cisco's lead and code in all their combinations. Whole lines are golden pairs."""

from itertools import product
from typing import Any

import pytest

from tests.parsing.helpers import RECEIVED, parse_line

COUNTS = ("", "123: ")
NAMES = ("", "router1: ")
SEQUENCES = ("", "000045: ")
STAMPS = {
    "": RECEIVED,
    "*Mar 14 15:00:00.123 UTC: ": "2026-03-14T15:00:00.123Z",
    ".Mar 14 15:00:00: ": "2026-03-14T15:00:00Z",
    "Mar 14 2026 15:00:00 CET: ": "2026-03-14T14:00:00Z",
    "2026 Mar 14 15:00:00 UTC: ": "2026-03-14T15:00:00Z",
    "1w2d: ": RECEIVED,
}


@pytest.mark.parametrize(("count", "name", "sequence"), list(product(COUNTS, NAMES, SEQUENCES)))
def test_any_of_the_switches_may_be_on(count: str, name: str, sequence: str) -> None:
    """Count, name, sequence number and stamp may each be missing."""
    if name and not count:
        name = ""  # a name never comes first: it would be a tag
    for stamp, ts in STAMPS.items():
        line = f"<189>{count}{name}{sequence}{stamp}%SYS-5-CONFIG_I: Configured"
        record = parse_line(line.encode())
        assert (record["ts"], record["msg"]) == (ts, "Configured")
        assert (record["app"], record["msgid"]) == ("SYS", "SYS-5-CONFIG_I")
        assert record.get("host") == ("router1" if name else None)
        numbers = [record.get("sequence"), record.get("device_sequence")]
        assert [number for number in numbers if number] == [
            *([123] if count else []),
            *([45] if sequence else []),
        ]


@pytest.mark.parametrize("severity", range(8))
def test_the_code_gives_the_level_where_there_is_no_pri(severity: int) -> None:
    """As in a line from a file."""
    levels = ("CRITICAL", "CRITICAL", "CRITICAL", "ERROR", "WARN", "INFO", "INFO", "DEBUG")
    assert parse_line(f"%SYS-{severity}-X: y".encode())["level"] == levels[severity]


@pytest.mark.parametrize(
    "msg", ["%SYS-8-X: y", "%SYS-5: y", "%sys-5-x: y", "%SYS", "%A-" * 60, "5: no code", "100%: x"]
)
def test_what_only_looks_like_a_code_stays_in_the_message(msg: str) -> None:
    """It is left whole."""
    record: dict[str, Any] = parse_line(f"<189>Mar 14 15:00:00 router1 {msg}".encode())
    assert record["msg"] == msg
    assert "msgid" not in record
