"""What the framers promise of any bytes: no exception, and the same however they are split."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, get_args

from logopsd.framing.journal_export import JournalExportFramer
from logopsd.framing.multiline import MultilineJoiner
from logopsd.framing.newline import NewlineFramer, NulFramer
from logopsd.framing.proxy_protocol import read_header
from logopsd.framing.relp import RelpSession
from logopsd.framing.syslog_stream import Mode, SyslogStreamFramer
from logopsd.parsing.ndjson import NdjsonReader
from logopsd.records import Frames

LIMIT = 64
"""So small that cutting is tried as well, bytes."""


def pieces(data: bytes) -> Iterator[bytes]:
    """Yield the data in pieces of a length that its first byte names."""
    size = 1 + (data[0] if data else 0)
    for start in range(0, len(data), size):
        yield data[start : start + size]


def read(framer: Any, parts: Iterator[bytes]) -> list[Any]:
    """What a framer gives for a stream in these parts, call by call."""
    return [*map(framer.receive_data, parts), framer.receive_eof()]


def joined(found: list[Frames]) -> tuple[list[bytes], dict[int, int], dict[str, int]]:
    """What several calls gave, as if it had been one."""
    frames: list[bytes] = []
    cut: dict[int, int] = {}
    faults: dict[str, int] = {}
    for each in found:
        cut |= {len(frames) + place: length for place, length in each.cut.items()}
        frames += each.frames
        for reason, count in each.faults.items():
            faults[reason] = faults.get(reason, 0) + count
    return frames, cut, faults


def _split_alike(make: Callable[[], Any], data: bytes) -> None:
    whole = joined(read(make(), iter([data])))
    assert joined(read(make(), pieces(data))) == whole
    frames, cut, faults = whole
    assert all(0 < len(frame) <= LIMIT for frame in frames)
    if "incomplete" in faults:  # the stream ended within its last frame
        cut.pop(len(frames) - 1, None)
    assert all(len(frames[place]) == LIMIT < length for place, length in cut.items())
    assert sum(map(len, frames)) <= len(data)


def syslog_stream(data: bytes) -> None:
    """Frames of a stream, in each of its modes."""
    for mode in get_args(Mode):
        _split_alike(partial(SyslogStreamFramer, max_message=LIMIT, mode=mode), data)


def newline(data: bytes) -> None:
    """Lines, and messages that end with NUL."""
    _split_alike(partial(NewlineFramer, max_message=LIMIT), data)
    _split_alike(partial(NulFramer, max_message=LIMIT), data)


def multiline(data: bytes) -> None:
    """No line is lost or moved, whatever joins."""
    lines = list(filter(None, data.split(b"\n")))
    joiner = MultilineJoiner(max_message=LIMIT, timeout=1.0, max_lines=4)
    found: list[bytes] = []
    for place, line in enumerate(lines):
        found += joiner.add(Frames([line[:LIMIT]]), float(place)).frames
        found += joiner.expire(place + len(line) / 16).frames
    found += joiner.flush().frames
    assert b"\n".join(found) == b"\n".join(line[:LIMIT] for line in lines)
    assert all(len(record) <= LIMIT for record in found)


def relp(data: bytes) -> None:
    """A RELP session gives the same messages and answers, and nothing once it has ended."""

    def session(parts: Iterator[bytes]) -> tuple[Any, bytes, bool]:
        made = RelpSession(max_message=LIMIT, software="logopsd,0")
        reads = [made.receive_data(part) for part in parts]
        answers = b"".join(each.answers for each in reads)
        return joined([each.frames for each in reads]), answers, made.receive_data(b"").ended

    assert session(pieces(data)) == session(iter([data]))


def journal_export(data: bytes) -> None:
    """Entries of a journal; also those that are cut."""

    def entries(parts: Iterator[bytes]) -> tuple[list[Any], dict[str, int]]:
        found = read(JournalExportFramer(max_message=LIMIT), parts)
        faults: dict[str, int] = {}
        for each in found:
            for reason, count in each.faults.items():
                faults[reason] = faults.get(reason, 0) + count
        return [entry for each in found for entry in each.entries], faults

    assert entries(pieces(data)) == entries(iter([data]))


def proxy_header(data: bytes) -> None:
    """What a header is does not depend on how much of the rest has come."""
    whole = read_header(data)
    for end in range(len(data)):
        begun = read_header(data[:end])
        assert begun in ("incomplete", whole), (begun, whole)
    if not isinstance(whole, str):
        assert whole.length <= len(data)


def ndjson_stream(data: bytes) -> None:
    """Documents of a body as it streams, and the numbers of the lines that are none."""

    def documents(parts: Iterator[bytes]) -> tuple[str, list[Any]]:
        found = read(NdjsonReader(max_line=LIMIT), parts)
        # As text, for NaN is not equal to itself.
        return repr([d for each in found for d in each.documents]), [
            rejected for each in found for rejected in each.rejected
        ]

    assert documents(pieces(data)) == documents(iter([data]))
