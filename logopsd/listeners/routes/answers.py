"""What the routes answer when records are stored, or are not."""

from typing import Any

import msgspec

from logopsd.encoding import encode
from logopsd.gathering import GATHER_RECORDS
from logopsd.listeners.http.messages import Response, json_response, phrase_of
from logopsd.records import Batch

MAX_REASONS = 10
"""Bad items of a request that are told with what is wrong with them; the others are counted."""


class Taken(msgspec.Struct):
    """What was taken of a request.

    Attributes:
        ts: time of arrival of the first of it.
        accepted: records.
        missing_ts: records that brought no readable time.
        missing_level: records that brought no level.
        suppressed: records left out, as the client sends more than LOGOPS_RATE_LIMIT.
        sample: the first of them, masked, each as JSON.
    """

    ts: str = ""
    accepted: int = 0
    missing_ts: int = 0
    missing_level: int = 0
    suppressed: int = 0
    sample: list[bytes] = []

    def take(self, batch: Batch, sample_size: int) -> Batch | None:
        """Add a batch at once where it is large, so that its records need not be kept.

        Returns:
            A small one, which may wait for others and not be masked yet: to be added behind its
            receipt. None where it is added.
        """
        self.ts = self.ts or batch.received
        if len(batch.records) < GATHER_RECORDS:
            return batch
        self.add(batch, sample_size)
        return None

    def add(self, batch: Batch, sample_size: int) -> None:
        """Add a batch that is masked."""
        self.accepted += len(batch.records)
        self.missing_ts += batch.missing_ts
        self.suppressed += batch.suppressed
        self.missing_level += batch.missing_level
        wanted = sample_size - len(self.sample)
        if wanted > 0:
            self.sample += encode(batch.records[:wanted]).splitlines()

    def figures(self) -> dict[str, int]:
        """Return the counts, for answer and log."""
        return {
            "accepted": self.accepted,
            "missing_ts": self.missing_ts,
            "missing_level": self.missing_level,
        }


class Rejected(msgspec.Struct):
    """What of a request was no record.

    Attributes:
        count: items.
        reasons: of the first of them, the number of the line and what is wrong.
    """

    count: int = 0
    reasons: list[tuple[int, str]] = []

    def add(self, found: list[tuple[int, str]]) -> None:
        """Add bad lines."""
        self.count += len(found)
        self.reasons += found[: MAX_REASONS - len(self.reasons)]


def stored(taken: Taken, rejected: Rejected | None = None) -> Response:
    """Answer that the records are stored; 400 where there were items, and all were bad."""
    content: dict[str, Any] = {
        "accepted": taken.accepted,
        "ts": taken.ts,
        "missing_ts": taken.missing_ts,
        "missing_level": taken.missing_level,
    }
    if taken.suppressed:
        content["suppressed"] = taken.suppressed
    if taken.sample:
        content["sample"] = [msgspec.Raw(line) for line in taken.sample]
    if rejected is None:
        return json_response(200, content)
    content |= _told(rejected)
    if rejected.count and not taken.accepted:
        line, reason = rejected.reasons[0]
        detail = f"no line could be read; line {line}: {reason}"
        return json_response(400, {"error": phrase_of(400), "detail": detail, **content})
    return json_response(200, content)


def partly_stored(status: int, detail: str, taken: Taken, rejected: Rejected) -> Response:
    """Answer what is wrong with a body of which some is stored nevertheless."""
    content = {"error": phrase_of(status), "detail": detail, "accepted": taken.accepted}
    return json_response(status, {**content, **_told(rejected)})


def _told(rejected: Rejected) -> dict[str, Any]:
    told: dict[str, Any] = {"rejected": rejected.count}
    if rejected.reasons:
        told["reasons"] = [{"line": line, "reason": reason} for line, reason in rejected.reasons]
    return told
