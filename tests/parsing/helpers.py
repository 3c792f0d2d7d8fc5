"""What the parser tests share: a batch at a known time, and records as plain dicts."""

from collections.abc import Mapping, Sequence
from datetime import UTC as UTC
from datetime import datetime, tzinfo
from typing import Any

import msgspec

from logopsd.parsing.documents import DocumentParser
from logopsd.parsing.lines import LineParser
from logopsd.parsing.timestamps import Stamps
from logopsd.records import Batch, Frames, Record

NOW = datetime(2026, 3, 14, 15, 9, 26, 535000, tzinfo=UTC)
RECEIVED = "2026-03-14T15:09:26.535Z"

COMMON = {"input": "udp", "peer": "192.0.2.7", "received": RECEIVED}
"""What every record of these helpers has beside the fields under test."""


def batch_at(now: datetime = NOW) -> Batch:
    """Return an empty batch of the UDP input that arrived at `now`."""
    received = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Batch(input="udp", now=now.timestamp(), received=received)


def stamps_at(now: datetime = NOW, tz: tzinfo = UTC) -> Stamps:
    """Return a converter of stamps at a known time."""
    stamps = Stamps(tz=tz)
    stamps.at(now.timestamp())
    return stamps


def as_dict(record: Record) -> dict[str, Any]:
    """Return a record as it is written, without what all records of these tests have."""
    fields = msgspec.to_builtins(record)
    fields |= fields.pop("extras", {})
    return {name: value for name, value in fields.items() if (name, value) not in COMMON.items()}


def parse_lines(
    *lines: bytes, now: datetime = NOW, tz: tzinfo = UTC, cut: Mapping[int, int] | None = None
) -> tuple[list[dict[str, Any]], Batch]:
    """Parse frames with a fresh parser; return the records as dicts, and the batch."""
    batch = batch_at(now)
    LineParser(tz=tz).parse(Frames(list(lines), cut or {}), "192.0.2.7", batch)
    assert len(batch.records) == len(lines)
    return [as_dict(record) for record in batch.records], batch


def parse_line(line: bytes, now: datetime = NOW, tz: tzinfo = UTC) -> dict[str, Any]:
    """Parse one frame with a fresh parser; return its record as a dict."""
    return parse_lines(line, now=now, tz=tz)[0][0]


def parse_documents(
    documents: Sequence[object], now: datetime = NOW, tz: tzinfo = UTC, format: str = "json"
) -> tuple[list[dict[str, Any]], Batch]:
    """Parse documents with a fresh parser; return the records as dicts, and the batch."""
    batch = batch_at(now)
    DocumentParser(tz=tz).parse(documents, "192.0.2.7", batch, format=format)
    assert len(batch.records) == len(documents)
    return [as_dict(record) for record in batch.records], batch
