"""The lines of the sink's files, read as what was written there. Pure."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from logopsd.records import Record

Fields = dict[str, Any]
"""Of a record, by name."""

_OWN: Final = frozenset(Record.__struct_fields__)
"""Fields of every record; what is beside them a payload brought."""

_DECODER: Final = msgspec.json.Decoder()


def read(line: bytes) -> Fields:
    """The fields of a line; of one that is no JSON object, itself as the message."""
    try:
        record = _DECODER.decode(line)
    except (ValueError, RecursionError):
        record = None
    if isinstance(record, dict):
        return record
    return {"msg": line.decode("utf-8", "replace")}


def received(record: Fields) -> str:
    """When a record was received, RFC 3339 UTC; empty where that is not said."""
    return str(record.get("received", ""))


def beside(record: Fields) -> Iterator[tuple[str, str]]:
    """What a payload brought beside the daemon's own fields, and no tokens: names and texts."""
    for name, value in record.items():
        if name not in _OWN and not name.endswith("_enc"):
            text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            yield name, text
