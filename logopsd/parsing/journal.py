"""Entries of a systemd journal into records.

Source: systemd.journal-fields(7). The fields that say what every record says take its names; all
others keep theirs, as `journalctl -o json` shows them: the leading underscore tells what journald
vouches for from what a program wrote of itself. The fields of the journal's own book-keeping
(`__CURSOR`, `__SEQNUM`, ...) are left out.
"""

from collections.abc import Sequence
from typing import Any, Final

from logopsd.parsing.cut import without_halves
from logopsd.parsing.lines import INVALID_UTF8, decode_frames
from logopsd.parsing.messages import MessageReader, match_message
from logopsd.parsing.normalize import attach, complete
from logopsd.parsing.priority import FACILITIES, SEVERITIES, SEVERITY_LEVELS
from logopsd.parsing.timestamps import Stamps
from logopsd.records import Batch, FieldValue, JournalEntry, Record

FORMAT: Final = "journal"
"""What the records say understood them."""

CURSOR: Final = "__CURSOR"
"""The field that names an entry."""

_MESSAGE: Final = "MESSAGE"
_TIME: Final = "__REALTIME_TIMESTAMP"
_BOOK_KEEPING: Final = "__"
_LEFT_OUT: Final = "fields_left_out"


class JournalParser:
    """Makes a record of every entry.

    Args:
        stamps: converts the stamps, shared by all parsers.
        messages: reads messages that are structured themselves, likewise.
    """

    def __init__(self, stamps: Stamps, messages: MessageReader) -> None:
        self._stamps = stamps
        self._messages = messages

    def parse(self, entries: Sequence[JournalEntry], peer: str | None, batch: Batch) -> None:
        """Append one record an entry to the batch, in order; never raises."""
        batch.records += [self._record(entry, peer, batch) for entry in entries]

    def _record(self, entry: JournalEntry, peer: str | None, batch: Batch) -> Record:
        fields, is_valid = _texts(entry)
        record = Record(
            "", "", "", input=batch.input, peer=peer, received=batch.received, format=FORMAT
        )
        stamp = self._stamps.read_epoch(_first(fields, _TIME))
        if stamp is not None:
            record.ts = stamp.ts
        rest = {name: value for name, value in fields.items() if name[:2] != _BOOK_KEEPING}
        _take_header(record, rest)
        record.msg = _take(rest, _MESSAGE) or ""
        if not is_valid:
            record.encoding = INVALID_UTF8
        if entry.message_length:
            record.msg = without_halves(record.msg)
            record.truncated = True
            record.original_length = entry.message_length
        if entry.left_out:
            rest[_LEFT_OUT] = entry.left_out
        hint, _ = match_message(record.msg, 0)
        if hint:
            self._messages.read(record, hint)
        complete(record, batch)
        attach(record, rest)
        return record


def _texts(entry: JournalEntry) -> tuple[dict[str, Any], bool]:
    """Return the fields with all values as text, and whether all of them were UTF-8."""
    fields = entry.fields
    if not any(type(value) is not str for value in fields.values()):
        return fields, True
    texts: dict[str, Any] = {}
    is_valid = True
    for name, value in fields.items():
        values = value if isinstance(value, list) else [value]
        is_valid = is_valid and all(isinstance(each, str) for each in values)
        decoded = [_text(each) for each in values]
        texts[name] = decoded if isinstance(value, list) else decoded[0]
    return texts, is_valid


def _text(value: FieldValue) -> str:
    return value if isinstance(value, str) else decode_frames([value])[0][0]


def _take_header(record: Record, rest: dict[str, Any]) -> None:
    """Move the fields that have a place of their own in a record; what is no such value stays."""
    priority = _number(rest, "PRIORITY", len(SEVERITIES))
    if priority is not None:
        record.severity = SEVERITIES[priority]
        record.level = SEVERITY_LEVELS[priority]
    facility = _number(rest, "SYSLOG_FACILITY", len(FACILITIES))
    if facility is not None:
        record.facility = FACILITIES[facility]
    record.host = _take(rest, "_HOSTNAME")
    record.app = _take(rest, "SYSLOG_IDENTIFIER")
    record.procid = _take(rest, "_PID") or _take(rest, "SYSLOG_PID")
    if rest.get("SYSLOG_PID") == record.procid:
        rest.pop("SYSLOG_PID", None)
    record.msgid = _take(rest, "MESSAGE_ID")
    record.emitter = record.app or _first(rest, "_COMM") or _first(rest, "_SYSTEMD_UNIT") or FORMAT


def _number(rest: dict[str, Any], name: str, below: int) -> int | None:
    """Take a small number."""
    text = rest.get(name)
    if type(text) is str and text.isdecimal() and len(text) <= 2 and int(text) < below:
        del rest[name]
        return int(text)
    return None


def _take(rest: dict[str, Any], name: str) -> str | None:
    """Take a field, the first of those of its name; the others stay."""
    value = rest.pop(name, None)
    if isinstance(value, list):
        rest[name] = value[1:] if len(value) > 2 else value[1]
        return str(value[0]) or None
    return value or None


def _first(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name, "")
    return str(value[0]) if isinstance(value, list) else value
