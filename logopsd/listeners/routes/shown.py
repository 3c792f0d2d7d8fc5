"""Records as the page is sent them: the fields it shows, and no more of them than people read."""

from collections.abc import Sequence
from typing import Final

import msgspec

from logopsd.stored.lines import beside, read, received

MAX_RECORDS: Final = 200
"""Records of one tick: more than a screen holds, and nobody reads as many in a second."""

MAX_BYTES: Final = 128 * 1024
"""Of the records of one tick, as they are sent."""

MAX_MESSAGE_CHARS: Final = 1000
MAX_FIELD_CHARS: Final = 100

_FIELDS: Final = ("ts", "received", "level", "host", "emitter", "input", "format")


def shown(lines: Sequence[bytes]) -> tuple[list[bytes], int]:
    """Return the newest records, the oldest of them first, as JSON, and how many are left out.

    Args:
        lines: as they are stored.
    """
    records = sorted(map(read, lines), key=received)
    found: list[bytes] = []
    room = MAX_BYTES
    for record in reversed(records[-MAX_RECORDS:]):
        there = (name for name in _FIELDS if name in record)
        fields: dict[str, str] = {name: _cut(record[name], MAX_FIELD_CHARS) for name in there}
        fields["msg"] = _cut(record.get("msg", ""), MAX_MESSAGE_CHARS)
        more = " ".join(f"{_cut(name, MAX_FIELD_CHARS)}={value}" for name, value in beside(record))
        if more:
            fields["more"] = _cut(more, MAX_MESSAGE_CHARS)
        text = msgspec.json.encode(fields)
        room -= len(text)
        if room < 0:
            break
        found.append(text)
    found.reverse()
    return found, len(records) - len(found)


def _cut(value: object, most: int) -> str:
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"
