"""What crosses the walls between the stages: Frames, JournalEntry, Batch, Record and Receipt."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

INPUTS = ("udp", "tcp", "tls", "unix", "relp", "http", "journal")
"""The names an input may have, in the record, in the metrics and in the log."""

LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "CRITICAL")
"""The levels a record may have, least urgent first."""


class Frames(msgspec.Struct, frozen=True):
    """Complete frames as a framer cut them out of a stream, in order.

    Attributes:
        frames: the frames, without their delimiters.
        cut: for a frame cut at the limit, its place in `frames` -> its length before, in bytes.
        faults: what was malformed on the way, reason -> how often; reasons of a closed set.
    """

    frames: list[bytes] = msgspec.field(default_factory=list)
    cut: Mapping[int, int] = msgspec.field(default_factory=dict)
    faults: Mapping[str, int] = msgspec.field(default_factory=dict)


FieldValue = str | bytes
"""The value of a journal's field: bytes where they are not UTF-8."""


class JournalEntry(msgspec.Struct):
    """One entry of a systemd journal, as a framer cut it out of a stream.

    Attributes:
        fields: by name; a list where a field stands there more than once.
        message_length: of a message that was cut, its length before in bytes; else 0.
        left_out: the names of fields that were too long to be kept.
    """

    fields: dict[str, FieldValue | list[FieldValue]] = msgspec.field(default_factory=dict)
    message_length: int = 0
    left_out: list[str] = msgspec.field(default_factory=list)

    def add(self, name: str, value: FieldValue) -> None:
        """Add a field, behind those of its name that came before."""
        before = self.fields.get(name)
        if before is None:
            self.fields[name] = value
        elif isinstance(before, list):
            before.append(value)
        else:
            self.fields[name] = [before, value]


class Record(msgspec.Struct, omit_defaults=True, gc=False):
    """One log record as it is written; the fields stand in the order of the output.

    `extras` holds what a structured payload brought beside these fields; the encoder merges it
    behind them at the top level. `gc=False` saves a fifth of the cost of making one; it is safe,
    as a record is a tree and never part of a cycle.
    """

    ts: str
    level: str
    msg: str
    msg_enc: str | None = None
    emitter: str | None = None
    facility: str | None = None
    severity: str | None = None
    host: str | None = None
    app: str | None = None
    procid: str | None = None
    msgid: str | None = None
    sd: dict[str, dict[str, Any]] | None = None
    input: str = ""
    peer: str | None = None
    received: str = ""
    format: str = ""
    guessed: list[str] | None = None
    ts_orig: str | None = None
    encoding: str | None = None
    truncated: bool = False
    original_length: int = 0
    extras: dict[str, Any] | None = None


class Batch(msgspec.Struct):
    """What one read brought: what its records have in common, and the records themselves.

    The parsers are handed the batch for its time and input, and count in it what they had to
    fill in.

    Attributes:
        input: one of INPUTS.
        now: time of arrival, seconds since the epoch.
        received: the same as RFC 3339 UTC with milliseconds.
        records: in the order of arrival.
        missing_ts: records whose time is the time of arrival, as they brought none readable.
        missing_level: records whose level is INFO for want of one.
        suppressed: records left out, as their peer sends too many; they are not among `records`.
        failed: records kept as plain text, as a parser failed on them, a bug of ours.
    """

    input: str
    now: float
    received: str
    records: list[Record] = []
    missing_ts: int = 0
    missing_level: int = 0
    suppressed: int = 0
    failed: int = 0


class Receipt(msgspec.Struct, frozen=True):
    """Goes down to the sink with the bytes of a batch, and comes back up when they are stored.

    Attributes:
        input: one of INPUTS.
        count: how many records the bytes hold.
        on_stored: called in the event loop once the bytes are written (and fsynced, where the
            policy is `always`); None where nobody can be told.
    """

    input: str
    count: int
    on_stored: Callable[[], None] | None = None
