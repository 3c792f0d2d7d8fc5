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
        for line in reveal(source, counted, fields=fields, grep=grep):
            out.write(line.data + b"\n")
            done.lines += 1
            done.revealed += line.done
            done.malformed += line.malformed


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
