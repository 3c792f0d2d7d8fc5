"""The numbers that senders give their messages: how many of them never came.

RFC 5424 section 7.3.1 has the number in structured data, Cisco devices write it before the message.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from operator import lt
from typing import Final

from logopsd.records import Record

MAX_SEQUENCE: Final = 2_147_483_647
"""Of RFC 5424 section 7.3.1; the next one is 1 again."""

MAX_GAP: Final = 100_000
"""Numbers left out at once; more is a counter that was set anew, and no loss."""

LATE: Final = 64
"""How far back a number may lie that came late, as UDP mixes them; more is a restart."""

_MAX_DIGITS: Final = len(str(MAX_SEQUENCE))


def sequence_of(record: Record) -> int:
    """Return the number a sender gave a record; 0 where it gave none.

    Of a Cisco device a code stands behind the number, here the MSGID; a field of a payload by
    that name is none.
    """
    if record.sd is not None:
        meta = record.sd.get("meta")
        number = None if meta is None else meta.get("sequenceId")
        if type(number) is str and len(number) <= _MAX_DIGITS:
            return int(number) if number.isascii() and number.isdigit() else 0
    elif record.extras is not None and record.msgid is not None and record.format == "rfc3164":
        number = record.extras.get("sequence")
        if type(number) is int and number > 0:
            return number
    return 0


def follow(numbers: Sequence[int], highest: int, gaps: int) -> tuple[int, int]:
    """Go on counting what is left out.

    Args:
        numbers: the next ones of a sender, as they came; none of them 0.
        highest: the number after which the first of these is due; 0 where any is.
        gaps: how many were left out before.

    Returns:
        Both anew.
    """
    if not numbers:
        return highest, gaps
    first, last = numbers[0], numbers[-1]
    if (
        highest
        and 1 <= first - highest <= MAX_GAP
        and last - first <= MAX_GAP
        and last < MAX_SEQUENCE
        and all(map(lt, numbers, islice(numbers, 1, None)))
    ):
        return last, gaps + last - highest - len(numbers)
    return follow_each(numbers, highest, gaps)


def follow_each(numbers: Iterable[int], highest: int, gaps: int) -> tuple[int, int]:
    """Do as `follow`, number by number: what that must agree with, where they only go up."""
    for number in numbers:
        ahead = number - highest
        if highest and 1 < ahead <= MAX_GAP:
            gaps += ahead - 1
        elif -LATE < ahead <= 0 and number > 1:
            gaps = max(0, gaps - (ahead < 0))  # it was counted as left out
            continue
        highest = 0 if number >= MAX_SEQUENCE else number
    return highest, gaps
