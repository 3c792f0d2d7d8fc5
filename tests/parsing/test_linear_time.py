"""No line makes a parser slow: the time grows with the length, not with its square."""

import time
from datetime import UTC

import pytest

from logopsd.parsing.lines import LineParser
from logopsd.records import Frames
from tests.parsing.helpers import batch_at

LENGTH = 1024 * 1024
SECONDS = 3.0
"""A square of the length would be hours; linear is some hundredths of a second."""

HEAD = "<13>1 2026-03-14T15:00:00Z h a p m "
CEF = "CEF:0|1|2|3|4|5|6|"
LEEF = "LEEF:1.0|1|2|3|4|"
BSD = "<13>Mar 14 15:00:00 "


@pytest.mark.parametrize(
    ("head", "filling"),
    [
        *((HEAD, "["), (HEAD, "[x "), (HEAD, "[x]"), (HEAD, '[x a="1"]'), (HEAD + "[x", ' a="1"')),
        *((HEAD + '[x a="', "\\"), (HEAD + '[x a="', '\\"'), (HEAD + "[x ", "a"), (HEAD, "- ")),
        *((HEAD + "[x", " "), (HEAD + '[x a="1"', " "), (HEAD + '[x a="1', '" b="')),
        *(("<13>1 ", " "), ("<13>1 ", "a "), ("<13>1 2026-03-14T15:00:00.", "1"), ("<13>1 ", "1")),
        *(("<13>1 2026-03-14T15:00:00Z ", "a"), ("<13>1 2026-03-14T15:00:00Z ", " ")),
        *((BSD, "a"), (BSD, "a."), (BSD, ":"), (BSD, "a:"), (BSD, "0:0"), (BSD, "["), (BSD, "a[")),
        *((BSD, " "), (BSD, "::1%a"), (BSD + "h ", "a"), (BSD + "h a[", "1"), (BSD + "h ", "a[1]")),
        *(("<13>", " "), ("<13>Mar 14 15:00:00.", "1"), ("<13>Mar  ", " "), ("<13>", "<13>")),
        *(("", "<"), ("", "{"), ("", "["), ("", "9"), ("", "\0"), ("", " "), ("", "\ufeff")),
        *(('{"a":', "["), ('{"a":', '{"a":'), ('{"a":"', "\\u"), ('{"a":"', "\\ud800"), ("{", '"')),
        *(('{"a":', "9"), ("[", "Mar "), ("2026-03-14 15:00:00.", "1"), ("W0314 15:00:00.", "1")),
        *(("", "ERROR"), ("", "error "), ("", "[level="), ("", "a."), ("", "-"), ("2026", "-")),
        *(
            ("CEF:0|", "\\|"),
            ("CEF:0|1|2|3|4|5|6|", "a=b "),
            ("CEF:0|1|2|3|4|5|6|", "a" * 99 + " "),
        ),
        *(
            ("CEF:0|", "|"),
            ("LEEF:1.0|1|2|3|4|", "a=b\t"),
            ("LEEF:1.0|1|2|3|4|", "a"),
            ("LEEF:1", "|"),
        ),
        *((BSD + "h ", "%A"), (BSD + "h %", "A-"), (BSD + "h ", "1: "), (BSD + "h ", "*M")),
        *((BSD + "h ", "a,info"), (BSD + "h ", "MSWinEventLog\t"), (BSD + "h info ", "a")),
        *(("1.1.1.1 - - [", "1"), ("1.1.1.1:1 [" + "1" * 30 + "] a b/c 1 ", "1"), ("1,2026/", ",")),
        *(
            ('1.1.1.1 - - [03/May/2024:12:00:00 +0200] "', "\\"),
            ("", "1.1 "),
            ("", "f."),
            ("", ":"),
        ),
        *(("", "é"), ("Mon, ", " "), ("Mar ", " "), ("2026-03-14 15:00:00", " "), ("", "1 ")),
    ],
)
@pytest.mark.parametrize("end", ["", '"]}\n'])
def test_a_mebibyte_of_anything_takes_bounded_time(head: str, filling: str, end: str) -> None:
    """Lines made to trip each pattern up are still read in linear time."""
    text = head + filling * ((LENGTH - len(head)) // len(filling)) + end
    frames = Frames([text.encode()])
    batch = batch_at()
    start = time.process_time()
    LineParser(tz=UTC).parse(frames, None, batch)
    assert time.process_time() - start < SECONDS
    assert len(batch.records) == 1


def test_a_mebibyte_of_invalid_bytes_takes_bounded_time() -> None:
    """Neither do bytes that are not UTF-8."""
    batch = batch_at()
    start = time.process_time()
    LineParser(tz=UTC).parse(
        Frames([b"\xff" * LENGTH, b"\xff\xc3\xa4" * (LENGTH // 3)]), None, batch
    )
    assert time.process_time() - start < SECONDS
    assert [len(record.msg) for record in batch.records] == [LENGTH, LENGTH // 3 * 2]
