"""Which stored lines are wanted, told from the few fields that decide. Pure.

A line counts by when it was received: files are named and written in that order, and it is the
daemon's own word, which a sender's clock cannot spoil.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from logopsd.records import LEVELS

_RANKS: Final = {level: rank for rank, level in enumerate(LEVELS)}


class Head(msgspec.Struct, gc=False):
    """What of a record decides; what else it holds is passed over, as that is fast."""

    received: Any = None
    ts: Any = None
    level: Any = None
    emitter: Any = None
    input: Any = None

    @property
    def time(self) -> str:
        """When it was received; of the few records that no input received, their own time."""
        return str(self.received or self.ts or "")


_DECODER: Final = msgspec.json.Decoder(Head)


def head_of(line: bytes) -> Head | None:
    """The deciding fields of a line; None where it is no JSON object."""
    try:
        return _DECODER.decode(line)
    except (ValueError, RecursionError):
        return None


def time_of(line: bytes) -> str:
    """When a line was received, RFC 3339 UTC; empty where it does not say so."""
    head = head_of(line)
    return "" if head is None else head.time


@dataclass(frozen=True, slots=True)
class Selection:
    """What is wanted.

    Attributes:
        since: received at this time or later, RFC 3339 UTC without its `Z`; empty for all.
        until: received before this time; empty for all.
        level: this level and worse; None for all.
        emitters: of these alone; empty for all.
        inputs: received by these alone; empty for all.
    """

    since: str = ""
    until: str = ""
    level: str | None = None
    emitters: Collection[str] = ()
    inputs: Collection[str] = ()

    def passes(self, head: Head) -> bool:
        """Whether a record is wanted."""
        if self.since and head.time < self.since:
            return False
        if self.until and not "" < head.time < self.until:
            return False
        if self.level is not None and _RANKS.get(str(head.level), -1) < _RANKS[self.level]:
            return False
        if self.emitters and str(head.emitter) not in self.emitters:
            return False
        return not self.inputs or str(head.input) in self.inputs


@dataclass(slots=True)
class Found:
    """What was found so far.

    Attributes:
        records: wanted.
        size: bytes of these, with their line feeds.
        first: when the earliest of them was received.
        last: when the latest was.
        torn: last lines that were not whole; passed over.
        malformed: other lines that are no JSON object; passed over.
    """

    records: int = 0
    size: int = 0
    first: str = ""
    last: str = ""
    torn: int = 0
    malformed: int = 0

    def add(self, line: bytes, time: str) -> None:
        """Count a record."""
        self.records += 1
        self.size += len(line)
        if time:
            self.first = min(self.first or time, time)
            self.last = max(self.last, time)


def select(lines: Iterable[bytes], selection: Selection, found: Found) -> Iterator[bytes]:
    """Give the lines that are wanted, each ended by LF.

    A line without LF that is a JSON object all the same is whole: no part of an object is one.

    Args:
        lines: with their line feeds; only the last of a file may lack it.
        selection: what is wanted.
        found: is counted on with every line.
    """
    for line in lines:
        head = head_of(line)
        if head is None:
            if not line.endswith(b"\n"):
                found.torn += 1
            elif not line.isspace():
                found.malformed += 1
        elif selection.passes(head):
            whole = line if line.endswith(b"\n") else line + b"\n"
            found.add(whole, head.time)
            yield whole
