"""NDJSON as it streams: a document a line, and the lines that are none, with their numbers."""

from typing import Final

import msgspec

from logopsd.errors import PayloadError
from logopsd.parsing.bodies import decode_ndjson_line

MAX_LINE_BYTES: Final = 1024 * 1024
"""The longest line: a message at the usual limit of 256 KiB, escaped, and fields beside it. A line
without end is held no further than that."""

_BOM: Final = b"\xef\xbb\xbf"


class Documents(msgspec.Struct, frozen=True):
    """What some bytes of a body held.

    Attributes:
        documents: objects and texts, in order.
        rejected: of each line that is none, its number in the body and what is wrong with it.
    """

    documents: list[object] = msgspec.field(default_factory=list)
    rejected: list[tuple[int, str]] = msgspec.field(default_factory=list)


class NdjsonReader:
    """Reads one body; blank lines are passed over, but count as lines.

    Args:
        max_line: bytes.
    """

    def __init__(self, *, max_line: int = MAX_LINE_BYTES) -> None:
        self._max_line = max_line
        self._rest = bytearray()  # of the line whose end has not come
        self._is_too_long = False
        self._number = 1  # of that line

    @property
    def held_bytes(self) -> int:
        """How much is held of the line under way."""
        return len(self._rest)

    def receive_data(self, data: bytes) -> Documents:
        """Take the next bytes of the body; return what is complete by now."""
        found = Documents()
        lines = data.split(b"\n")
        rest = lines.pop()
        for line in lines:
            self._append(line)
            self._end_line(found)
            self._number += 1
        self._append(rest)
        return found

    def receive_eof(self) -> Documents:
        """End the body; its last line needs no line end."""
        found = Documents()
        self._end_line(found)
        return found

    def _append(self, piece: bytes) -> None:
        if len(self._rest) + len(piece) > self._max_line:
            self._is_too_long = True
            self._rest.clear()
        elif not self._is_too_long:
            self._rest += piece

    def _end_line(self, found: Documents) -> None:
        number = self._number
        if self._is_too_long:
            self._is_too_long = False
            found.rejected.append((number, f"longer than {self._max_line} bytes"))
        elif self._rest:
            self._decode(bytes(self._rest), found)
            self._rest.clear()

    def _decode(self, line: bytes, found: Documents) -> None:
        number = self._number
        if number == 1:
            line = line.removeprefix(_BOM)
        try:
            text = line.decode()
            if text and not text.isspace():
                found.documents.append(decode_ndjson_line(text, number))
        except UnicodeDecodeError as error:
            found.rejected.append((number, f"not UTF-8 at byte {error.start}"))
        except PayloadError as error:
            found.rejected.append((number, str(error).removeprefix(f"line {number}: ")))
