"""Reads the sink's files as they grow, from one day and piece to the next; whole lines only."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from logopsd.sinks.rotation import Piece, parse_piece, piece_name

CHUNK_BYTES: Final = 256 * 1024
"""Bytes of one read."""

MAX_LINE_BYTES: Final = 64 * 1024 * 1024
"""A longer line is passed over: no message of the longest that settings allow makes one."""

Line = bytes
Key = Callable[[Line], str]


def pieces(directory: Path) -> list[Piece]:
    """The files of a directory that are the sink's own, oldest first; none where it is missing."""
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    found = filter(None, map(parse_piece, names))
    return sorted(piece for piece in found if len(piece.stem) == len("YYYYMMDD"))


def path_of(directory: Path, piece: Piece) -> Path:
    """Where a piece is."""
    return directory / piece_name(*piece)


def backwards(file: BinaryIO, end: int) -> Iterator[Line]:
    """The whole lines before an offset, the last one first; holds a chunk and a line.

    Args:
        file: open for reading.
        end: what lies behind the last LF before it is left out.
    """
    tail = b""  # the beginning of what was read so far, a line whose own beginning lies before
    whole = False  # whether `tail` ends with the end of a line
    position = end
    while position > 0:
        start = max(0, position - CHUNK_BYTES)
        file.seek(start)
        block = file.read(position - start)
        first, *rest = (block + tail).split(b"\n")
        position, tail = start, first
        for index in range(len(rest) - 1, -1, -1):
            if not whole:  # behind the last LF of all
                whole = True
            elif rest[index]:
                yield rest[index]
        if len(tail) > MAX_LINE_BYTES:
            tail, whole = b"", False
    if whole and tail:
        yield tail


def offset_of(file: BinaryIO, start: str, end: int, key: Key) -> int:
    """Where the first line begins whose key is not below `start`, by halving.

    Args:
        file: its lines stand in the order of their keys, more or less.
        start: the key looked for.
        end: bytes of the file that count.
        key: of a line; what has none sorts first.
    """
    low, high = 0, end
    while high - low > CHUNK_BYTES:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline(MAX_LINE_BYTES)
        line = file.readline(MAX_LINE_BYTES)
        if line and key(line) < start:
            low = middle
        else:
            high = middle
    file.seek(low)
    if low:
        file.readline(MAX_LINE_BYTES)  # its beginning lies before
    while (position := file.tell()) < end and key(file.readline(MAX_LINE_BYTES)) < start:
        pass
    return position


class Follower:
    """Follows the files of a directory.

    Args:
        directory: of the sink; it may not be there yet.
        first: the day to begin with, YYYYMMDD; older files are passed over.
    """

    def __init__(self, directory: Path, first: str) -> None:
        self._directory = directory
        self._next = Piece(first, 0)
        self._file: BinaryIO | None = None
        self._piece: Piece | None = None
        self._rest = b""
        self._skipping = False

    def close(self) -> None:
        """Close the file that is open."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def begin(self, piece: Piece, offset: int) -> None:
        """Begin in the middle: with this file, at this offset, where a line begins."""
        if self._open(piece):
            assert self._file is not None
            self._file.seek(offset)

    def poll(self) -> Iterator[Line]:
        """The lines that came since the last call, over as many files as there are by now."""
        while True:
            yield from self._read()
            following = self._following()
            if following is None:
                return
            # What was written before the next file began may have come after our last read.
            yield from self._read()
            if not self._open(following):
                return

    def _following(self) -> Piece | None:
        """The file to go on with at the end of this one; also this one, where it is a new one."""
        if self._piece is not None and self._is_replaced():
            return self._piece
        later = (each for each in pieces(self._directory) if each >= self._next)
        return next(later, None)

    def _is_replaced(self) -> bool:
        """Whether the name is another file's now (logrotate); cut back, we begin anew as well."""
        assert self._file is not None
        assert self._piece is not None
        ours = os.fstat(self._file.fileno())
        try:
            there = os.stat(path_of(self._directory, self._piece))
        except OSError:
            return False
        if ours.st_size < self._file.tell():
            return True
        return (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino)

    def _open(self, piece: Piece) -> bool:
        try:
            file = path_of(self._directory, piece).open("rb")
        except FileNotFoundError:  # gone in this moment
            return False
        self.close()
        self._file, self._piece, self._rest, self._skipping = file, piece, b"", False
        self._next = Piece(piece.stem, piece.number + 1)
        return True

    def _read(self) -> Iterator[Line]:
        if self._file is None:
            return
        while chunk := self._file.read(CHUNK_BYTES):
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            for line in lines:
                if self._skipping:
                    self._skipping = False
                elif line:
                    yield line
            if len(self._rest) > MAX_LINE_BYTES:
                self._rest, self._skipping = b"", True
