"""Records into NDJSON: one JSON object a line (RFC 8259), UTF-8, one call a batch."""

import json
from typing import Any

import msgspec

from logopsd.compiled import record_fields, without_seams
from logopsd.records import Record

_ENCODER = msgspec.json.Encoder()
_OWN_NAMES = frozenset(Record.__struct_fields__)

_MARK = msgspec.Raw(b"\x01")
_SEAM = b"}\n\x01\n{"
"""What stands between the lines of a record and of its extras: no JSON text holds such a byte."""


def encode(records: list[Record]) -> bytes:
    """Encode a batch as whole lines, each ended by LF, in the order given.

    A record without extras is encoded as it stands; the extras of one that has some follow its
    own fields at the top level. A record that strict UTF-8 cannot hold (a lone surrogate) keeps
    its place: what cannot be written becomes a replacement character.

    Args:
        records: masked records; none is changed, but while this runs they lack their extras.
    """
    try:
        return _encode_lines(records)
    except (UnicodeEncodeError, TypeError, ValueError, OverflowError, RecursionError):
        return b"".join([_encode_alone(record) for record in records])


def _encode_lines(records: list[Record]) -> bytes:
    """Encode all with one call; extras as lines of their own first, which are then joined."""
    if record_fields is not None:
        lines, held = record_fields.set_aside(records, _OWN_NAMES, _renamed, _MARK)
        put_back = record_fields.put_back
    else:
        lines, held = _set_aside(records)
        put_back = _put_back
    if not held:
        return _ENCODER.encode_lines(records)
    try:
        data = _ENCODER.encode_lines(lines)
    finally:
        put_back(held)
    if without_seams is None:
        return data.replace(_SEAM, b",")
    return without_seams(data, _SEAM, _SEAM.index(b"\x01"), (len(lines) - len(records)) // 2)


def _set_aside(records: list[Record]) -> tuple[list[object], list[Any]]:
    """Take the extras out of the records that have some.

    Returns:
        The records, behind each of them its extras and what marks them; and what `_put_back` is
        to put back: a record, its extras, the next one, ...
    """
    lines: list[object] = []
    held: list[Any] = []
    for record in records:
        lines.append(record)
        extras = record.extras
        if extras is None:
            continue
        held += (record, extras)
        if extras:
            lines += (_MARK, extras if _OWN_NAMES.isdisjoint(extras) else _renamed(extras))
    for record in held[::2]:
        record.extras = None
    return lines, held


def _put_back(held: list[Any]) -> None:
    for record, extras in zip(held[::2], held[1::2], strict=True):
        record.extras = extras


def _renamed(extras: dict[str, Any]) -> dict[str, Any]:
    """Give keys that are names of the daemon's own fields others.

    The parsers do so; this is the last wall behind which a sender's key cannot stand beside the
    daemon's own of the same name.
    """
    return {f"{key}_orig" if key in _OWN_NAMES else key: extras[key] for key in extras}


def _encode_alone(record: Record) -> bytes:
    try:
        return _encode_lines([record])
    except (UnicodeEncodeError, TypeError, ValueError, OverflowError, RecursionError):
        return _encode_by_hand(record)


def _encode_by_hand(record: Record) -> bytes:
    """Encode what the strict encoder refuses; slow, and for single records only."""
    own = {
        name: value
        for name in Record.__struct_fields__
        if name != "extras" and ((value := getattr(record, name)) or name in ("ts", "level", "msg"))
    }
    merged = own | {str(key): value for key, value in _renamed(record.extras or {}).items()}
    try:
        text = json.dumps(merged, ensure_ascii=False, separators=(",", ":"), default=str)
    except (TypeError, ValueError, RecursionError):
        text = json.dumps(own, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.encode("utf-8", "replace") + b"\n"
