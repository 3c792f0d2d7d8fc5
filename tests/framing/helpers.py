"""Feeds a framer one stream in every way a network may split it."""

from collections.abc import Callable, Iterable
from typing import Protocol

from logopsd.framing.buffer import FrameList
from logopsd.records import Frames


class Framer(Protocol):
    """What every framer has."""

    def receive_data(self, data: bytes) -> Frames:
        """Take the next bytes."""

    def receive_eof(self) -> Frames:
        """Take the end."""


def feed(framer: Framer, pieces: Iterable[bytes], *, eof: bool = True) -> Frames:
    """All frames of a stream that comes in these pieces."""
    out = FrameList()
    found = [framer.receive_data(piece) for piece in pieces]
    if eof:
        found.append(framer.receive_eof())
    for frames in found:
        out.extend(frames)
        for reason, count in frames.faults.items():
            for _ in range(count):
                out.fault(reason)
    return out.result()


def frames_of(
    make: Callable[[], Framer],
    stream: bytes,
    *,
    behind: tuple[bytes, bytes] = (b"\n<13>behind\n", b"<13>behind"),
) -> Frames:
    """The frames of a stream up to its end, whole, byte by byte, and with bytes behind it.

    Args:
        make: gives a new framer.
        stream: the bytes up to EOF.
        behind: bytes that may follow any stream that is not cut off, and the frame they are.

    Returns:
        What each way of feeding gave.
    """
    whole = feed(make(), [stream])
    byte_by_byte = feed(make(), [stream[i : i + 1] for i in range(len(stream))])
    assert byte_by_byte == whole
    halves = [feed(make(), [stream[:i], stream[i:]]) for i in range(len(stream))]
    assert all(half == whole for half in halves)
    if "incomplete" not in whole.faults:
        more, frame = behind
        followed = feed(make(), [stream + more])
        assert followed.frames == [*whole.frames, frame]
        assert followed.cut == whole.cut
    return whole
