"""The Journal Export Format: the bytes of a journal into entries.

An entry is fields, and ends with an empty line. A field is `NAME=value` and LF where the value is
text; else it is NAME and LF, the length of the value as 64 bits, little endian, the value, and
LF. Source: systemd, "Journal Export Formats" (JOURNAL_EXPORT_FORMATS.md).
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final, cast

import msgspec

from logopsd.patterns import lazy_pattern
from logopsd.records import FieldValue, JournalEntry

MESSAGE: Final = "MESSAGE"
"""The one field that is cut at its limit; any other that is too long is left out."""

MAX_FIELDS: Final = 1024
"""Fields of one entry, as in systemd's own importer; real entries have some 30."""

MAX_OTHER_BYTES: Final = 1024 * 1024
"""Of all fields but the message that are kept of an entry. Real ones have some KiB; what goes
beyond are core dumps, which systemd lets have 768 MiB."""

MAX_FIELD_BYTES: Final = 768 * 1024 * 1024
"""systemd's DATA_SIZE_MAX: a length above it is no length, and the stream has to be found again."""

MAX_NAME_BYTES: Final = 64
"""The longest name journald takes."""

WHOLE_BYTES: Final = 64 * 1024
"""How long an entry may be to be read in one go; a longer one is read field by field."""

_LENGTH_BYTES: Final = 8
_NAME: Final = lazy_pattern(rb"[A-Z_][A-Z0-9_]{0,63}")
_ENTRY_END: Final = b"\n\n"


class Entries(msgspec.Struct, frozen=True):
    """What a call of the framer found.

    Attributes:
        entries: those that are complete, in order.
        faults: what was malformed or left out, by reason of framing.FAULTS.
    """

    entries: list[JournalEntry] = msgspec.field(default_factory=list)
    faults: Mapping[str, int] = msgspec.field(default_factory=dict)


class _State(Enum):
    ENTRY = auto()  # before an entry, or in one that may still be read in one go
    LINE = auto()  # before a field
    TEXT = auto()  # in a long text value
    LENGTH = auto()
    BINARY = auto()
    SKIP = auto()  # in what is no entry, up to the next empty line


