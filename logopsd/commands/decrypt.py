"""`logopsd decrypt`: stored lines with the originals in the place of the masked, as a stream."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from re import Pattern
from typing import BinaryIO

from logopsd.commands.stored import opened
from logopsd.errors import TokenError
from logopsd.privacy.reveal import reveal


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

    with opened(name, stdin) as source:
        lines = source if tell is None else _told(source, tell)
        for line in reveal(lines, counted, fields=fields, grep=grep):
            out.write(line.data + b"\n")
            done.lines += 1
            done.revealed += line.done
            done.malformed += line.malformed


def _told(lines: Iterator[bytes], tell: Callable[[int], None]) -> Iterator[bytes]:
    for line in lines:
        tell(len(line))
        yield line
