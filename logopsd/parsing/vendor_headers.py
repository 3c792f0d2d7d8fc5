"""What some senders put between the syslog header and the message: taken out into fields.

- Snare, and NXLog in its manner: a Windows event in tabs, behind `MSWinEventLog`.
- MikroTik RouterOS: the topics of the message, `system,info,account user admin logged in`.
- F5 BIG-IP: the severity once more, before the tag, `notice mcpd[6891]: ...`.

Sources: Snare event format guide; RouterOS manual, log topics; messages as sent.
"""

from typing import Final

from logopsd.parsing.normalize import attach, take_time
from logopsd.parsing.priority import LEVEL_WORDS, severity_of
from logopsd.parsing.timestamps import Stamps
from logopsd.patterns import lazy_pattern
from logopsd.records import Record

_SNARE: Final = lazy_pattern(r"(?:([\w.-]{1,255}+)\t)?MSWinEventLog\t")
_SNARE_FIELDS: Final = (
    *("criticality", "event_log", "sequence", "event_time", "event_id", "source", "user"),
    *("sid_type", "event_type", "computer", "category", "data", "description", "checksum"),
)
_SNARE_LEVELS: Final = {
    "Error": "ERROR",
    "Warning": "WARN",
    "Information": "INFO",
    "Critical": "CRITICAL",
    "Success Audit": "INFO",
    "Failure Audit": "WARN",
}

_TOPICS: Final = lazy_pattern(r"([a-z][a-z0-9-]{1,30}(?>(?:,!?[a-z][a-z0-9-]{1,30}){1,8})):? ")
_TOPIC_LEVELS: Final = frozenset(("debug", "info", "warning", "error", "critical"))

_F5: Final = lazy_pattern(r"([a-z]{3,7}) ([\w./-]{1,48}+)\[([0-9]{1,10})\]: ?")


def read_snare(record: Record, stamps: Stamps) -> bool:
    """Read the message of a record as a Windows event of Snare; return whether it is one.

    The event's text becomes the message, its source `app`.
    """
    match = _SNARE.match(record.msg)
    if match is None:
        return False
    cells = record.msg[match.end() :].split("\t", len(_SNARE_FIELDS) - 1)
    fields = {
        name: cell
        for name, cell in zip(_SNARE_FIELDS, cells, strict=False)
        if cell not in ("", "N/A")
    }
    record.host = record.host or match[1]
    if record.app is None and "source" in fields:
        record.app = record.emitter = fields["source"]
    take_time(record, fields.get("event_time", ""), stamps)
    record.level = record.level or _SNARE_LEVELS.get(fields.get("event_type", ""), "")
    record.msg = fields.pop("description", "") or record.msg
    attach(record, fields)
    return True


def read_topics(record: Record) -> bool:
    """Read the topics of RouterOS before the message; return whether there are any.

    One of them is the level; the first one names the part of the system and becomes `app`.
    """
    match = _TOPICS.match(record.msg)
    if match is None:
        return False
    topics = match[1].split(",")
    levels = [topic for topic in topics if topic in _TOPIC_LEVELS]
    if not levels:
        return False
    if record.app is None:
        record.app = record.emitter = topics[0]
    record.level = record.level or LEVEL_WORDS[levels[-1]]
    record.msg = record.msg[match.end() :]
    attach(record, {"topics": topics})
    return True


def read_f5(record: Record) -> bool:
    """Read BIG-IP's severity and tag before the message of a record without tag.

    Returns:
        Whether they are there.
    """
    match = _F5.match(record.msg)
    if match is None or match[1] not in LEVEL_WORDS:
        return False
    word, record.app, record.procid = match.groups()
    record.emitter = record.app
    record.level = record.level or LEVEL_WORDS[word]
    record.msg = record.msg[match.end() :]
    if record.severity is None:
        record.severity = severity_of(word)
    elif word != record.severity:
        attach(record, {"level": word})
    return True
