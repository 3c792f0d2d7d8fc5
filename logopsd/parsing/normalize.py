"""The fields of a structured payload, under whatever names, into a Record.

A payload may fill the fields in which a sender speaks of itself (`host`, `app`, `procid`,
`msgid`, `emitter`, `facility`, `severity`, `sd`). It never fills those in which the daemon speaks
(`received`, `peer`, `guessed`, ...). What cannot take the place of its name, because the name is
the daemon's or the type is another, is kept as `<name>_orig`: no value is lost, and no sender
changes the type of a field.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from logopsd import compiled
from logopsd.parsing.names import (
    LEVEL_ALIASES,
    MSG_ALIASES,
    OWN_FIELDS,
    SCALARS,
    TIME_ALIASES,
)
from logopsd.parsing.priority import FACILITIES, LEVEL_WORDS, level_of, severity_of
from logopsd.parsing.shapes import Shapes
from logopsd.parsing.timestamps import Stamps
from logopsd.records import Batch, Record

if TYPE_CHECKING:
    from logopsd.compiled.payloads import PayloadReader

MAX_DEPTH: Final = 32
"""Nesting of a payload that is kept as it is; what lies deeper becomes its JSON text, so that no
stage behind has to fear for its stack. Real payloads stay below ten."""

_RENAMED: Final = "_orig"
_NOTHING: Final[Mapping[str, Any]] = {}
# These hold a word each; numbers are taken as their digits.
_WORD_FIELDS: Final = ("emitter", "host", "app", "procid", "msgid")
_HOST_NAME: Final = re.compile(r"[0-9._-]*+[A-Za-z][A-Za-z0-9._-]{0,254}+")
_SELF_FIELDS: Final = frozenset((*_WORD_FIELDS, "facility", "severity", "sd"))


def _make_usual(stamps: Stamps) -> "PayloadReader | None":
    if compiled.PayloadReader is None:
        return None
    shapes = Shapes(
        times=TIME_ALIASES,
        levels=LEVEL_ALIASES,
        msgs=MSG_ALIASES,
        others=OWN_FIELDS - {"ts", "level", "msg"},
    )
    return compiled.PayloadReader(Record, shapes, LEVEL_WORDS, stamps.iso)


class Normalizer:
    """Makes records of structured payloads.

    Args:
        stamps: converts the stamps, shared by all parsers.
        use_compiled: usual payloads are read by what was compiled for them, where it was.
    """

    def __init__(self, stamps: Stamps, *, use_compiled: bool = True) -> None:
        self._stamps = stamps
        self._usual = _make_usual(stamps) if use_compiled else None

    def records(
        self,
        payloads: Sequence[object],
        peer: str | None,
        batch: Batch,
        *,
        format: str,
        emitter: str,
    ) -> tuple[list[Record], list[int]]:
        """Make records of payloads; what is missing is counted in the batch.

        Args:
            payloads: mappings of field names to values, as decoded from JSON or a table.
            peer: the sender's address.
            batch: for its time and input.
            format: which parser understood it.
            emitter: who is named as the producer where the payload names none.

        Returns:
            A record for each; and the places of what is no mapping, where none stands.
        """
        records: list[Any]
        left: Sequence[int]
        if self._usual is not None:
            records, left = self._usual.read(payloads, peer, batch, format, emitter)
        else:
            records, left = [None] * len(payloads), range(len(payloads))
        strange = []
        for place in left:
            payload = payloads[place]
            if isinstance(payload, Mapping):
                records[place] = self._record(payload, peer, batch, format, emitter)
            else:
                strange.append(place)
        return records, strange

    def _record(
        self,
        payload: Mapping[str, object],
        peer: str | None,
        batch: Batch,
        format: str,
        emitter: str,
    ) -> Record:
        """Read a payload of any kind: the reference of what is compiled."""
        rest = dict(payload)
        record = Record(
            "", "", "", None, input=batch.input, peer=peer, received=batch.received, format=format
        )
        self._take_time(rest, record)
        _take_level(rest, record)
        record.msg = _take_msg(rest) or ""
        _take_own_fields(rest, record)
        record.emitter = record.emitter or _service(rest) or record.app or emitter
        if rest:
            record.extras = _extras(rest)
        complete(record, batch)
        return record

    def lift(self, record: Record, payload: Mapping[str, object], *, msg: str = "") -> None:
        """Lift the fields of a payload that is the message of a record into the record.

        What the header said stays: the payload's time and level are used where `ts` and `level`
        are empty, and fill no field that is taken. Only for who produced it the payload is
        asked first. The message is the payload's, else `msg`.
        """
        rest = dict(payload)
        if not record.ts:
            self._take_time(rest, record)
        elif "ts" in rest and record.ts_orig is None:
            record.ts_orig = to_text(rest.pop("ts"))
        if not record.level:
            _take_level(rest, record)
        record.msg = _take_msg(rest) or msg
        header_emitter, record.emitter = record.emitter, None
        app = _word(rest.get("app"))
        _take_own_fields(rest, record)
        record.emitter = record.emitter or _service(rest) or app or header_emitter
        attach(record, rest)

    def _take_time(self, rest: dict[str, Any], record: Record) -> None:
        """Move the first readable time of `rest` into `record`."""
        unreadable = None
        for name in TIME_ALIASES:
            if name not in rest:
                continue
            if _is_blank(rest[name]):
                del rest[name]
                continue
            stamp = self._stamps.read(rest[name])
            if stamp is None:
                unreadable = unreadable or name
                continue
            record.ts, record.guessed, _ = stamp
            del rest[name]
            break
        # Where another alias was readable, the unreadable one stays what the payload called it.
        if unreadable is not None and (not record.ts or unreadable == "ts"):
            record.ts_orig = to_text(rest.pop(unreadable))


def complete(record: Record, batch: Batch) -> None:
    """Fill in an empty time and an empty level, and count them in the batch as missing."""
    if not record.ts:
        record.ts = batch.received
        batch.missing_ts += 1
    if not record.level:
        record.level = "INFO"
        batch.missing_level += 1


def take_time(record: Record, text: str, stamps: Stamps) -> None:
    """Read a stamp for a record that has none yet; an unreadable one is kept beside."""
    if not record.ts and text:
        stamp = stamps.read(text)
        if stamp is None:
            record.ts_orig = text
        else:
            record.ts, record.guessed, _ = stamp


def add_field(fields: dict[str, Any], name: str, value: object) -> None:
    """Put a value into `fields`; one under a name that is there already makes a list of both."""
    if name not in fields:
        fields[name] = value
    elif isinstance(fields[name], list):
        fields[name].append(value)
    else:
        fields[name] = [fields[name], value]


def attach(record: Record, fields: Mapping[str, Any]) -> None:
    """Put fields beside those of a record, under other names where theirs are taken."""
    taken = record.extras or {}
    record.extras = {**taken, **_extras(fields, taken)} or None


def _take_level(rest: dict[str, Any], record: Record) -> None:
    """Move the first level of `rest` that means one into `record`."""
    for name in LEVEL_ALIASES:
        if name not in rest:
            continue
        if _is_blank(rest[name]):
            del rest[name]
            continue
        level = level_of(rest[name])
        if level is None:
            continue
        record.level = level
        value = rest.pop(name)
        if name == "severity":
            record.severity = record.severity or severity_of(value)
        return


def _take_msg(rest: dict[str, Any]) -> str | None:
    """Take the first message of `rest` that is not empty out of it."""
    for name in MSG_ALIASES:
        if name in rest:
            value = rest.pop(name)
            if not _is_blank(value):
                return value if type(value) is str else to_text(value)
    return None


def _take_own_fields(rest: dict[str, Any], record: Record) -> None:
    """Move what fits the record's fields into those that are still free."""
    if _SELF_FIELDS.isdisjoint(rest):
        return
    for name in _WORD_FIELDS:
        if name in rest:
            word = _word(rest[name])
            if name == "host":
                word = host_name(word)
            if word is not None and getattr(record, name) in (None, word):
                setattr(record, name, word)
                del rest[name]
    if "facility" in rest and record.facility is None:
        record.facility = _facility(rest["facility"])
        if record.facility is not None:
            del rest["facility"]
    if "severity" in rest and record.severity is None:
        record.severity = severity_of(rest["severity"])
        if record.severity is not None:
            del rest["severity"]
    if "sd" in rest and record.sd is None and _is_structured_data(rest["sd"]):
        record.sd = bounded(rest.pop("sd"))