class JournalExportFramer:
    """Cuts a stream into entries, in bounded memory.

    An entry that is malformed is left out, and reading goes on behind the next empty line.

    Args:
        max_message: the most bytes of a MESSAGE; a longer one is cut there.
    """

    def __init__(self, *, max_message: int) -> None:
        self._max_message = max_message
        self._buffer = bytearray()
        self._start = 0  # what lies before was read
        self._searched = 0  # up to here there is no line end
        self._state = _State.ENTRY
        self._steps = {
            _State.ENTRY: self._entry,
            _State.LINE: self._line,
            _State.TEXT: self._text,
            _State.LENGTH: self._length,
            _State.BINARY: self._binary,
            _State.SKIP: self._skip,
        }
        self._found: list[JournalEntry] = []
        self._faults: dict[str, int] = {}
        self._begin_entry()
        self._begin_value("")

    @property
    def held_bytes(self) -> int:
        """How much is held of the entry under way."""
        return len(self._buffer) + len(self._value) + self._kept_bytes

    def receive_data(self, data: bytes) -> Entries:
        """Take the next bytes; return the entries that are complete by now."""
        self._buffer += data
        while self._steps[self._state]():
            pass
        del self._buffer[: self._start]
        self._searched -= self._start
        self._start = 0
        return self._result()

    def receive_eof(self) -> Entries:
        """End the stream; an entry whose fields are complete needs no empty line behind it."""
        self._buffer += _ENTRY_END
        while self._steps[self._state]():
            pass
        if self._state not in (_State.ENTRY, _State.SKIP):
            self._fault("entry")
        return self._result()

    def _result(self) -> Entries:
        result = Entries(self._found, self._faults)
        self._found, self._faults = [], {}
        return result

    # The steps: each tells whether there may be another one to do.

    def _entry(self) -> bool:
        buffer, start = self._buffer, self._start
        if buffer.startswith(b"\n", start):  # nothing stands between two entries but LF
            self._read_to(start + 1)
            return True
        end = buffer.find(_ENTRY_END, max(start, self._searched))
        if end < 0 and len(buffer) - start < WHOLE_BYTES + len(_ENTRY_END):
            self._searched = max(start, len(buffer) - 1)
            return False
        if 0 <= end - start <= min(WHOLE_BYTES, self._max_message):
            entry = _whole_text(buffer[start:end])
            if entry is not None:
                self._found.append(entry)
                self._read_to(end + len(_ENTRY_END))
                return True
        self._begin_entry()
        self._read_to(start)
        self._state = _State.LINE
        return True

    def _line(self) -> bool:
        buffer, start = self._buffer, self._start
        end = buffer.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(buffer)
            # A value is read as it comes, so that it is held only as far as it is kept.
            return len(buffer) - start > MAX_NAME_BYTES and self._begin_text()
        if end == start:
            self._end_entry()
            self._read_to(end + 1)
            return True
        if buffer.find(b"=", start, end) >= 0:
            return self._begin_text()
        if not _NAME.fullmatch(buffer, start, end):
            return self._malformed()
        self._begin_value(buffer[start:end].decode())
        self._read_to(end + 1)
        self._state = _State.LENGTH
        return True

    def _begin_text(self) -> bool:
        buffer, start = self._buffer, self._start
        equals = buffer.find(b"=", start, start + MAX_NAME_BYTES + 1)
        if equals < 0:
            return self._malformed()
        self._begin_value(buffer[start:equals].decode(errors="replace"))
        self._read_to(equals + 1)
        self._state = _State.TEXT
        return True

    def _text(self) -> bool:
        buffer, start = self._buffer, self._start
        end = buffer.find(b"\n", start)
        if end < 0:
            self._keep(start, len(buffer))
            return False
        self._keep(start, end)
        self._read_to(end + 1)
        return self._end_value()

    def _length(self) -> bool:
        start = self._start
        digits = self._buffer[start : start + _LENGTH_BYTES]
        if len(digits) < _LENGTH_BYTES:
            return False
        self._left = int.from_bytes(digits, "little")
        if self._left > MAX_FIELD_BYTES:
            self._malformed()
            if digits.startswith(b"\n"):  # it was no length but the empty line
                self._read_to(start + 1)
                self._state = _State.ENTRY
            return True
        self._read_to(start + _LENGTH_BYTES)
        self._state = _State.BINARY
        return True

    def _binary(self) -> bool:
        start = self._start
        end = min(len(self._buffer), start + self._left)
        self._left -= end - start
        self._keep(start, end)
        if self._left or end == len(self._buffer):
            return False
        if self._buffer[end] != ord("\n"):
            return self._malformed()
        self._read_to(end + 1)
        return self._end_value()

    def _skip(self) -> bool:
        end = self._buffer.find(_ENTRY_END, self._start)
        if end < 0:
            self._read_to(max(self._start, len(self._buffer) - 1))
            return False
        self._read_to(end + len(_ENTRY_END))
        self._state = _State.ENTRY
        return True

    # What the steps are made of.

    def _read_to(self, end: int) -> None:
        self._start = self._searched = end

    def _begin_entry(self) -> None:
        self._current = JournalEntry()
        self._fields = 0
        self._other_bytes = 0
        self._kept_bytes = 0

    def _begin_value(self, name: str) -> None:
        self._name = name
        self._value = bytearray()
        self._value_length = 0
        self._left = 0
        self._is_message = name == MESSAGE and MESSAGE not in self._current.fields
        self._room = self._max_message if self._is_message else MAX_OTHER_BYTES - self._other_bytes

    def _keep(self, start: int, end: int) -> None:
        """Take the next bytes of a value, and hold them as far as there is room."""
        self._value_length += end - start
        room = self._room - len(self._value)
        if room > 0:
            self._value += self._buffer[start : min(end, start + room)]
        self._read_to(end)

    def _end_value(self) -> bool:
        self._fields += 1
        if self._fields > MAX_FIELDS:
            self._read_to(self._start - 1)  # its LF may be the first of the empty line
            return self._malformed()
        entry, value = self._current, self._value
        self._kept_bytes += len(value)
        is_cut = self._value_length > len(value)
        if self._is_message:
            entry.message_length = self._value_length if is_cut else 0
            entry.add(self._name, _value_of(value, is_cut=is_cut))
        elif is_cut:
            entry.left_out.append(self._name)
            self._fault("field")
        else:
            entry.add(self._name, _value_of(value, is_cut=False))
            self._other_bytes += len(value)
        self._value = bytearray()
        self._state = _State.LINE
        return True

    def _end_entry(self) -> None:
        self._found.append(self._current)
        self._begin_entry()
        self._state = _State.ENTRY

    def _malformed(self) -> bool:
        """Leave out the entry, and look for the next."""
        self._fault("entry")
        self._begin_entry()
        self._begin_value("")
        self._state = _State.SKIP
        return True

    def _fault(self, reason: str) -> None:
        self._faults[reason] = self._faults.get(reason, 0) + 1


def _whole_text(data: bytearray) -> JournalEntry | None:
    """Read an entry all fields of which are text and different; None for any other.

    Up to the first field that is binary each line holds a `=`, and the name of that field has
    none: so an entry whose lines all have one ends at its first empty line indeed.
    """
    try:
        lines = data.decode().split("\n")
        pairs = cast("list[tuple[str, str]]", [line.split("=", 1) for line in lines])
        fields: dict[str, FieldValue | list[FieldValue]] = dict(pairs)
    except ValueError:  # no UTF-8, or a line without `=`
        return None
    if len(fields) < len(lines) or len(lines) > MAX_FIELDS:
        return None
    return JournalEntry(fields)


def _value_of(value: bytearray, *, is_cut: bool) -> FieldValue:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        # A cut may have gone through a character; that is no fault of the sender's.
        if is_cut and error.reason == "unexpected end of data":
            return value[: error.start].decode()
        return bytes(value)
