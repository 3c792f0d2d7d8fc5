"""What of the sink's files and their archives holds a range of time: by day, and by halving."""

import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

from logopsd.commands.replay.selection import time_of
from logopsd.commands.stored import opened, size_of
from logopsd.sinks.rotation import Piece, parse_piece
from logopsd.stored.follow import MAX_LINE_BYTES, offset_of, path_of, pieces

SLACK: Final = timedelta(minutes=1)
"""By how much lines of a file may be out of the order of their times, after the clock was set."""

_ARCHIVE: Final = re.compile(r"(.+\.ndjson)(?:-([1-9][0-9]{0,8}))?\.zip", re.ASCII | re.DOTALL)
_DAY_LENGTH: Final = len("YYYYMMDD")
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """What is to be read of a file.

    Attributes:
        name: a path of NDJSON or of a zip archive, or `-`.
        start: where the first line begins that counts.
        end: lines that begin before it count; None for all.
    """

    name: str
    start: int = 0
    end: int | None = None

    @property
    def size(self) -> int:
        """Bytes of NDJSON, as far as known.

        Raises:
            OSError: there is no such file.
        """
        return size_of(self.name) if self.end is None else self.end - self.start

    def lines(self, stdin: BinaryIO) -> Iterator[bytes]:
        """The lines, with their line feeds.

        Raises:
            OSError: it cannot be read.
            LogopsError: it is no archive that can be read.
        """
        if self.end is None:
            with opened(self.name, stdin) as lines:
                yield from lines
            return
        with Path(self.name).open("rb") as file:
            position = file.seek(self.start)
            while position < self.end and (line := file.readline(MAX_LINE_BYTES)):
                position += len(line)
                yield line


def stored_parts(
    directory: Path, archive_dir: Path | None, *, since: str = "", until: str = ""
) -> list[Part]:
    """What may hold lines of a range of time, oldest first.

    A day whose file was archived and not yet removed is read from its file alone.

    Args:
        directory: of the sink.
        archive_dir: of the archives; None where there are none.
        since: from then on, RFC 3339 UTC without its `Z`; empty for the beginning.
        until: up to then; empty for the end.
    """
    since, until = _earlier(since), _later(until)
    first, last = since[:10].replace("-", ""), until[:10].replace("-", "")
    files = {piece: path_of(directory, piece) for piece in pieces(directory)}
    found = [(piece, 0, path) for piece, path in files.items()]
    for piece, number, path in _archives(archive_dir):
        if piece not in files or not _same(path, files[piece]):
            found.append((piece, number, path))
    return [
        _range(path, since, until) if path.suffix == ".ndjson" else Part(str(path))
        for piece, _, path in sorted(found)
        if first <= piece.stem and (not last or piece.stem <= last)
    ]


def _range(path: Path, since: str, until: str) -> Part:
    try:
        file = path.open("rb")
    except OSError:
        return Part(str(path))  # told of when it is read
    with file:
        size = file.seek(0, os.SEEK_END)
        start = offset_of(file, since, size, time_of) if since else 0
        end = offset_of(file, until, size, time_of) if until else size
    return Part(str(path), start, max(start, min(end, size)))


def _archives(directory: Path | None) -> Iterator[tuple[Piece, int, Path]]:
    names: list[str] = []
    if directory is not None:
        with suppress(FileNotFoundError):
            names = os.listdir(directory)
    for name in names:
        match = _ARCHIVE.fullmatch(name)
        piece = parse_piece(match[1]) if match else None
        if match and piece is not None and len(piece.stem) == _DAY_LENGTH:
            yield piece, int(match[2] or 1), directory / name  # type: ignore[operator]


def _same(archive: Path, path: Path) -> bool:
    """Whether an archive holds what a file does: then the file was about to be removed."""
    try:
        with zipfile.ZipFile(archive) as opened_archive:
            member = opened_archive.getinfo(path.name)
        return member.file_size == path.stat().st_size and _crc_of(path) == member.CRC
    except (zipfile.BadZipFile, KeyError, FileNotFoundError):
        return False


def _crc_of(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            crc = zlib.crc32(chunk, crc)
    return crc


def _earlier(time: str) -> str:
    return _shifted(time, -SLACK)


def _later(time: str) -> str:
    return _shifted(time, SLACK)


def _shifted(time: str, by: timedelta) -> str:
    if not time:
        return ""
    try:
        return (datetime.fromisoformat(time) + by).isoformat(timespec="milliseconds")
    except OverflowError:  # at the ends of the calendar
        return time
