"""Stored lines by name: an NDJSON file, a zip archive of it, or standard input."""

import contextlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO, Final

from logopsd.errors import LogopsError
from logopsd.stored.follow import CHUNK_BYTES, MAX_LINE_BYTES

STDIN: Final = "-"

_ENCRYPTED: Final = 0x1
"""The bit of a member's flags that says so (APPNOTE.TXT 4.4.4)."""


@contextlib.contextmanager
def opened(name: str, stdin: BinaryIO) -> Iterator[Iterator[bytes]]:
    """Give the lines that a name stands for, with their line feeds; of an archive all members'.

    Args:
        name: a path of NDJSON, or of a zip archive of it; `-` for `stdin`.
        stdin: read where the name is `-`.

    Raises:
        OSError: it cannot be read.
        LogopsError: it is no archive that can be read.
    """
    if name == STDIN:
        yield lines_of(stdin)
    elif is_archive(name):
        try:
            with zipfile.ZipFile(name) as archive:
                yield _lines_of_all(archive)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
            raise LogopsError(f"{ascii(name)[1:-1]} is no zip archive, or is damaged") from None
    else:
        with Path(name).open("rb") as file:
            yield lines_of(file)


def is_archive(name: str) -> bool:
    """Whether a name is that of an archive."""
    return name.endswith(".zip")


def size_of(name: str) -> int:
    """Bytes of NDJSON that a name stands for; 0 where nobody knows before it is read.

    Raises:
        OSError: there is no such file.
    """
    if name == STDIN:
        return 0
    if is_archive(name):
        try:
            with zipfile.ZipFile(name) as archive:
                return sum(member.file_size for member in archive.infolist())
        except zipfile.BadZipFile:
            return 0  # told of when it is read
    return Path(name).stat().st_size


def lines_of(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file, with their line feeds; one that is too long is passed over."""
    skipping = False
    while line := file.readline(MAX_LINE_BYTES):
        whole = line.endswith(b"\n") or len(line) < MAX_LINE_BYTES
        if whole and not skipping:
            yield line
        skipping = not whole


def _lines_of_all(archive: zipfile.ZipFile) -> Iterator[bytes]:
    for member in archive.infolist():
        if member.flag_bits & _ENCRYPTED:
            raise LogopsError(f"{ascii(archive.filename)[1:-1]} is encrypted: unpack it first")
        # The buffer, as zipfile looks for the ends of lines one by one in Python.
        with archive.open(member) as file, io.BufferedReader(file, CHUNK_BYTES) as buffered:  # type: ignore[type-var]
            yield from lines_of(buffered)
