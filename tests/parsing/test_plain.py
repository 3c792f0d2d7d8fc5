"""Lines of no known format."""

import pytest

from tests.parsing.helpers import RECEIVED, parse_line, parse_lines


@pytest.mark.parametrize(
    ("line", "ts", "level"),
    [
        ("2026-03-14 15:00:00,123 ERROR app.module Failed", "2026-03-14T15:00:00.123Z", "ERROR"),
        ("2026-03-14T15:00:00.5+01:00 [main] WARN c.e.App - x", "2026-03-14T14:00:00.5Z", "WARN"),
        ("[2026-03-14 15:00:00] prod.ERROR: boom", "2026-03-14T15:00:00Z", "ERROR"),
        ("[2026-03-14 15:00:00 +0000] [7] [INFO] Booting", "2026-03-14T15:00:00Z", "INFO"),
        ("2026/03/14 15:00:00 [error] 7#7: *1 open() failed", "2026-03-14T15:00:00Z", "ERROR"),
        ("2026/03/14 15:00:00 http: server closed", "2026-03-14T15:00:00Z", None),
        ("[Sat Mar 14 15:00:00.1 2026] [core:warn] [pid 7] x", "2026-03-14T15:00:00.1Z", "WARN"),
        ("W0314 15:00:00.678901   7 file.go:8] x", "2026-03-14T15:00:00.678901Z", "WARN"),
        ("I0314 15:00:00 7 file.go:8] x", "2026-03-14T15:00:00Z", "INFO"),
        ("E1399 15:00:00.1 7 file.go:8] x", RECEIVED, "ERROR"),
        ("F0230 15:00:00.1 7 file.go:8] x", RECEIVED, "CRITICAL"),
        ("ERROR 2026-03-14 15:00:00,123 boom", "2026-03-14T15:00:00.123Z", "ERROR"),
        ("[WARN] 2026-03-14T15:00:00Z boom", "2026-03-14T15:00:00Z", "WARN"),
        ("[INFO ] [2026-03-14T15:00:00Z] boom", "2026-03-14T15:00:00Z", "INFO"),
        ("INFO:root:started", RECEIVED, "INFO"),
        ("Mar 14 15:00:00.1 app[7] <Notice>: x", "2026-03-14T15:00:00.1Z", None),
        ("at 15:00 level=debug msg=x", RECEIVED, "DEBUG"),
        ('x "severity": "critical" y', RECEIVED, "CRITICAL"),
        ("error: could not open", RECEIVED, "ERROR"),
        ("Warning: deprecated", RECEIVED, "WARN"),
        ("an error occurred, for your info", RECEIVED, None),
        ("pre-ERROR ERROR-post my.ERROR.x", RECEIVED, None),
        ("x" * 100 + " ERROR", RECEIVED, None),
        ("x " * 48 + "ERRONEOUS", RECEIVED, None),
        ("1234567890 is a number", RECEIVED, None),
        ("200 OK", RECEIVED, None),
        ("[", RECEIVED, None),
    ],
)
def test_time_and_level_are_found_and_the_line_stays_whole(
    line: str, ts: str, level: str | None
) -> None:
    """A stamp at the start and a level near it are read; the message is the whole line."""
    (record,), batch = parse_lines(line.encode())
    assert record["msg"] == line
    assert (record["format"], record["emitter"]) == ("plain", "udp")
    assert (record["ts"], record["level"]) == (ts, level or "INFO")
    assert batch.missing_ts == (ts == RECEIVED)
    assert batch.missing_level == (level is None)


def test_what_was_inferred_of_the_stamp_is_said() -> None:
    """A zone or a year that the line lacks is guessed."""
    assert parse_line(b"2026-03-14 15:00:00 x")["guessed"] == ["zone"]
    assert parse_line(b"W0314 15:00:00 7 file.go:8] x")["guessed"] == ["year", "zone"]
    assert "guessed" not in parse_line(b"2026-03-14 15:00:00Z x")


@pytest.mark.parametrize("line", ["<xml>", "<>", "<1234>x", "<a>b", "{", "{not json}", "<13 >x"])
def test_what_looks_like_another_format_and_is_not(line: str) -> None:
    """It is kept whole."""
    assert parse_line(line.encode())["msg"] == line
    assert parse_line(line.encode())["format"] == "plain"
