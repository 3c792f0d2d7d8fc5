"""The files of a folder, oldest first, and the ranges that are still to be sent of each."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

from logopsd.shipping.cut import BLOCK_BYTES, MAX_LINE_BYTES, Cut, wanted
from logopsd.shipping.positions import Position, Positions
from logopsd.sinks.rotation import Piece, parse_piece

DAY_LETTERS: Final = 8
"""A stem begins with its day, YYYYMMDD."""


def order(piece: Piece) -> tuple[str, str, int]:
    """By day, then by stem, then by number."""
    return piece.stem[:DAY_LETTERS], piece.stem, piece.number


def pieces_of(directory: Path) -> list[tuple[Piece, str]]:
    """The sink's files in a folder with their names, oldest first; none where it is missing."""
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    found = [(piece, name) for name in names if (piece := parse_piece(name)) is not None]
    return sorted(found, key=lambda each: order(each[0]))


class Followed:
    """One file that is being sent; open, so that it is sent to its end even if it is moved away.

    Args:
        name: of the file.
        file: open for reading.
        position: how far it is sent.
    """

    def __init__(self, name: str, file: BinaryIO, position: Position) -> None:
        self.name = name
        self.position = position
        self._file = file

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def size(self) -> int:
        """Bytes there are now."""
        return os.fstat(self._file.fileno()).st_size

    @property
    def identity(self) -> tuple[int, int]:
        """Device and inode."""
        return self.position.dev, self.position.ino

    def next(self) -> Cut | None:
        """The next range; None where no whole line follows yet."""
        start, end = self.position.offset, self.position.end
        planned = self._read(start, end - start) if end > start else b""
        if planned.endswith(b"\n") and len(planned) == end - start:
            return Cut(self.name, start, end, planned, full=False)
        want = wanted(start)
        data = self._read(start, want)
        length = data.rfind(b"\n") + 1
        if length:
            return Cut(self.name, start, start + length, data[:length], full=len(data) == want)
        return self._long_line(start, data) if len(data) == want else None

    def plan(self, cut: Cut) -> None:
        """Note the end of a range before it is sent."""
        self.position = replace(self.position, end=cut.end)

    def sent(self, cut: Cut) -> None:
        """Note that a range is sent and acknowledged."""
        self.position = self.position.moved(self._file, cut.end)

    def _read(self, start: int, length: int) -> bytes:
        return os.pread(self._file.fileno(), length, start)

    def _long_line(self, start: int, data: bytes) -> Cut | None:
        """A line that is longer than a range; it is not held where it is longer than a line may."""
        held = [data]
        length = len(data)
        while chunk := self._read(start + length, BLOCK_BYTES):
            end = chunk.find(b"\n") + 1
            length += end or len(chunk)
            held.append(chunk[:end] if end else chunk)
            if length > MAX_LINE_BYTES:
                held.clear()
            if end:
                return Cut(self.name, start, start + length, b"".join(held), full=True)
        return None


class Folder:
    """All files of a folder that are being sent.

    Args:
        directory: of the sink; it may not be there yet.
        positions: how far each file is sent; brought up to date by `note`.
    """

    def __init__(self, directory: Path, positions: Positions) -> None:
        self._directory = directory
        self._positions = positions
        self._open: dict[str, Followed] = {}
        self._moved: list[Followed] = []

    def refresh(self) -> Iterator[Followed]:
        """Look what there is, and give what is unsent, oldest first; then let go of what is not."""
        there = pieces_of(self._directory)
        for name in [name for name in self._open if not self._is_there(name)]:
            self._moved.append(self._open.pop(name))
        for moved in self._moved:
            yield moved
            moved.close()
        self._moved.clear()
        growing = _growing([piece for piece, _ in there])
        for piece, name in there:
            if (followed := self._opened(name)) is not None:
                yield followed
                if piece not in growing:
                    self._open.pop(name).close()
        for gone in self._positions.files.keys() - {name for _, name in there}:
            del self._positions.files[gone]

    def note(self, followed: Followed) -> None:
        """Take over the position of a file; one that was moved away has none any more."""
        if self._open.get(followed.name) is followed:
            self._positions.files[followed.name] = followed.position

    def unsent(self) -> int:
        """Bytes of all files that are not yet sent."""
        total = sum(max(0, each.size - each.position.offset) for each in self._moved)
        for _, name in pieces_of(self._directory):
            total += max(0, self._size_of(name) - self._offset_of(name))
        return total

    def close(self) -> None:
        """Close all files."""
        for followed in (*self._open.values(), *self._moved):
            followed.close()
        self._open.clear()
        self._moved.clear()

    def _opened(self, name: str) -> Followed | None:
        if name in self._open:
            return self._open[name]
        known = self._positions.files.get(name)
        path = self._directory / name
        try:
            there = path.stat()
            if known and (known.dev, known.ino, known.offset) == (
                *(there.st_dev, there.st_ino),
                there.st_size,
            ):
                return None  # it is sent to its end
            file = path.open("rb")
        except OSError:  # removed in this moment, or not ours to read
            return None
        followed = Followed(name, file, self._positions.of(name, file))
        self._open[name] = followed
        self.note(followed)
        return followed

    def _is_there(self, name: str) -> bool:
        """Whether a name is still that of the file that is open, and not cut back."""
        followed = self._open[name]
        try:
            there = (self._directory / name).stat()
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == followed.identity and (
            there.st_size >= followed.position.offset
        )

    def _size_of(self, name: str) -> int:
        try:
            return (self._directory / name).stat().st_size
        except OSError:
            return 0

    def _offset_of(self, name: str) -> int:
        followed = self._open.get(name)
        known = self._positions.files.get(name) if followed is None else followed.position
        return 0 if known is None else known.offset


def _growing(pieces: list[Piece]) -> set[Piece]:
    """Which may still be written to: the last piece of each stem of the last two days."""
    days = sorted({piece.stem[:DAY_LETTERS] for piece in pieces})[-2:]
    last = {piece.stem: piece for piece in pieces}
    return {piece for piece in last.values() if piece.stem[:DAY_LETTERS] in days}
