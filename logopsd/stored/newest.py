"""The newest lines of the sink's files, with a bounded read however many there are.

Nothing is kept here between two looks: where the last one ended is handed in and out. So a look
may run in a thread, be waited for by nobody, and cost nothing where nobody looks.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from logopsd.sinks.rotation import Piece
from logopsd.stored.follow import path_of, pieces

READ_BYTES: Final = 64 * 1024
"""Read of one file at a look: some 300 lines, more than people read in the second between two."""

MAX_PIECES: Final = 32
"""Files looked at, the newest: several may grow at once, and midnight has those of two days."""

Marks = Mapping[Piece, int]
"""How far each file was read, bytes."""


class Newest(msgspec.Struct, frozen=True):
    """What a look found.

    Attributes:
        lines: whole ones, in the order of their files.
        skipped_bytes: what came since the last look and was not read.
        marks: to be handed to the next look.
    """

    lines: list[bytes] = msgspec.field(default_factory=list)
    skipped_bytes: int = 0
    marks: Marks = msgspec.field(default_factory=dict)


def newest(directory: Path, marks: Marks | None = None) -> Newest:
    """Read what came since the last look.

    Args:
        directory: of the sink; it may not be there yet.
        marks: of the last look; None for the first, which reads the end of the files of the
            newest day.

    Raises:
        OSError: the directory cannot be read.
    """
    there = pieces(directory)[-MAX_PIECES:]
    lines: list[bytes] = []
    skipped = 0
    ends: dict[Piece, int] = {}
    for piece in there:
        try:
            if _is_old(piece, there, marks):
                ends[piece] = path_of(directory, piece).stat().st_size
                continue
            start = None if marks is None else marks.get(piece, 0)
            found, passed, ends[piece] = _read(path_of(directory, piece), start)
        except FileNotFoundError:  # gone in this moment
            continue
        lines += found
        skipped += passed
    return Newest(lines, skipped, ends)


def _is_old(piece: Piece, there: list[Piece], marks: Marks | None) -> bool:
    """Whether what a file holds is of no interest: it was there before, or is not of this day."""
    if marks is None:
        return piece.stem[:8] != there[-1].stem[:8]
    return piece not in marks and bool(marks) and piece < min(marks)


def _read(path: Path, start: int | None) -> tuple[list[bytes], int, int]:
    """Read the end of a file from an offset on; None skips what is before without counting it.

    Returns:
        The whole lines, the bytes passed over, and where the last line ends.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(fd).st_size
        if start is not None and size < start:  # cut, or another file
            start = 0
        if size == start:
            return [], 0, size
        at = max(start or 0, size - READ_BYTES)
        # With the byte before: where that ends a line, the first of ours is whole.
        before = 1 if at > (start or 0) else 0
        block = os.pread(fd, size - at + before, at - before)
    finally:
        os.close(fd)
    begin = block.find(b"\n") + 1 if before else 0
    end = block.rfind(b"\n") + 1
    if before and not begin:  # no line ends in it: one longer than a read, which is not shown
        begin = end = len(block)
    skipped = 0 if start is None else at - before - start + begin
    lines = [line for line in block[begin:end].split(b"\n") if line]
    return lines, skipped, at - before + end
