"""OTLP/HTTP JSON: the log records of OpenTelemetry into ours.

Sources: opentelemetry-proto `logs.proto`, `common.proto` and `resource.proto`; OTLP 1.x, "JSON
Protobuf Encoding": names in lowerCamelCase, 64-bit integers as text, ids as hexadecimal; unknown
fields are passed over.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from logopsd.errors import PayloadError
from logopsd.parsing.messages import MessageReader, match_message
from logopsd.parsing.normalize import Normalizer, attach, complete, to_text
from logopsd.parsing.priority import level_of
from logopsd.parsing.timestamps import Stamps
from logopsd.records import Batch, Record

FORMAT: Final = "otlp"
"""What the records say understood them."""

MARK: Final = "resourceLogs"
"""The name by which an export request is told from any other JSON object."""

_LEVELS: Final = ("DEBUG", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL")
# SeverityNumber: four numbers each for trace, debug, info, warn, error and fatal, from 1.
_NUMBERS_A_LEVEL: Final = 4
_MAX_SEVERITY: Final = 24

_VALUES: Final = ("stringValue", "boolValue", "doubleValue", "bytesValue")
"""The values that JSON holds as they are."""


class LogItem(msgspec.Struct, frozen=True):
    """One log record of a request, with what it shares with others.

    Attributes:
        log: as sent.
        resource: attributes of what produced it.
        scope: name, version and attributes of the library that wrote it.
    """

    log: Mapping[str, Any]
    resource: Mapping[str, Any]
    scope: Mapping[str, Any]


class Export(msgspec.Struct, frozen=True):
    """What an export request holds.

    Attributes:
        items: the log records, in order.
        rejected: how many were none.
        reason: what was wrong with the first of these.
    """

    items: list[LogItem] = msgspec.field(default_factory=list)
    rejected: int = 0
    reason: str = ""


def is_export(document: object) -> bool:
    """Tell whether a JSON value is an export request for logs."""
    return isinstance(document, dict) and MARK in document


def read_export(document: Mapping[str, Any]) -> Export:
    """Return the log records of an export request.

    Raises:
        PayloadError: a list of the request is none.
    """
    items: list[LogItem] = []
    rejected = 0
    reason = ""
    for number, resource_logs in enumerate(_objects(document, MARK, MARK)):
        where = f"{MARK}[{number}]"
        resource = attributes_of(resource_logs.get("resource"))
        for place, scope_logs in enumerate(_objects(resource_logs, "scopeLogs", where)):
            inside = f"{where}.scopeLogs[{place}]"
            scope = _scope_of(scope_logs.get("scope"))
            for index, log in enumerate(_list(scope_logs, "logRecords", inside)):
                if isinstance(log, dict):
                    items.append(LogItem(log, resource, scope))
                else:
                    rejected += 1
                    reason = reason or f"{inside}.logRecords[{index}] is no object"
    return Export(items, rejected, reason)


class OtlpParser:
    """Makes a record of every log record.

    Args:
        stamps: converts the stamps, shared by all parsers.
        normalizer: lifts the fields of a structured body, likewise.
        messages: reads messages that are structured themselves, likewise.
    """

    def __init__(self, stamps: Stamps, normalizer: Normalizer, messages: MessageReader) -> None:
        self._stamps = stamps
        self._normalizer = normalizer
        self._messages = messages

    def parse(self, items: Sequence[LogItem], peer: str | None, batch: Batch) -> None:
        """Append one record an item to the batch, in order; never raises."""
        batch.records += [self._record(item, peer, batch) for item in items]

    def _record(self, item: LogItem, peer: str | None, batch: Batch) -> Record:
        log = item.log
        record = Record(
            "", "", "", input=batch.input, peer=peer, received=batch.received, format=FORMAT
        )
        resource = dict(item.resource)
        record.emitter = _word(resource.pop("service.name", None)) or batch.input
        record.host = _word(resource.pop("host.name", None))
        record.procid = _word(resource.pop("process.pid", None))
        record.level = _level(log) or ""
        extras = self._take_times(log, record)
        self._take_body(log, record)
        complete(record, batch)
        extras |= _identity(log)
        if resource:
            extras["resource"] = resource
        if item.scope:
            extras["scope"] = item.scope
        attach(record, attributes_of(log))
        attach(record, extras)
        return record

    def _take_times(self, log: Mapping[str, Any], record: Record) -> dict[str, Any]:
        """Set the time of the event, or that of its observation; return the other, if there is."""
        time = self._read_time(log.get("timeUnixNano"))
        observed = self._read_time(log.get("observedTimeUnixNano"))
        record.ts = time or observed or ""
        return {"observed_ts": observed} if time and observed and time != observed else {}

    def _read_time(self, value: object) -> str | None:
        text = _word(value)
        stamp = None if text is None else self._stamps.read_epoch(text)
        return None if stamp is None else stamp.ts

    def _take_body(self, log: Mapping[str, Any], record: Record) -> None:
        body = value_of(log.get("body"))
        if isinstance(body, dict):
            self._normalizer.lift(record, body)
        elif isinstance(body, str):
            record.msg = body
            hint, _ = match_message(body, 0)
            if hint:
                self._messages.read(record, hint)
        elif body is not None:
            record.msg = to_text(body)
        if body is None:
            record.msg = _word(log.get("eventName")) or ""


def value_of(value: object) -> Any:
    """Return what an AnyValue holds; None where it holds nothing."""
    if not isinstance(value, dict):
        return None
    for name in _VALUES:
        if name in value:
            return value[name]
    if "intValue" in value:
        return _integer(value["intValue"])
    if "arrayValue" in value:
        return [value_of(item) for item in _values(value["arrayValue"])]
    if "kvlistValue" in value:
        return _pairs(_values(value["kvlistValue"]))
    return None


def attributes_of(holder: object) -> dict[str, Any]:
    """Return the attributes of a resource, a scope or a log record; what is none is passed over."""
    if not isinstance(holder, dict):
        return {}
    attributes = holder.get("attributes")
    return _pairs(attributes) if isinstance(attributes, list) else {}


def _pairs(items: Sequence[object]) -> dict[str, Any]:
    return {
        item["key"]: value_of(item.get("value"))
        for item in items
        if isinstance(item, dict) and isinstance(item.get("key"), str)
    }


def _values(holder: object) -> list[object]:
    values = holder.get("values") if isinstance(holder, dict) else None
    return values if isinstance(values, list) else []


def _integer(value: object) -> object:
    """Return a 64-bit integer, which JSON holds as text; what is none stays as it is."""
    if isinstance(value, str) and len(value) <= 20:
        try:
            return int(value)
        except ValueError:
            return value
    return value


def _scope_of(scope: object) -> dict[str, Any]:
    attributes = attributes_of(scope)
    if isinstance(scope, dict):
        named = {name: scope[name] for name in ("name", "version") if scope.get(name)}
        return {**named, **attributes}
    return attributes


def _level(log: Mapping[str, Any]) -> str | None:
    number = _integer(log.get("severityNumber"))
    if type(number) is int and 1 <= number <= _MAX_SEVERITY:
        return _LEVELS[(number - 1) // _NUMBERS_A_LEVEL]
    return level_of(log.get("severityText"))


def _identity(log: Mapping[str, Any]) -> dict[str, Any]:
    """Return what else a log record says of itself, under names in the manner of ours."""
    found = {
        "trace_id": _id(log.get("traceId")),
        "span_id": _id(log.get("spanId")),
        "trace_flags": log.get("flags"),
        "severity_text": log.get("severityText"),
        "event_name": log.get("eventName"),
        "dropped_attributes": log.get("droppedAttributesCount"),
    }
    return {name: value for name, value in found.items() if value}


def _id(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _word(value: object) -> str | None:
    if isinstance(value, str):
        return value or None
    return str(value) if type(value) is int and abs(value) < 2**64 else None


def _objects(holder: Mapping[str, Any], name: str, where: str) -> list[dict[str, Any]]:
    items = _list(holder, name, where)
    for number, item in enumerate(items):
        if not isinstance(item, dict):
            path = where if where == name else f"{where}.{name}"
            raise PayloadError(f"{path}[{number}] is no object")
    return items


def _list(holder: Mapping[str, Any], name: str, where: str) -> list[Any]:
    items = holder.get(name)
    if items is None:
        return []
    if not isinstance(items, list):
        raise PayloadError(f"{where if where == name else f'{where}.{name}'} is no list")
    return items
