"""Loki's push requests in JSON: lines with labels into records.

Source: Grafana Loki, HTTP API, "Ingest logs": streams of `[nanoseconds, line, metadata]`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from logopsd.errors import PayloadError
from logopsd.parsing.level_search import find_level
from logopsd.parsing.messages import MessageReader, match_message
from logopsd.parsing.normalize import attach, complete
from logopsd.parsing.priority import level_of
from logopsd.parsing.timestamps import Stamps
from logopsd.records import Batch, Record

FORMAT: Final = "loki"
"""What the records say understood them."""

EMITTER_LABELS: Final = ("service_name", "service", "app", "job", "container")
"""The labels that name the producer; the first there is."""

HOST_LABELS: Final = ("host", "hostname", "instance", "node_name")
"""The labels that name the host, likewise."""

LEVEL_LABELS: Final = ("level", "detected_level", "severity")
"""The labels that hold the level, likewise; metadata goes before labels."""


class LokiLine(msgspec.Struct, frozen=True):
    """One line of a push request.

    Attributes:
        ts: nanoseconds since the epoch, as sent.
        line: as sent.
        labels: of its stream, and its own metadata.
    """

    ts: str
    line: str
    labels: Mapping[str, Any]


class Push(msgspec.Struct, frozen=True):
    """What a push request holds.

    Attributes:
        lines: in order.
        rejected: how many values were no lines.
        reason: where the first of these stands.
    """

    lines: list[LokiLine] = msgspec.field(default_factory=list)
    rejected: int = 0
    reason: str = ""


def read_push(document: object) -> Push:
    """Return the lines of a push request.

    Raises:
        PayloadError: it has no list of streams, or one of them is none.
    """
    streams = document.get("streams") if isinstance(document, dict) else None
    if not isinstance(streams, list):
        raise PayloadError("the body must be an object with a list of `streams`")
    lines: list[LokiLine] = []
    rejected = 0
    reason = ""
    for number, stream in enumerate(streams):
        labels, values = _parts_of(stream, number)
        for place, value in enumerate(values):
            line = _line_of(value, labels)
            if line is not None:
                lines.append(line)
                continue
            rejected += 1
            reason = reason or f"streams[{number}].values[{place}] is no [time, line]"
    return Push(lines, rejected, reason)


class LokiParser:
    """Makes a record of every line; its time is that of the request.

    Args:
        stamps: converts the stamps, shared by all parsers.
        messages: reads messages that are structured themselves, likewise.
    """

    def __init__(self, stamps: Stamps, messages: MessageReader) -> None:
        self._stamps = stamps
        self._messages = messages

    def parse(self, lines: Sequence[LokiLine], peer: str | None, batch: Batch) -> None:
        """Append one record a line to the batch, in order; never raises."""
        batch.records += [self._record(line, peer, batch) for line in lines]

    def _record(self, line: LokiLine, peer: str | None, batch: Batch) -> Record:
        labels = dict(line.labels)
        record = Record(
            "", "", line.line, input=batch.input, peer=peer, received=batch.received, format=FORMAT
        )
        stamp = self._stamps.read_epoch(line.ts)
        if stamp is not None:
            record.ts = stamp.ts
        elif line.ts:
            record.ts_orig = line.ts
        record.emitter = _first(labels, EMITTER_LABELS) or batch.input
        record.host = _first(labels, HOST_LABELS)
        record.level = _take_level(labels) or ""
        _take_own_names(labels, record)
        hint, _ = match_message(line.line, 0)
        if not (hint and self._messages.read(record, hint)):
            record.level = record.level or find_level(line.line) or ""
        complete(record, batch)
        attach(record, labels)
        return record


def _parts_of(stream: object, number: int) -> tuple[dict[str, Any], list[Any]]:
    labels = stream.get("stream", {}) if isinstance(stream, dict) else None
    values = stream.get("values", []) if isinstance(stream, dict) else None
    if not isinstance(labels, dict) or not isinstance(values, list):
        raise PayloadError(f"streams[{number}] is no object with `stream` and `values`")
    return labels, values


def _line_of(value: object, labels: dict[str, Any]) -> LokiLine | None:
    if not isinstance(value, list) or not 2 <= len(value) <= 3:
        return None
    ts, line = value[:2]
    metadata = value[2] if len(value) == 3 else None
    # A number for a time is what people write by hand; Loki itself wants text.
    if type(ts) is int and abs(ts) < 2**64:
        ts = str(ts)
    if not isinstance(ts, str) or not isinstance(line, str):
        return None
    if metadata is not None and not isinstance(metadata, dict):
        return None
    return LokiLine(ts, line, {**labels, **metadata} if metadata else labels)


def _take_level(labels: dict[str, Any]) -> str | None:
    """Take the first label that means a level."""
    for name in LEVEL_LABELS:
        level = level_of(labels.get(name))
        if level is not None:
            del labels[name]
            return level
    return None


def _take_own_names(labels: dict[str, Any], record: Record) -> None:
    """Take the labels whose names are fields of ours, too, and mean the same."""
    if labels.get("host") == record.host:
        labels.pop("host", None)
    if isinstance(labels.get("app"), str):
        record.app = labels.pop("app") or None


def _first(labels: Mapping[str, Any], names: Sequence[str]) -> str | None:
    for name in names:
        value = labels.get(name)
        if isinstance(value, str) and value:
            return value
    return None
