"""Structured messages: told apart by how they start, and never a reason to lose a line."""

import re
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.encoding import encode
from logopsd.parsing.lines import LineParser
from logopsd.parsing.messages import MESSAGE_HINT, match_message
from logopsd.records import Frames
from tests.parsing.helpers import batch_at, parse_line

HEADERS = (
    *("", "<13>", "<999>", "<13>Mar 14 15:00:00 h ", "<13>Mar 14 15:00:00 h app[1]: "),
    "<13>1 2026-03-14T15:00:00Z h app - - - ",
)
STARTS = (
    *('{"msg":', '@cee: {"a":', "CEF:0|a|b|c|d|e|5|", "CEF:0|", "LEEF:2.0|a|b|c|d|^|", "LEEF:1.0|"),
    *("level=info msg=", "date=2026-03-14 time=15:00:00 devid=", 'a="', "system,info,account "),
    *(
        "123: *Mar  1 18:46:11.123 UTC: %SYS-5-CONFIG_I: ",
        "%ASA-6-302013: ",
        "1: 2w3d: ",
        ": 2026 ",
    ),
    *("1,2026/03/14 15:00:00,007,TRAFFIC,", '83.11.22.33 - - [14/Mar/2026:15:00:00 +0100] "GET '),
    *("10.0.1.2:33317 [14/Mar/2026:15:00:00.655] a b/c 1/2 200 ", "MSWinEventLog\t1\t", "fe80::1 "),
    *("err tmm[7]: ", "type=X msg=audit(1773500400.243:1): "),
)
NOISE = st.text() | st.sampled_from(["=", "|", "\\", '"', "a=b ", " ", "]", "\t", "%A-5-B: ", ","])


@given(st.sampled_from(HEADERS), st.sampled_from(STARTS), st.lists(NOISE).map("".join))
def test_no_message_is_lost_or_breaks_a_record(header: str, start: str, rest: str) -> None:
    """Whatever follows the start of a known form, one record comes out that can be encoded."""
    batch = batch_at()
    LineParser(tz=UTC).parse(Frames([f"{header}{start}{rest}".encode()]), None, batch)
    (record,) = batch.records
    assert encode(batch.records).count(b"\n") == 1
    assert record.received == batch.received
    assert record.format in ("rfc5424", "rfc3164", "json", "logfmt", "plain")
    assert batch.missing_ts == (record.ts == batch.received)


@pytest.mark.parametrize(
    "msg",
    [
        *(
            "Failed password for root",
            "Connection closed",
            "[123.4] usb",
            "(root) CMD (x)",
            "info: x",
        ),
        *("100% done", "a, b", "12 monkeys", "", " ", "<x>", "key = value", "C", "é=1", "word: 1a"),
    ],
)
def test_prose_is_no_structured_message(msg: str) -> None:
    """It is left as it is, whatever the hint makes of its first characters."""
    record = parse_line(f"<13>Mar 14 15:00:00 h app: {msg}".encode())
    assert record["msg"] == msg
    assert set(record) <= {
        *("ts", "level", "msg", "emitter", "facility", "severity", "host", "app", "format"),
        "guessed",
    }


@pytest.mark.parametrize("start", STARTS)
def test_the_hint_knows_how_every_form_starts(start: str) -> None:
    """Each of the known forms is noticed, but for the one that is told by the missing tag."""
    assert bool(re.match(MESSAGE_HINT, start)[1]) == (not start.startswith("err"))  # type: ignore[index]


def test_a_message_stands_behind_one_blank() -> None:
    """The blank and a byte-order mark are no part of it."""
    assert match_message("x: hello", 2) == ("", "hello")
    assert match_message("x: \ufeff{}", 2) == ("{", "{}")
    assert match_message("x", 1) == ("", "")
