"""One sender: how much came of it, its clock, its numbers, and how long it may be silent."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, Final

from logopsd.figures.sequences import follow
from logopsd.records import Batch, Record

FORGET_SECONDS: Final = 7 * 86400.0
"""A sender silent for so long is taken out of service, and forgotten."""

SILENT_FLOOR_SECONDS: Final = 600.0
"""No sender counts as silent earlier."""

SILENT_MEANS: Final = 10.0
"""How many times its mean interval a sender may be silent."""

SILENT_LONGEST: Final = 2.0
"""How many times its longest interval so far: bursts far apart make a short mean."""

SILENT_MIN_INTERVALS: Final = 10
"""Intervals a sender must have had for its habit to be known."""

SAMPLE_SECONDS: Final = 10.0
"""How often a sender's clock is looked at."""

SKEW_WEIGHT: Final = 0.2
"""Of a new look at a sender's clock, in the mean that is shown."""

_ZONE_STEP: Final = 900
"""Zones differ by quarters of an hour, seconds."""

_ZONE_TOLERANCE: Final = 240
"""How far beside a whole zone a clock may be for the zone to be guessed, seconds."""

_ZONE_MAX: Final = 14 * 3600

Key = tuple[str, str | None, str | None]


class Source:
    """One sender.

    Attributes:
        id: its number in the table, never given twice; what the log calls it.
        key: input, peer and host.
        first_seen: seconds since the epoch, as all times here.
        last_seen: when it was heard last.
        records: how many came.
        bytes: their size as received; of structured payloads the characters of the messages.
        skew: how far its clock is ahead of ours, seconds, smoothed; None where it tells no time.
        zone: the offset that its stamps without a zone seem to have, `+02:00`.
        gaps: numbers of its sequence that never came; None where it numbers nothing.
        is_silent: whether it has been silent for much longer than it used to be.
    """

    __slots__ = (
        "bytes",
        "first_seen",
        "gaps",
        "id",
        "intervals",
        "is_silent",
        "key",
        "last_seen",
        "longest",
        "records",
        "sampled_at",
        "sequence",
        "skew",
        "zone",
    )

    def __init__(self, id: int, key: Key, now: float) -> None:
        self.id = id
        self.key = key
        self.first_seen = self.last_seen = now
        self.records = 0
        self.bytes = 0
        self.skew: float | None = None
        self.zone: str | None = None
        self.gaps: int | None = None
        self.is_silent = False
        self.intervals = 0
        self.longest = 0.0  # seconds between two times it was heard
        self.sampled_at = 0.0
        self.sequence = 0  # the highest number that came

    def silence_allowed(self) -> float:
        """Return how long it may be silent before that is remarkable, seconds."""
        if self.intervals < SILENT_MIN_INTERVALS:
            return FORGET_SECONDS
        mean = (self.last_seen - self.first_seen) / self.intervals
        return max(SILENT_FLOOR_SECONDS, SILENT_MEANS * mean, SILENT_LONGEST * self.longest)

    def as_dict(self) -> dict[str, Any]:
        """Return it as it is shown."""
        input, peer, host = self.key
        return {
            "id": self.id,
            "input": input,
            "peer": peer,
            "host": host,
            "first_seen": round(self.first_seen, 3),
            "last_seen": round(self.last_seen, 3),
            "records": self.records,
            "bytes": self.bytes,
            "skew_seconds": None if self.skew is None else round(self.skew, 3),
            "zone": self.zone,
            "gaps": self.gaps,
            "silent": self.is_silent,
        }

    def is_due(self, now: float) -> bool:
        """Whether it is time to look at its clock."""
        return not 0 <= now - self.sampled_at < SAMPLE_SECONDS

    def look_at_clock(self, record: Record, batch: Batch, tz: tzinfo) -> None:
        """Compare the time of a record with that of its arrival.

        Args:
            record: one of this sender.
            batch: came with it.
            tz: the zone that its stamp was taken for, if it had none.
        """
        if record.ts == batch.received:  # it told no time
            return
        try:
            ahead = datetime.fromisoformat(record.ts).timestamp() - batch.now
        except (ValueError, OverflowError):
            return
        self.zone = None
        if record.guessed and "zone" in record.guessed:
            ahead = self._without_zone(ahead, batch.now, tz)
        skew = self.skew
        self.skew = ahead if skew is None else skew + SKEW_WEIGHT * (ahead - skew)

    def _without_zone(self, ahead: float, now: float, tz: tzinfo) -> float:
        """Take the zone that a difference of whole zones suggests out of it."""
        shift = round(ahead / _ZONE_STEP) * _ZONE_STEP
        assumed = datetime.fromtimestamp(now, tz).utcoffset() or timedelta()
        offset = assumed.total_seconds() + shift
        if abs(ahead - shift) > _ZONE_TOLERANCE or abs(offset) > _ZONE_MAX:
            return ahead  # its clock is wrong, or it sends what is old
        name = timezone(timedelta(seconds=offset)).tzname(None)
        self.zone = name.removeprefix("UTC") or "+00:00"
        return ahead - shift

    def follow(self, numbers: Sequence[int]) -> None:
        """Count the numbers that are left out; none of these is 0."""
        self.sequence, self.gaps = follow(numbers, self.sequence, self.gaps or 0)
