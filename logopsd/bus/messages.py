"""What a message in the stream is: whole NDJSON lines of one subject, and headers about them. Pure.

A message is a batch, as one record a message would cost more than ten times as much (14,500
records/s against more than a million at 512 KiB, one nats-server and nats-py on two cores). Its
lines stand in the order of the file. Its id is made of where the lines stand and of what they
are, so that the same lines of the same place have the same id whenever they are published, and
other lines never have it.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

import msgspec

from logopsd.bus.template import check_template
from logopsd.patterns import lazy_pattern
from logopsd.records import INPUTS, LEVELS

SCHEMA_VERSION: Final = "1"
"""Of the records and headers; a new number where a reader of the old one would go wrong."""

SCHEMA: Final = "Logops-Schema"
RECORDS: Final = "Logops-Records"
SOURCE: Final = "Logops-Source"
FILE: Final = "Logops-File"
RANGE: Final = "Logops-Range"
MESSAGE_ID: Final = "Nats-Msg-Id"
"""Header names. Range: `start-end`, offsets in bytes, of what the message's lines were cut from;
lines of other subjects between them are in other messages of the same range."""

DEFAULT_SUBJECT: Final = "logs.{input}.{level}"

HEADER_BYTES: Final = 1024
"""Kept free of a server's max_payload, which holds headers too: ours have some 300."""

FIELDS: Final = ("input", "level", "emitter", "host")
"""Fields of a record that a subject may be made of."""

_FIELD: Final = lazy_pattern(r"\{([a-z]+)\}")
_UNFIT: Final = lazy_pattern(r"[^A-Za-z0-9_-]", re.ASCII)
_MAX_TOKEN: Final = 64
"""Characters of a value in a subject."""

_CLOSED: Final = {name: name for name in INPUTS} | {name: name.lower() for name in LEVELS}


class _Named(msgspec.Struct, gc=False):
    """What a subject may be made of."""

    input: str = ""
    level: str = ""
    emitter: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where lines were cut from.

    Attributes:
        source: tells one receiver's folder from every other.
        file: name of the file.
        start: offset of the first byte.
        end: offset behind the last.
    """

    source: str
    file: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        subject: where it is published.
        payload: whole lines, each ended by LF.
        records: how many.
        headers: with the id.
    """

    subject: str
    payload: bytes
    records: int
    headers: dict[str, str]


class Subjects:
    """Gives each record its subject.

    Args:
        template: names separated by dots, `{input}`, `{level}`, `{emitter}` and `{host}` among
            them. What a sender chose (emitter, host) is cut to 64 characters, and each of them
            that is no letter, digit, `_` or `-` becomes `_`. A value that is missing is `none`.

    Raises:
        ValueError: it is no template.
    """

    def __init__(self, template: str = DEFAULT_SUBJECT) -> None:
        check_template(template)
        self.template = template
        self._names = tuple(_FIELD.findall(template))
        self._values = attrgetter(*self._names) if self._names else attrgetter("level")
        self._decoder = msgspec.json.Decoder(_Named)
        self._known: dict[str | tuple[str, ...], str] = {}

    @property
    def pattern(self) -> str:
        """What a stream must take: the names before the first value, and all behind them."""
        fixed: list[str] = []
        for name in self.template.split("."):
            if "{" in name:
                return ".".join([*fixed, ">"])
            fixed.append(name)
        return self.template

    def group(self, lines: list[bytes]) -> dict[str, list[bytes]]:
        """Whole lines by subject, each in its order; a line that is no record has no values."""
        if not self._names:
            return {self.template: lines} if lines else {}
        groups: dict[str, list[bytes]] = {}
        for values, line in zip(map(self._values, self._records(lines)), lines, strict=True):
            subject = self._known.get(values) or self._make(values)
            if subject in groups:
                groups[subject].append(line)
            else:
                groups[subject] = [line]
        return groups

    def _records(self, lines: list[bytes]) -> list[_Named]:
        try:
            records = self._decoder.decode_lines(b"".join(lines))
        except msgspec.MsgspecError:
            records = []
        if len(records) == len(lines):  # else a line is blank, or no record
            return records
        return [self._record(line) for line in lines]

    def _record(self, line: bytes) -> _Named:
        try:
            return self._decoder.decode(line)
        except msgspec.MsgspecError:  # put there by someone else, or a field that is no text
            return _Named()

    def _make(self, values: str | tuple[str, ...]) -> str:
        texts = iter((values,) if isinstance(values, str) else values)
        subject = _FIELD.sub(lambda _: _token(next(texts)), self.template)
        if len(self._known) >= 10_000:  # emitters and hosts are as many as senders like
            self._known.clear()
        self._known[values] = subject
        return subject


def _token(value: str) -> str:
    return _CLOSED.get(value) or _UNFIT.sub("_", value[:_MAX_TOKEN]) or "none"


def messages(
    data: bytes, origin: Origin, subjects: Subjects, limit: int
) -> tuple[list[Message], list[bytes]]:
    """Cut whole lines into messages; the same lines give the same messages.

    Args:
        data: whole lines.
        origin: where they stand.
        subjects: by which they are parted.
        limit: bytes a payload may have.

    Returns:
        The messages, those of one subject in the order of the file; and lines that are longer
        than the limit, and fit into no message.
    """
    lines = _lines(data)
    too_long: list[bytes] = []
    if max(map(len, lines), default=0) > limit:
        too_long = [line for line in lines if len(line) > limit]
        lines = [line for line in lines if len(line) <= limit]
    made = [
        _message(subject, part, origin, number)
        for subject, group in subjects.group(lines).items()
        for number, part in enumerate(_parts(group, limit))
    ]
    return made, too_long


def _lines(data: bytes) -> list[bytes]:
    """The lines with their LF; blank ones, which are no records, are left out."""
    if b"\r" in data or b"\n\n" in data or data.startswith(b"\n"):  # put there by someone else
        return [line + b"\n" for line in data.split(b"\n") if line]
    return data.splitlines(keepends=True)


def _parts(lines: list[bytes], limit: int) -> Iterator[list[bytes]]:
    if sum(map(len, lines)) <= limit:
        yield lines
        return
    part: list[bytes] = []
    room = limit
    for line in lines:
        if len(line) > room:
            yield part
            part, room = [], limit
        part.append(line)
        room -= len(line)
    yield part


def _message(subject: str, lines: list[bytes], origin: Origin, number: int) -> Message:
    payload = b"".join(lines)
    where = f"{origin.start}-{origin.end}"
    crc = zlib.crc32(payload)
    headers = {
        SCHEMA: SCHEMA_VERSION,
        RECORDS: str(len(lines)),
        SOURCE: origin.source,
        FILE: origin.file,
        RANGE: where,
        MESSAGE_ID: f"{origin.source}/{origin.file}/{where}/{subject}/{number}/{crc:08x}",
    }
    return Message(subject, payload, len(lines), headers)
