"""Records into NDJSON: one JSON object a line (RFC 8259), UTF-8, one call a batch."""

import json
from collections.abc import Sequence

import msgspec

from logopsd.records import Record

_ENCODER = msgspec.json.Encoder()
_OWN_NAMES = frozenset(Record.__struct_fields__)

_MARK = msgspec.Raw(b"\x01")
_SEAM = b"}\n\x01\n{"
"""What stands between the lines of a record and of its extras: no JSON text holds such a byte."""


def encode(records: Sequence[Record]) -> bytes:
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


def _encode_lines(records: Sequence[Record]) -> bytes:
    """Encode all with one call; extras as lines of their own first, which are then joined."""
    lines: list[object] = []
    held = []
    for record in records:
        lines.append(record)
        extras = record.extras
        if extras is None:
            continue
        held.append((record, extras))
        if not extras:
            continue
        if not _OWN_NAMES.isdisjoint(extras):
            # The parsers rename what collides; this is the last wall behind which a sender's key
            # cannot stand beside the daemon's own of the same name.
            extras = {f"{key}_orig" if key in _OWN_NAMES else key: extras[key] for key in extras}
        lines += (_MARK, extras)
    if not held:
        return _ENCODER.encode_lines(records)
    for record, _ in held:
        record.extras = None
    try:
        data = _ENCODER.encode_lines(lines)
    finally:
        for record, extras in held:
            record.extras = extras
    return data.replace(_SEAM, b",")


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
    merged = own | {
        f"{key}_orig" if key in _OWN_NAMES else str(key): value
        for key, value in (record.extras or {}).items()
    }
    try:
        text = json.dumps(merged, ensure_ascii=False, separators=(",", ":"), default=str)
    except (TypeError, ValueError, RecursionError):
        text = json.dumps(own, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.encode("utf-8", "replace") + b"\n"
