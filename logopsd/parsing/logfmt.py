"""`key=value` lines: logfmt as programs write it, and the bodies of firewalls such as FortiGate.

A line is one only if it consists of nothing else, of two pairs at least: `a=1` inside prose is
prose. A value may stand in double quotes, with backslash escapes.

Sources: FortiOS log message reference; SonicWall and Sophos log event references; Linux audit.
"""

import re
from typing import Any, Final

from logopsd.parsing.names import TIME_ALIASES
from logopsd.parsing.normalize import Normalizer, add_field, attach, host_name
from logopsd.parsing.priority import level_of
from logopsd.parsing.timestamps import Stamps
from logopsd.patterns import lazy_pattern, possessive
from logopsd.records import Record

_PAIR: Final = lazy_pattern(
    r"([A-Za-z_][\w.@/:-]{0,100}+)="
    + '(?:"('
    + possessive(r'(?:[^"\\]|\\.)', "*")
    + ')"'
    + r"""|'([^']*+)'(?=\s|\Z)|([^\s"]*+)),?(?:\s++|\Z)""",
    re.DOTALL,
)
_ESCAPE: Final = lazy_pattern(r'\\(["\\nrt])')
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t"}
# type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e ...
_AUDIT: Final = lazy_pattern(r" msg=audit\(([0-9]{9,10}\.[0-9]{1,6}):[0-9]+\):?")
_AUDIT_CHARS: Final = 120

DEVICE_KEYS: Final = frozenset(("devid", "device_id", "logid", "log_id", "sn", "devname"))
"""A firewall names itself by one of these. Its `app`, `service` and `host` are those of the
traffic it reports, and so none of the record's own."""

_DEVICE_LEVELS: Final = ("level", "pri", "priority", "log_level")
_DEVICE_NAMES: Final = ("devname", "device_name")


def parse_pairs(text: str) -> dict[str, Any] | None:
    """Return the pairs that a text consists of, or None where it holds anything else.

    The values are texts; a key that stands there repeatedly has the list of its values.
    """
    fields: dict[str, Any] = {}
    position = 0
    count = 0
    while match := _PAIR.match(text, position):
        key, double, single, bare = match.groups()
        if double is not None:
            add_field(fields, key, _unescape(double))
        else:
            add_field(fields, key, bare if single is None else single)
        position = match.end()
        count += 1
    return fields if count > 1 and position == len(text) else None


def read_logfmt(record: Record, stamps: Stamps, normalizer: Normalizer) -> bool:
    """Read the message of a record as pairs; return whether it consists of them.

    The pairs become fields. The message becomes their `msg`, and stays whole where they have none.
    """
    fields = parse_pairs(record.msg)
    if fields is None:
        return False
    if record.format == "plain":
        record.format = "logfmt"
    audit = _AUDIT.search(record.msg, 0, _AUDIT_CHARS)
    if audit is not None:
        stamp = stamps.read_epoch(audit[1])
        if stamp is not None and not record.ts:
            record.ts = stamp.ts
        attach(record, fields)
    elif DEVICE_KEYS.isdisjoint(fields):
        _take_time(record, fields, stamps)
        normalizer.lift(record, fields, msg=record.msg)
    else:
        _take_time(record, fields, stamps)
        _attach_device(record, fields, stamps)
    return True


def _take_time(record: Record, fields: dict[str, Any], stamps: Stamps) -> None:
    """Join `date`, `time` and `tz` as firewalls write them, where the header had no time."""
    if record.ts or "date" not in fields or "time" not in fields:
        return
    local = f"{fields['date']} {fields['time']}"
    stamp = (
        stamps.read(f"{local} {fields.get('tz') or fields.get('timezone')}")
        or stamps.read(fields.get("eventtime"))
        or stamps.read(local)
    )
    if stamp is not None:
        record.ts, record.guessed, _ = stamp


def _attach_device(record: Record, fields: dict[str, Any], stamps: Stamps) -> None:
    """Put the fields of a device beside the record, but for its message."""
    if not record.ts:
        stamp = next(filter(None, (stamps.read(fields.get(name)) for name in TIME_ALIASES)), None)
        if stamp is not None:
            record.ts, record.guessed, _ = stamp
    if not record.level:
        record.level = next(filter(None, (level_of(fields.get(n)) for n in _DEVICE_LEVELS)), "")
    if record.host is None:
        record.host = next(filter(None, (host_name(fields.get(n)) for n in _DEVICE_NAMES)), None)
    if isinstance(fields.get("msg"), str) and fields["msg"]:
        record.msg = fields.pop("msg")
    attach(record, fields)


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text)