def _extras(rest: Mapping[str, Any], taken: Mapping[str, Any] = _NOTHING) -> dict[str, Any]:
    """Return what is left of a payload, with no name that is the daemon's own or is taken."""
    extras = {}
    for name, value in rest.items():
        if name in OWN_FIELDS or name in taken or name.endswith("_enc"):
            name = _free_name(name, (rest, taken))
        extras[name] = value if type(value) in SCALARS else bounded(value)
    return extras


def _free_name(name: str, taken: Sequence[Mapping[str, object]]) -> str:
    name += _RENAMED
    while name in OWN_FIELDS or any(name in names for names in taken):
        name += _RENAMED
    return name


def bounded(value: Any, depth: int = MAX_DEPTH) -> Any:
    """Return a value with all that lies deeper than `depth` as JSON text."""
    if isinstance(value, dict):
        if depth == 0:
            return to_text(value)
        return {name: bounded(item, depth - 1) for name, item in value.items()}
    if isinstance(value, list):
        if depth == 0:
            return to_text(value)
        return [bounded(item, depth - 1) for item in value]
    return value


def to_text(value: object) -> str:
    """Return a text as it is, and any other value as its JSON text."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _is_blank(value: object) -> bool:
    return value is None or (type(value) is str and not value.strip())


def _word(value: object) -> str | None:
    if type(value) is str:
        return value.strip() or None
    return str(value) if type(value) is int and -(2**63) <= value < 2**64 else None


def host_name(value: object) -> str | None:
    """Return a value that is the name of a host, or None.

    An address is none here: the privacy stage masks those of payloads, but no `host`, which as
    a rule comes from the header of a syslog message.
    """
    return value if isinstance(value, str) and _HOST_NAME.fullmatch(value) else None


def _service(rest: Mapping[str, object]) -> str | None:
    """Return the name of the service, written as such or in the manner of ECS."""
    service = rest.get("service")
    if isinstance(service, dict):
        service = service.get("name")
    return _word(service)


def _facility(value: object) -> str | None:
    if type(value) is int:
        return FACILITIES[value] if 0 <= value < len(FACILITIES) else None
    return value if type(value) is str and value in FACILITIES else None


def _is_structured_data(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, dict) for item in value.values())
