"""PRI and level words."""

import pytest

from logopsd.parsing.priority import PRIORITIES, level_of, priority, severity_of
from logopsd.records import LEVELS
from tests.parsing.helpers import parse_lines


def test_every_pri_has_its_entry() -> None:
    """All 192 values are known; the level follows from the severity alone."""
    assert len(PRIORITIES) == 192
    assert PRIORITIES["0"] == ("kern", "emerg", "CRITICAL")
    assert PRIORITIES["86"] == ("authpriv", "info", "INFO")
    assert PRIORITIES["191"] == ("local7", "debug", "DEBUG")
    assert [PRIORITIES[str(number)][2] for number in range(8)] == [
        *("CRITICAL", "CRITICAL", "CRITICAL", "ERROR", "WARN", "INFO", "INFO", "DEBUG")
    ]


@pytest.mark.parametrize(("text", "known"), [("013", "13"), ("000", "0"), ("00", "0")])
def test_leading_zeros_of_a_pri_mean_nothing(text: str, known: str) -> None:
    """`<013>` is `<13>`."""
    assert priority(text) == PRIORITIES[known]


@pytest.mark.parametrize("text", ["192", "999"])
def test_a_pri_over_191_has_no_meaning(text: str) -> None:
    """Such a PRI names neither facility nor severity."""
    assert priority(text) is None


@pytest.mark.parametrize(
    "line",
    [b"<192>Mar 14 15:00:00 host app: hello", b"<192>1 2026-03-14T15:00:00Z host app - - - hello"],
)
def test_a_pri_over_191_is_kept_beside_the_message(line: bytes) -> None:
    """The message stays, the PRI is kept as it was written, and the level counts as missing."""
    (record,), batch = parse_lines(line)
    assert record["pri_orig"] == "192"
    assert (record["host"], record["app"], record["msg"]) == ("host", "app", "hello")
    assert record["level"] == "INFO"
    assert "facility" not in record
    assert "severity" not in record
    assert (batch.missing_level, batch.missing_ts) == (1, 0)


@pytest.mark.parametrize(
    ("value", "level"),
    [
        *(("info", "INFO"), ("Information", "INFO"), ("NOTICE", "INFO"), ("[warn]", "WARN")),
        *(("err", "ERROR"), (" Error: ", "ERROR"), ("fatal", "CRITICAL"), ("CRIT", "CRITICAL")),
        *(("trace", "DEBUG"), ("daemon.err", "ERROR"), ("E", "ERROR"), ("emerg", "CRITICAL")),
        *((0, "CRITICAL"), (3, "ERROR"), (4, "WARN"), (7, "DEBUG"), ("6", "INFO"), ("3", "ERROR")),
        *((10, "DEBUG"), (20, "DEBUG"), (30, "INFO"), (35, "INFO"), (40, "WARN"), (50, "ERROR")),
        *((60, "CRITICAL"), ("30", "INFO"), (4.0, "WARN"), (69, "CRITICAL")),
        *((8, None), (9, None), (70, None), (-1, None), (4.5, None), (True, None), (None, None)),
        *(("", None), ("high", None), ({}, None), ("x" * 100_000, None), ("99", None)),
        *(("٣", None), (float("inf"), None), (float("nan"), None)),
    ],
)
def test_levels_are_read_from_words_and_numbers(value: object, level: str | None) -> None:
    """Words in any case, syslog numbers, and the numbers of pino and bunyan are understood."""
    assert level_of(value) == level
    assert level is None or level in LEVELS


@pytest.mark.parametrize(
    ("value", "severity"),
    [
        *(("notice", "notice"), (" WARNING ", "warning"), (5, "notice"), ("0", "emerg")),
        *((8, None), (-1, None), ("high", None), ("8", None), (None, None), (5.0, None)),
    ],
)
def test_severities_are_keywords_or_numbers(value: object, severity: str | None) -> None:
    """Only what syslog itself calls a severity is one."""
    assert severity_of(value) == severity
