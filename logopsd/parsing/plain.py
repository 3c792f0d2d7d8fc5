"""Lines of no known format: kept whole, with the time and the level that can be found in them."""

import re
from typing import Final

from logopsd.parsing.level_search import LEADING_LEVEL, find_level
from logopsd.parsing.priority import LEVEL_WORDS
from logopsd.parsing.stamp_forms import MONTHS
from logopsd.parsing.timestamps import GUESSED_YEAR_AND_ZONE, Stamp, Stamps
from logopsd.patterns import lazy_pattern
from logopsd.records import Batch, Record

# glog, klog: Lmmdd hh:mm:ss.uuuuuu threadid file:line] msg
_GLOG: Final = lazy_pattern(
    r"([IWEFD])([0-9]{2})([0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,6}))?[0-9]*+ "
)
_MONTH_NAMES: Final = {number: name for name, number in MONTHS.items()}
_GLOG_LEVELS: Final = {"I": "INFO", "W": "WARN", "E": "ERROR", "F": "CRITICAL", "D": "DEBUG"}

# Monolog, Laravel: [2024-05-03 12:00:00] production.ERROR: ...
_MONOLOG: Final = lazy_pattern(r"\] [\w-]{1,64}\.([A-Z]{4,9}): ")


class PlainParser:
    """Keeps any line whole.

    Args:
        stamps: converts the stamps, shared by all parsers.
    """

    def __init__(self, stamps: Stamps) -> None:
        self._stamps = stamps

    def parse(self, text: str, peer: str | None, batch: Batch, emitter: str) -> Record:
        """Return the record of a line of any form.

        Args:
            text: the line.
            peer: the sender's address.
            batch: for its time and input; what is missing is counted in it.
            emitter: who is named as the producer.
        """
        stamp, level = self._find(text)
        if stamp is None:
            batch.missing_ts += 1
        if level is None:
            batch.missing_level += 1
        return Record(
            batch.received if stamp is None else stamp.ts,
            level or "INFO",
            text,
            emitter=emitter,
            input=batch.input,
            peer=peer,
            received=batch.received,
            format="plain",
            guessed=None if stamp is None else stamp.guessed,
        )

    def _find(self, text: str) -> tuple[Stamp | None, str | None]:
        """Return the stamp and the level that a line starts with."""
        glog = _GLOG.match(text)
        if glog is not None:
            return self._read_glog(glog), _GLOG_LEVELS[glog[1]]
        stamp = self._stamps.scan(text, 1 if text.startswith("[") else 0)
        if stamp is not None and (monolog := _MONOLOG.match(text, stamp.end)):
            return stamp, LEVEL_WORDS.get(monolog[1].lower())
        level = find_level(text)
        if stamp is None and level is not None:
            leading = LEADING_LEVEL.match(text)
            stamp = leading and self._stamps.scan(text, leading.end())
        return stamp, level

    def _read_glog(self, glog: re.Match[str]) -> Stamp | None:
        _, month, day, clock, fraction = glog.groups()
        name = _MONTH_NAMES.get(month)
        base = name and self._stamps.bsd[f"{name} {int(day):2d} {clock}"]
        if not base:
            return None
        ts = f"{base}.{fraction}Z" if fraction else f"{base}Z"
        return Stamp(ts, GUESSED_YEAR_AND_ZONE, glog.end())
