"""The forms in which stamps are written, as patterns that take them into their parts.

Which pattern is tried follows from the first character. None of them can backtrack further than
the stamp itself is long.
"""

import re
from typing import Final, NamedTuple

from logopsd.patterns import lazy_pattern

MONTHS: Final = {
    name: f"{number:02d}"
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
"""The English month names of stamps -> their two digits."""

ZONE_HOURS: Final[dict[str, tuple[str, bool]]] = {
    **dict.fromkeys(("Z", "z", "UTC", "GMT", "UT", "WET"), ("+00:00", True)),
    **dict.fromkeys(("CET", "WEST", "MEZ"), ("+01:00", True)),
    **dict.fromkeys(("CEST", "EET", "MESZ", "SAST"), ("+02:00", True)),
    **dict.fromkeys(("EEST", "MSK"), ("+03:00", True)),
    **dict.fromkeys(("JST", "KST"), ("+09:00", True)),
    **dict.fromkeys(("AEST",), ("+10:00", True)),
    **dict.fromkeys(("AEDT",), ("+11:00", True)),
    **dict.fromkeys(("NZST",), ("+12:00", True)),
    **dict.fromkeys(("NZDT",), ("+13:00", True)),
    **dict.fromkeys(("EDT",), ("-04:00", True)),
    **dict.fromkeys(("EST", "CDT"), ("-05:00", True)),
    **dict.fromkeys(("MDT",), ("-06:00", True)),
    **dict.fromkeys(("MST", "PDT"), ("-07:00", True)),
    **dict.fromkeys(("PST", "AKDT"), ("-08:00", True)),
    **dict.fromkeys(("AKST",), ("-09:00", True)),
    **dict.fromkeys(("HST",), ("-10:00", True)),
    # Borne by several zones: the most widespread is taken, and said to be a guess.
    "CST": ("-06:00", False),
    "IST": ("+05:30", False),
    "BST": ("+01:00", False),
}
"""The name of a zone -> (its offset, whether the name has one meaning only)."""


class Parts(NamedTuple):
    """A stamp taken apart, nothing checked yet but the number of digits.

    Attributes:
        year: four digits, or None where it is not written.
        month: two digits, or the English name of three letters where the year is missing.
        day: one or two digits.
        hour: two digits.
        minute: two digits.
        second: two digits.
        zone: `Z`, `+hh:mm`, `+hhmm`, `+hh`, a name, or None.
    """

    year: str | None
    month: str
    day: str
    hour: str
    minute: str
    second: str
    zone: str | None


_ZONE: Final = (
    r"(?P<zone> ?(?:Z|z|[+-][0-9]{2}:?[0-9]{2}|"
    + "|".join(sorted(ZONE_HOURS, reverse=True))
    # A bare `+hh` only without a blank: behind one it may be any number.
    + r")|[+-][0-9]{2})?(?![0-9A-Za-z]|:[0-9])"
)
_CLOCK: Final = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_MONTH: Final = r"(?P<month>" + "|".join(MONTHS) + r")"
_WEEKDAY: Final = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? {1,3})?"


def _compile(head: str, point: str = "[.,]", tail: str = "") -> re.Pattern[str]:
    """Compile a form: what stands before the fraction, the fraction, the zone and what follows."""
    return lazy_pattern(rf"(?P<head>{head})(?:{point}(?P<fraction>[0-9]+))?(?P<tail>{_ZONE}{tail})")


# 2024-05-03T12:00:00.123+02:00, 2024-05-03 12:00:00,123, 2024/05/03 12:00:00, 2024-05-03T12:00Z
_ISO: Final = _compile(
    r"(?P<year>[0-9]{4})(?P<dash>[-/.])(?P<month>[0-9]{2})(?P=dash)(?P<day>[0-9]{2})"
    r"(?:[Tt_-]| {1,2})(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?",
    # Some write milliseconds behind a colon.
    point="(?:[.,]|:(?=[0-9]{3}(?![0-9])))",
)
# 20240503T120000Z, 20240503 12:00:00, 20240503120000, 20240503120000123
_COMPACT: Final = _compile(
    r"(?P<year>(?:19|20)[0-9]{2})(?P<month>[0-9]{2})(?P<day>[0-9]{2})[Tt -]?"
    r"(?P<hour>[0-9]{2}):?(?P<minute>[0-9]{2}):?(?P<second>[0-9]{2})",
    point="[.,]?",
)
# 03/May/2024:12:00:00 +0200 (Common Log Format), 03-May-2024 12:00:00.123,
# Fri, 03 May 2024 12:00:00 +0200 (RFC 2822)
_DAY_FIRST: Final = _compile(
    rf"{_WEEKDAY}(?P<day>[0-9]{{1,2}})[ /-]{_MONTH}[ /-](?P<year>[0-9]{{4}})[: T]{_CLOCK}"
)
# May  3 12:00:00, May  3 12:00:00.123, May 3 2024 12:00:00, Fri May  3 12:00:00 CEST 2024,
# 2024 May  3 12:00:00, May  3 12:00:00 2024
_MONTH_FIRST: Final = _compile(
    rf"(?:(?P<year1>[0-9]{{4}}) )?{_WEEKDAY}{_MONTH} {{1,2}}(?P<day>[0-9]{{1,2}})"
    rf"(?: (?P<year2>[0-9]{{4}}))? {_CLOCK}",
    tail=r"(?: (?P<year3>(?:19|20)[0-9]{2})(?![0-9A-Za-z:.]))?",
)
_FIRST_LETTERS: Final = frozenset(
    (*MONTHS, *("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")),
)


def match_stamp(text: str, start: int = 0) -> re.Match[str] | None:
    """Return the match of the stamp that stands in `text` at `start`, or None.

    Its groups `head`, `fraction` and `tail` are what stands before the fraction, its digits, and
    what stands behind it; `parts_of` takes it further apart.
    """
    if text[start : start + 1].isdigit():
        return (
            _ISO.match(text, start)
            or _DAY_FIRST.match(text, start)
            or _COMPACT.match(text, start)
            or _MONTH_FIRST.match(text, start)
        )
    if text[start : start + 3] in _FIRST_LETTERS:
        return _MONTH_FIRST.match(text, start) or _DAY_FIRST.match(text, start)
    return None


def parts_of(match: re.Match[str]) -> Parts:
    """Return the parts of a stamp that `match_stamp` found."""
    part = match.groupdict().get
    year = part("year") or part("year1") or part("year2") or part("year3")
    month = match["month"]
    return Parts(
        year,
        month if year is None else MONTHS.get(month, month),
        match["day"],
        match["hour"].zfill(2),
        match["minute"],
        match["second"] or "00",
        (match["zone"] or "").strip() or None,
    )
