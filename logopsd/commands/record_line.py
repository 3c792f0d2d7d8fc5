"""One record as one line for people: what is shown, in which colour, and what filters let pass."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from logopsd.records import LEVELS
from logopsd.stored.lines import Fields, beside, received

COLOURS: Final = {"DEBUG": "2", "INFO": "", "WARN": "33", "ERROR": "31", "CRITICAL": "1;31"}
"""Level -> SGR parameters (ECMA-48 section 8.3.117)."""

_RANKS: Final = {level: rank for rank, level in enumerate(LEVELS)}

# Of JSON, the control characters that encoders leave as they are, and those that turn text round.
_UNSAFE_JSON: Final = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Filter:
    """What is shown.

    Attributes:
        level: this level and worse; None for all.
        emitters: of these alone; empty for all.
        text: stands in the line as it is shown, in small letters or capitals; empty for all.
        since: received at this time or later, RFC 3339 UTC; empty for all.
    """

    level: str | None = None
    emitters: Collection[str] = ()
    text: str = ""
    since: str = ""

    def passes(self, record: Fields) -> bool:
        """Whether a record is shown."""
        if self.level is not None and _rank(record) < _RANKS[self.level]:
            return False
        if self.emitters and record.get("emitter") not in self.emitters:
            return False
        if self.since and received(record) < self.since:
            return False
        return not self.text or self.text.lower() in shown(record).lower()


def shown(record: Fields, *, colour: bool = False, width: int = 0) -> str:
    """A record as a line; no character of it moves the cursor.

    Args:
        record: as `lines.read` gives it.
        colour: in that of its level.
        width: columns to cut it to; 0 for none.
    """
    stamp, level = _stamp(record), escaped(str(record.get("level", "-")))
    where = [str(record[name]) for name in ("host", "emitter") if record.get(name)]
    message = " ".join(where) + ": " if where else ""
    more = "".join(f" {name}={value}" for name, value in beside(record))
    text = escaped(f"{message}{record.get('msg', '')}{more}")
    head = f"{stamp} {level:8} "
    if width:
        text = cut(text, max(1, width - len(head)))
    style = COLOURS.get(level, "") if colour else ""
    return f"\x1b[{style}m{head}{text}\x1b[0m" if style else head + text


def _rank(record: Fields) -> int:
    return _RANKS.get(str(record.get("level")), -1)


def _stamp(record: Fields) -> str:
    """The sender's time to the second, UTC; with its day where it did not arrive on that day."""
    time = str(record.get("ts", ""))
    if len(time) < len("2026-11-23T12:34:56"):
        return "-" * 8
    return escaped(time[11:19] if time[:10] == received(record)[:10] else time[:19])


def escaped(text: str) -> str:
    r"""Text with everything that is not printable as in a Python string: `\n`, `\x1b`."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "replace").decode()
        for each in text
    )


def safe_json(line: bytes) -> bytes:
    r"""A line of JSON that a terminal can be shown: the same value, controls as `\u009b`."""
    text = line.decode("utf-8", "backslashreplace")
    text = _UNSAFE_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    if any(ord(each) < 0x20 for each in text):  # no JSON, then
        text = escaped(text)
    return text.encode("utf-8", "backslashreplace")


def cut(text: str, width: int) -> str:
    """Text that takes so many columns at most, with `~` at the end where it was cut."""
    if text.isascii():
        return text if len(text) <= width else f"{text[: width - 1]}~"
    used = 0
    for index, each in enumerate(text):
        used += _columns(each)
        if used > width:
            kept = text[:index]
            while sum(map(_columns, kept)) > width - 1:
                kept = kept[:-1]
            return kept + "~"
    return text


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
