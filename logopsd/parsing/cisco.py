"""What Cisco devices send: IOS, IOS XE, IOS XR, NX-OS, ASA and their kin.

Common to all is the code in the message, `%FACILITY-SEVERITY-MNEMONIC:`. What stands before it
depends on the device and its settings, in this order: a count of messages, the device's own name,
a sequence number, a flag of the clock, a stamp or an uptime, and a host or a process::

    123: router1: 000045: *Mar  1 18:46:11.123 UTC: %SYS-5-CONFIG_I: ...     IOS, all switched on
    : 2026 Mar 14 15:00:00 CET: %ETHPORT-5-IF_UP: ...                        NX-OS
    7: router1 RP/0/RSP0/CPU0:Mar 14 15:00:00.1 : config[65]: %MGBL-SYS-5-CONFIG_I : ...   IOS XR
    Mar 14 2026 15:00:00 asa1 : %ASA-6-302013: ...                           ASA

Source: Cisco's system message guides, and messages as sent.
"""

from typing import Any, Final

from logopsd.parsing.normalize import attach
from logopsd.parsing.priority import SEVERITY_LEVELS
from logopsd.parsing.timestamps import Stamps
from logopsd.patterns import lazy_pattern
from logopsd.records import Record

MAX_LEAD_CHARS: Final = 160
"""How far from its start a message is searched for the code; the longest lead has some 120."""

_CODE: Final = lazy_pattern(
    r"%((?:([A-Z][A-Za-z0-9_]{0,40}(?:-[A-Za-z][A-Za-z0-9_]{0,40}){0,3})-([0-7]))"
    r"-[A-Z0-9_]{1,64}) ?: ?"
)
_COUNT: Final = lazy_pattern(r"([0-9]{1,10})?: ?")
_COUNTED_STAMP: Final = lazy_pattern(r"[0-9]{0,10}: ?[*.]?(?=[A-Z0-9])")
_FLAG: Final = lazy_pattern(r"[*.]")
_AFTER_STAMP: Final = lazy_pattern(r" ?:? ?")
_UPTIME: Final = lazy_pattern(r"((?:[0-9]{1,4}[ywdhms]){1,4}|[0-9]{1,4}:[0-9]{2}:[0-9]{2}): ")
_WORD: Final = lazy_pattern(r"([A-Za-z0-9][\w./-]{0,80})(?:\[([0-9]{1,10})\])?(?: ?: ?| )")


def read_cisco(record: Record, stamps: Stamps) -> bool:
    """Read the message of a record as one of a Cisco device; return whether it is one.

    The code becomes `msgid`, its facility `app`, and what follows it the message. A stamp of the
    device is the record's where the header had none, else it is kept as `device_ts`.
    """
    start = record.msg.find("%", 0, MAX_LEAD_CHARS)
    code = _CODE.match(record.msg, start) if start >= 0 else None
    if code is None:
        return _read_without_code(record, stamps)
    lead = _read_lead(record.msg[:start], stamps)
    if lead is None or record.msgid is not None:
        return False
    record.msgid, facility, severity = code.groups()
    record.msg = record.msg[code.end() :]
    if record.app is None:
        record.app = record.emitter = lead.pop("process", None) or facility
    record.procid = record.procid or lead.pop("procid", None)
    record.host = record.host or lead.pop("host", None)
    record.level = record.level or SEVERITY_LEVELS[int(severity)]
    _take_time(record, lead)
    return True


def _read_without_code(record: Record, stamps: Stamps) -> bool:
    """Read a message that has a count and a stamp, but no code, as some few have."""
    match = _COUNTED_STAMP.match(record.msg)
    stamp = match and stamps.scan(record.msg, match.end())
    if match is None or stamp is None:
        return False
    lead = _read_lead(record.msg[: stamp.end], stamps) or {}
    record.msg = record.msg[stamp.end :].lstrip(": ")
    _take_time(record, lead)
    return True


def _take_time(record: Record, lead: dict[str, Any]) -> None:
    """Take the device's time where the header had none, and put the rest beside the record."""
    stamp = lead.pop("stamp", None)
    if record.ts:
        if stamp is not None:
            lead["device_ts"] = stamp.ts
    else:
        if stamp is not None:
            record.ts, record.guessed, _ = stamp
        record.ts_orig = lead.pop("uptime", None)
    attach(record, lead)


def _read_lead(lead: str, stamps: Stamps) -> dict[str, Any] | None:
    """Return what stands before the code, or None where it is not what a Cisco device sends."""
    fields: dict[str, Any] = {}
    position = 0
    while position < len(lead):
        stamp = None if "stamp" in fields else stamps.scan(lead, position)
        if stamp is not None:
            fields["stamp"] = stamp
            match = _AFTER_STAMP.match(lead, stamp.end)
        elif match := _FLAG.match(lead, position):
            fields["clock_flag"] = match[0]
        elif match := _UPTIME.match(lead, position):
            fields["uptime"] = match[1]
        elif match := _COUNT.match(lead, position):
            if match[1]:
                fields["device_sequence" if "sequence" in fields else "sequence"] = int(match[1])
        elif match := _WORD.match(lead, position):
            name = "location" if "/" in match[1] else "process" if match[2] else "host"
            if name in fields:
                return None
            fields[name] = match[1]
            if match[2]:
                fields["procid"] = match[2]
        if match is None:
            return None
        position = match.end()
    return fields
