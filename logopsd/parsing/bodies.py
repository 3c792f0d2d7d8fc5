"""Bodies of requests into documents: JSON, NDJSON and CSV.

An error says what is wrong and where, and never quotes the body: it goes back to the sender and
into the log, where nothing unmasked may go.
"""

from typing import Final

from logopsd.errors import PayloadError
from logopsd.parsing import json_text
from logopsd.parsing.csv_table import parse_table

_BOM: Final = b"\xef\xbb\xbf"
_DOCUMENTS: Final = frozenset((dict, str))
"""What a record can be made of."""


def decode_json(body: bytes) -> list[object]:
    """Return the documents of a body that is one JSON object or a list.

    Raises:
        PayloadError: not JSON, nested too deep, or an item is neither object nor text.
    """
    text = _text(body)
    if not text or text.isspace():
        raise PayloadError("the body is empty")
    value = json_text.decode(text)
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise PayloadError("the body must be a JSON object or a list of objects")
    if not _DOCUMENTS.issuperset(map(type, value)):
        number = next(n for n, item in enumerate(value, 1) if type(item) not in _DOCUMENTS)
        raise PayloadError(f"item {number} of the list is neither an object nor a text")
    return value


def decode_ndjson(body: bytes) -> list[object]:
    """Return the documents of a body of one JSON object a line; blank lines are passed over.

    Raises:
        PayloadError: a line is not a JSON object; the first such is named by its number.
    """
    documents: list[object] = []
    for number, line in enumerate(_text(body).split("\n"), 1):
        if line and not line.isspace():
            documents.append(decode_ndjson_line(line, number))
    return documents


def decode_ndjson_line(line: str, number: int) -> object:
    """Return the document of one line, where `number` is what an error names it by.

    Raises:
        PayloadError: it is not a JSON object.
    """
    try:
        value = json_text.decode(line)
    except PayloadError as error:
        where = str(error).replace(" at line 1, column ", " at column ")
        raise PayloadError(f"line {number}: {where}") from None
    if type(value) not in _DOCUMENTS:
        raise PayloadError(f"line {number}: neither an object nor a text")
    return value


def decode_csv(body: bytes) -> list[dict[str, str]]:
    """Return the rows of a CSV body with a header row, as column -> cell.

    Raises:
        PayloadError: see `csv_table.parse_table`.
    """
    return parse_table(_text(body))


def _text(body: bytes) -> str:
    """Return the body as text, without its byte-order mark."""
    try:
        return body.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise PayloadError(f"not UTF-8 at byte {error.start}, line {line}") from None
