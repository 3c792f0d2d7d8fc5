"""Stamps as senders write them, into RFC 3339 UTC text.

A stamp is handled as text in two parts: up to the second, which repeats from line to line and is
therefore converted once and remembered, and the fraction, which is passed on as the sender gave
it. "Now" is handed in with `Stamps.at`.

Sources: RFC 3339, RFC 5424 section 6.2.3, RFC 3164 section 4.1.2.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from logopsd.parsing.stamp_forms import MONTHS, ZONE_HOURS, match_stamp, parts_of
from logopsd.patterns import lazy_pattern

MAX_CACHED_STAMPS: Final = 4096
"""Entries of a stamp cache: over an hour of one per second, in well under 1 MiB. A cache that is
full is emptied: clocks go forward, so what is old is of no more use."""

_SECOND: Final = len(":ss")

GUESSED_YEAR_AND_ZONE: Final = ["year", "zone"]
"""Shared by all records of a year-less stamp without a zone, as nobody changes it."""

_GUESSED: Final = {
    (True, True): GUESSED_YEAR_AND_ZONE,
    (True, False): ["year"],
    (False, True): ["zone"],
    (False, False): None,
}

_HALF_A_YEAR: Final = timedelta(days=184)
_SURELY_NEAREST: Final = timedelta(days=182)
"""So near, no other year can be nearer: not to try them, a stamp takes 4.7 us in place of 12."""
_ONE_SECOND: Final = timedelta(seconds=1)

# By far the most usual form in payloads.
_RFC3339: Final = lazy_pattern(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?>(\.[0-9]{1,6}+)?)[0-9]*+"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)

# An epoch number: digits, and a fraction. The unit follows from the number of digits, for any
# instant between 1973 and 2286; 11 digits fit no unit, 14 and 17 are dates written compactly.
_EPOCH: Final = lazy_pattern(r"([0-9]{9,19})(?:[.,]([0-9]+))?", re.ASCII)
# Digits of the number -> how many of them stand for the part below a second.
_EPOCH_SUBSECOND_DIGITS: Final = {9: 0, 10: 0, 12: 3, 13: 3, 15: 6, 16: 6, 18: 9, 19: 9}

MAX_STAMP_CHARS: Final = 64
"""A value longer than this is no stamp; the longest form known has some 40 characters."""


class Stamp(NamedTuple):
    """A stamp that was understood.

    Attributes:
        ts: RFC 3339, UTC, `Z`, with the fraction the sender gave, at most 6 digits.
        guessed: what was inferred, `year` and `zone`, or None. Shared: not to be changed.
        end: where in the text the stamp ends.
    """

    ts: str
    guessed: list[str] | None
    end: int


class _Cache(dict[str, str]):
    """Text -> converted text, computed where missing, bounded; empty where unreadable."""

    def __init__(self, convert: Callable[[str], str]) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, key: str) -> str:
        if len(self) >= MAX_CACHED_STAMPS:
            self.clear()
        self[key] = converted = self._convert(key)
        return converted


class Stamps:
    """Converts stamps; lives as long as the daemon and holds the caches.

    Args:
        tz: the zone of stamps that carry none.

    Attributes:
        iso: `YYYY-MM-DDThh:mm:ss` and a zone (`Z`, `+hh:mm`, or nothing for `tz`) -> the same
            instant as `YYYY-MM-DDThh:mm:ss` in UTC, or an empty text where there is none.
        bsd: `Mmm dd hh:mm:ss` in `tz`, of the year that brings it nearest to now -> likewise.
    """

    def __init__(self, *, tz: tzinfo) -> None:
        self._tz = tz
        self._epoch = 0.0
        self._hour = 0
        # What several zones bear for a name means ours, where ours bears it too.
        seasons = [datetime(2000, month, 1, tzinfo=tz) for month in (1, 7)]
        self._own_names = {f"{season:%Z}": season.isoformat()[19:25] for season in seasons}
        self.iso = _Cache(self._convert_iso)
        self.bsd = _Cache(self._convert_bsd)
        self._minutes = _Cache(self._convert_minute)
        self._scanned: dict[str, tuple[str, list[str] | None]] = {}

    def at(self, now: float) -> None:
        """Set the time of arrival, seconds since the epoch, for what is converted from here on.

        What was guessed by an older "now" is forgotten once an hour.
        """
        hour = int(now // 3600)
        if hour != self._hour:
            self._hour = hour
            self.iso.clear()
            self.bsd.clear()
            self._minutes.clear()
            self._scanned.clear()
        self._epoch = now

    @property
    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._epoch, UTC)

    def read_rfc3339(self, text: str) -> str:
        """Read the most usual form alone: what `read` makes of it, or an empty text."""
        match = _RFC3339.fullmatch(text) if len(text) <= MAX_STAMP_CHARS else None
        if match is None:
            return ""
        second, fraction, zone = match.groups("")
        base = self.iso[second + zone]
        return f"{base}{fraction}Z" if base else ""

    def scan(self, text: str, start: int = 0) -> Stamp | None:
        """Read a stamp of any known form that stands in `text` at `start`."""
        match = match_stamp(text, start)
        if match is None:
            return None
        head, fraction, tail = match.group("head", "fraction", "tail")
        found = self._scanned.get(head + tail)
        if found is None:
            found = self._resolve(match, head + tail)
        base, guessed = found
        return Stamp(_join(base, (fraction or "")[:6]), guessed, match.end()) if base else None

    def read(self, value: object) -> Stamp | None:
        """Read the value of a time field: text of any known form, or an epoch number."""
        if type(value) is int or type(value) is float:
            return self.read_epoch(_digits(value))
        if type(value) is not str or len(value) > MAX_STAMP_CHARS:
            return None
        if ts := self.read_rfc3339(value):
            return Stamp(ts, None, len(value))
        text = value.strip(" \t[]")
        stamp = self.read_epoch(text) if text[4:10].isdigit() else None
        if stamp is None:
            stamp = self.scan(text)
        return stamp if stamp is not None and stamp.end == len(text) else None

    def read_epoch(self, text: str) -> Stamp | None:
        """Read seconds, milliseconds, microseconds or nanoseconds since the epoch."""
        match = _EPOCH.fullmatch(text)
        if match is None:
            return None
        digits, fraction = match.groups("")
        below = _EPOCH_SUBSECOND_DIGITS.get(len(digits))
        if below is None:
            return None
        seconds = digits[: len(digits) - below]
        fraction = (digits[len(seconds) :] + fraction)[:6]
        utc = datetime.fromtimestamp(int(seconds), UTC)
        return Stamp(_join(_text(utc), fraction), None, len(text))

    def _resolve(self, match: re.Match[str], key: str) -> tuple[str, list[str] | None]:
        """Convert a stamp that was found, and remember it by its text without the fraction."""
        parts = parts_of(match)
        clock = f"{parts.hour}:{parts.minute}:{parts.second}"
        zone, zone_known = _offset(parts.zone)
        if not zone_known and parts.zone is not None and parts.zone in self._own_names:
            zone, zone_known = self._own_names[parts.zone], True
        if parts.year is None:
            day = f"{parts.month} {int(parts.day):2d} {clock}"
            base = self.bsd[day] if zone is None else self._nearest(day, zone)
        else:
            base = self.iso[f"{parts.year}-{parts.month}-{int(parts.day):02d}T{clock}{zone or ''}"]
        if len(self._scanned) >= MAX_CACHED_STAMPS:
            self._scanned.clear()
        found = base, _GUESSED[parts.year is None, not zone_known]
        self._scanned[key] = found
        return found

    def _convert_iso(self, text: str) -> str:
        leap = text[17:19] == "60"
        if leap:
            text = f"{text[:17]}59{text[19:]}"
        try:
            moment = datetime.fromisoformat(text)
            utc = self._to_utc(moment) if moment.tzinfo is None else moment.astimezone(UTC)
            return _text(_after_leap_second(utc) if leap else utc)
        except (ValueError, OverflowError):
            return ""

    def _convert_bsd(self, text: str) -> str:
        """Convert the minute, as the seconds stay: of old lines each brings another second.

        1 us in place of 12. No zone has been off by less than a minute since 1972.
        """
        second = text[-_SECOND:]
        if second.isascii() and second[1:].isdigit() and ":00" <= second <= ":59":
            minute = self._minutes[text[:-_SECOND]]
            return minute and minute + second
        return self._nearest(text, None)  # a leap second, or none

    def _convert_minute(self, text: str) -> str:
        return self._nearest(f"{text}:00", None)[:-_SECOND]

    def _nearest(self, text: str, zone: str | None) -> str:
        """Convert `Mmm dd hh:mm:ss` with the year that brings it nearest to now."""
        month = MONTHS.get(text[:3])
        if month is None:
            return ""
        try:
            offset = datetime.fromisoformat(f"2000-01-01T00:00{zone or ''}").tzinfo
        except ValueError:  # `+79` is no offset
            return ""
        moments = []
        now = self._now
        for year in (now.year, now.year - 1, now.year + 1):
            moment = self._moment(f"{year}-{month}-{text[4:].lstrip():0>11}", offset)
            if moment is None:
                continue
            away = abs(moment - now)
            if away <= _SURELY_NEAREST:
                return _text(moment)
            if away <= _HALF_A_YEAR:
                moments.append(moment)
        if not moments:
            return ""
        return _text(min(moments, key=self._distance))

    def _moment(self, text: str, offset: tzinfo | None) -> datetime | None:
        leap = text.endswith(":60")
        if leap:
            text = f"{text[:-2]}59"
        try:
            moment = datetime.fromisoformat(text).replace(tzinfo=offset)
            utc = self._to_utc(moment) if offset is None else moment.astimezone(UTC)
            return _after_leap_second(utc) if leap else utc
        except (ValueError, OverflowError):
            return None

    def _to_utc(self, naive: datetime) -> datetime:
        """Convert a local time; of two, where clocks were put back, the one nearer to now."""
        first = naive.replace(tzinfo=self._tz).astimezone(UTC)
        second = naive.replace(tzinfo=self._tz, fold=1).astimezone(UTC)
        return first if first == second else min(first, second, key=self._distance)

    def _distance(self, moment: datetime) -> timedelta:
        return abs(moment - self._now)


def _after_leap_second(utc: datetime) -> datetime:
    """Return the second after :59, which POSIX clocks give to a leap second; it ends a UTC day."""
    if (utc.hour, utc.minute) != (23, 59):
        raise ValueError
    return utc + _ONE_SECOND


def _offset(zone: str | None) -> tuple[str | None, bool]:
    """Return the offset that a written zone means (None: our own), and whether that is sure."""
    if zone is None:
        return None, False
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        return f"{zone[0]}{digits[:2]}:{digits[2:]}", True
    return ZONE_HOURS[zone]


def _text(utc: datetime) -> str:
    return utc.isoformat()[:19]


def _join(base: str, fraction: str) -> str:
    return f"{base}.{fraction}Z" if fraction else f"{base}Z"


def _digits(number: float) -> str:
    if isinstance(number, float) and abs(number) >= 1e15 and number.is_integer():
        number = int(number)
    # Beyond any epoch number; an int of thousands of digits is not turned into text at all.
    return str(number) if abs(number) < 1e20 else ""
