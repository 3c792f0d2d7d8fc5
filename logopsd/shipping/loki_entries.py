"""Records as entries of Loki: labels, time, line and structured metadata. Pure.

The line is the message; all else of a record is structured metadata, which Loki shows and filters
beside it. Limits are Loki's defaults (limits_config in its configuration reference).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from logopsd.patterns import lazy_pattern

MAX_LINE_BYTES: Final = 256 * 1024
"""`max_line_size`: Loki drops a longer line."""

MAX_METADATA_BYTES: Final = 63 * 1000
MAX_METADATA_NAMES: Final = 128 - 3
"""`max_structured_metadata_size` (64 KB) and `max_structured_metadata_entries_count` (128), less
what may be added here: that a line was cut, and the time it had."""

MAX_LABEL_BYTES: Final = 2048
"""`max_label_value_length`."""

OLDEST_SECONDS: Final = 7 * 86400 - 60
NEWEST_SECONDS: Final = 600 - 10
"""`reject_old_samples_max_age` and `creation_grace_period`, less some for clocks that differ."""

LABELS: Final = ("level", "emitter", "input")
"""Each set of values is a stream of its own in Loki, so there are few."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NS: Final = 1_000_000_000
_UNFIT: Final = lazy_pattern(r"[^A-Za-z0-9_]", re.ASCII)
_ACCEPTABLE: Final = lazy_pattern(r"oldest acceptable timestamp is: (\S{20,35}Z)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record.

    Attributes:
        labels: values of LABELS.
        at: its time, nanoseconds since the epoch.
        received: when it arrived, likewise; None where that is not known.
        line: what Loki stores as the line.
        metadata: names and values.
    """

    labels: tuple[str, ...]
    at: int
    received: int | None
    line: str
    metadata: dict[str, str]


def entry_of(line: bytes, now: int) -> Entry:
    """Make the entry of a stored line.

    Args:
        line: without its LF; one that is no record becomes the line of an entry of its own.
        now: nanoseconds since the epoch, for a line that has no time.
    """
    try:
        record = msgspec.json.decode(line)
    except msgspec.MsgspecError:
        record = None
    text = line.decode("utf-8", "replace")
    if not isinstance(record, dict):
        return Entry(("INFO", "unknown", "unknown"), now, None, _cut(text)[0], {})
    received = nanoseconds(record.get("received"))
    at = nanoseconds(record.get("ts"))
    at = at if at is not None else received if received is not None else now
    labels = tuple(_label(record.get(name)) for name in LABELS)
    message, length = _cut(_text(record.get("msg", "")))
    metadata = _metadata(record)
    if metadata is None:  # more than Loki keeps beside a line: it is the line, as it is stored
        message, length = _cut(text)
        metadata = {}
    if length:
        metadata |= {"truncated": "true", "original_length": str(length)}
    return Entry(labels, at, received, message, metadata)


def nanoseconds(stamp: object) -> int | None:
    """Read a time as records have it; None where it is none."""
    try:
        moment = datetime.fromisoformat(stamp) if isinstance(stamp, str) else None
        if moment is None or moment.tzinfo is None:
            return None
        return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
    except (ValueError, OverflowError):
        return None


def _label(value: object) -> str:
    text = _text(value) if value not in (None, "") else "unknown"
    return text.encode("utf-8", "replace")[:MAX_LABEL_BYTES].decode("utf-8", "ignore")


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _cut(text: str) -> tuple[str, int]:
    """A text as long as a line may be, and its length in bytes where it was longer, else 0."""
    data = text.encode("utf-8", "replace")
    if len(data) <= MAX_LINE_BYTES:
        return text, 0
    return data[:MAX_LINE_BYTES].decode("utf-8", "ignore"), len(data)


def _metadata(record: dict[str, Any]) -> dict[str, str] | None:
    """All but message, labels and time; None where it is more than Loki keeps."""
    rest = [name for name in record if name not in (*LABELS, "msg", "ts")]
    texts = {_name(name): _text(record[name]) for name in rest}
    if "" in texts or len(texts) < len(rest) or len(rest) > MAX_METADATA_NAMES:
        return None
    size = sum(len(name) + len(text.encode("utf-8", "replace")) for name, text in texts.items())
    return texts if size <= MAX_METADATA_BYTES else None


def _name(field: str) -> str:
    """A name that LogQL can ask for."""
    return _UNFIT.sub("_", f"_{field}" if field[:1].isdigit() else field)


def body(entries: Iterable[Entry]) -> bytes:
    """The body of a push; in each stream by time, those of one time as they stand in the file."""
    streams: dict[tuple[str, ...], list[Entry]] = {}
    for entry in entries:
        streams.setdefault(entry.labels, []).append(entry)
    return msgspec.json.encode(
        {
            "streams": [
                {
                    "stream": dict(zip(LABELS, labels, strict=True)),
                    "values": [
                        [str(each.at), each.line, each.metadata]
                        for each in sorted(stream, key=lambda each: each.at)
                    ],
                }
                for labels, stream in streams.items()
            ]
        }
    )


def restamped(entries: Iterable[Entry], now: int, reply: str) -> Iterator[Entry]:
    """Entries with a time that Loki takes: one too far off becomes that of arrival.

    Args:
        entries: of a push that was refused, not wholly perhaps.
        now: nanoseconds since the epoch.
        reply: what Loki said; the oldest time it takes is believed.
    """
    found = _ACCEPTABLE.search(reply)
    named = nanoseconds(found[1]) if found else None
    oldest = now - OLDEST_SECONDS * _NS if named is None else named
    newest = now + NEWEST_SECONDS * _NS
    for entry in entries:
        if oldest <= entry.at <= newest or entry.received is None:
            yield entry
        elif oldest <= entry.received <= newest:
            yield replace(
                entry, at=entry.received, metadata=entry.metadata | {"ts": _stamp(entry.at)}
            )
        else:
            yield entry


def _stamp(at: int) -> str:
    moment = _EPOCH + timedelta(microseconds=at // 1000)
    return moment.isoformat().replace("+00:00", "Z")
