"""`logopsd decrypt`: stored lines with the originals in the place of the masked, as a stream."""

import contextlib
import zipfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from re import Pattern
from typing import BinaryIO

from logopsd.errors import LogopsError, TokenError
from logopsd.privacy.reveal import reveal

STDIN = "-"


@dataclass(slots=True)
class Revealed:
    """What was done so far.

    Attributes:
        lines: given out.
        revealed: tokens opened in these.
        unopened: tokens that no key at hand opens, also in lines that `grep` left out.
        malformed: lines that are no JSON object; given out as they are.
    """

    lines: int = 0
    revealed: int = 0
    unopened: int = 0
    malformed: int = 0


def decrypt_file(
    name: str,
    stdin: BinaryIO,
    out: BinaryIO,
    done: Revealed,
    decrypt: Callable[[str], str],
    *,
    fields: Collection[str] | None = None,
    grep: Pattern[str] | None = None,
    tell: Callable[[int], None] | None = None,
) -> None:
    """Stream one file.

    Args:
        name: a path of NDJSON, or of a zip archive of it; `-` for `stdin`.
        stdin: read where the name is `-`.
        out: where the lines go.
        done: is counted on with every line.
        decrypt: opens a token; raises TokenError.
        fields: open these only; None for all.
        grep: give out only lines that match this once opened.
        tell: called with the bytes of each line that is read.

    Raises:
        OSError: it cannot be read, or nobody reads on.
        LogopsError: it is no archive that can be read.
    """

    def counted(token: str) -> str:
        try:
            return decrypt(token)
        except TokenError:
            done.unopened += 1
            raise

    with _opened(name, stdin) as source:
        lines = source if tell is None else _told(source, tell)
        for line in reveal(lines, counted, fields=fields, grep=grep):
            out.write(line.data + b"\n")
            done.lines += 1
            done.revealed += line.done
            done.malformed += line.malformed


def size_of(name: str) -> int:
    """Return how many bytes of lines a file has; 0 where that cannot be known before."""
    try:
        if name.endswith(".zip"):
            with zipfile.ZipFile(name) as archive:
                return sum(member.file_size for member in archive.infolist())
        return 0 if name == STDIN else Path(name).stat().st_size
    except (OSError, zipfile.BadZipFile):  # told when it is its turn
        return 0


def _told(lines: Iterator[bytes], tell: Callable[[int], None]) -> Iterator[bytes]:
    for line in lines:
        tell(len(line))
        yield line


@contextlib.contextmanager
def _opened(name: str, stdin: BinaryIO) -> Iterator[Iterator[bytes]]:
    if name == STDIN:
        yield iter(stdin)
    elif name.endswith(".zip"):
        try:
            with zipfile.ZipFile(name) as archive:
                yield _lines_of(archive)
        except zipfile.BadZipFile:
            raise LogopsError(f"{ascii(name)[1:-1]} is no zip archive, or is damaged") from None
    else:
        with Path(name).open("rb") as file:
            yield iter(file)


def _lines_of(archive: zipfile.ZipFile) -> Iterator[bytes]:
    for member in archive.infolist():
        with archive.open(member) as opened:
            yield from opened
