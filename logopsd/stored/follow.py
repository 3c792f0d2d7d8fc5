"""Reads the sink's files as they grow, from one day and piece to the next; whole lines only."""

import heapq
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from logopsd.sinks.rotation import Piece, parse_piece, piece_name, writer_of

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
    found = ((name, piece) for name in names if (piece := parse_piece(name)) is not None)
    # What has a label too is a split file, and holds the same records once more.
    return sorted(piece for name, piece in found if piece.rest == writer_of(name))


def by_writer(found: Iterable[Piece]) -> dict[str, list[Piece]]:
    """The files of each process that writes, `-w2` or empty where there is but one, in order."""
    writers: dict[str, list[Piece]] = {}
    for piece in found:
        writers.setdefault(piece.rest, []).append(piece)
    return writers


def path_of(directory: Path, piece: Piece) -> Path:
    """Where a piece is."""
    return directory / piece_name(piece.stem, piece.number)


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


class Followers:
    """Follows the files of a directory, of all processes that write there.

    Args:
        directory: of the sink; it may not be there yet.
        first: the day to begin with, YYYYMMDD; older files are passed over.
        key: by which the lines of several files are brought in order, as far as they came.
    """

    def __init__(self, directory: Path, first: str, key: Key) -> None:
        self._directory = directory
        self._first = first
        self._key = key
        self._followers: dict[str, Follower] = {}

    def close(self) -> None:
        """Close all files that are open."""
        for follower in self._followers.values():
            follower.close()

    def begin(self, piece: Piece, offset: int) -> None:
        """Begin in the middle: with this file of its writer, at this offset."""
        self._of(piece.rest).begin(piece, offset)

    def poll(self) -> Iterator[Line]:
        """The lines that came since the last call."""
        for writer in by_writer(pieces(self._directory)):
            self._of(writer)
        came = [follower.poll() for follower in self._followers.values()]
        return heapq.merge(*came, key=self._key) if len(came) > 1 else iter(came[0] if came else ())

    def _of(self, writer: str) -> "Follower":
        if writer not in self._followers:
            self._followers[writer] = Follower(self._directory, self._first + writer)
        return self._followers[writer]


class Follower:
    """Follows the files of one process that writes.

    Args:
        directory: of the sink; it may not be there yet.
        first: the stem to begin with, `YYYYMMDD` or `YYYYMMDD-w2`; older files are passed over.
    """

    def __init__(self, directory: Path, first: str) -> None:
        self._directory = directory
        self._next = Piece(first, 0)
        self._writer = self._next.rest
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
        ours = by_writer(pieces(self._directory)).get(self._writer, ())
        return next((each for each in ours if each >= self._next), None)

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
