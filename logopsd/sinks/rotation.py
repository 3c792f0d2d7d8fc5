"""The names of the sink's files: a stem, its pieces, and what stands beside them. Pure.

The stem is a UTC day, `20261123`, or a day and a label of a closed set, `20261123-error`; where
several processes write, each has stems of its own, `20261123-w2`, `20261123-error-w2`.
`20261123.ndjson` is the first file of a stem, `20261123-1.ndjson` its next piece, and so on. A
name is given once: a file is never renamed while it may be tailed, so the newest data of a stem
is in the piece with the highest number.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from logopsd.patterns import lazy_pattern

TORN_SUFFIX = ".torn"
"""Appended to a file's name for what was torn off it; outside of the glob `*.ndjson`."""

_PIECE = lazy_pattern(
    r"([0-9]{8}(?:-[a-z]{1,32})?(-w[1-9][0-9]?)?)(?:-([1-9][0-9]{0,8}))?\.ndjson", re.ASCII
)

_DAY = len("YYYYMMDD")


class Piece(NamedTuple):
    """One file of a stem.

    Attributes:
        stem: `YYYYMMDD` or `YYYYMMDD-label`, and `-wK` behind it where worker K wrote it.
        number: 0 for the first file of the stem, then 1, 2, ...
    """

    stem: str
    number: int

    @property
    def day(self) -> str:
        """The UTC day, `YYYYMMDD`."""
        return self.stem[:_DAY]

    @property
    def rest(self) -> str:
        """What stands behind the day: nothing, `-w2`, `-error`, `-error-w2`."""
        return self.stem[_DAY:]


def worker_suffix(number: int) -> str:
    """What ends the stems of a worker, by its number from 1 to 99."""
    return f"-w{number}"


def piece_name(stem: str, number: int) -> str:
    """The file name of a piece."""
    return f"{stem}-{number}.ndjson" if number else f"{stem}.ndjson"


def parse_piece(name: str) -> Piece | None:
    """The piece that a file name stands for, or None where it is none of ours."""
    match = _PIECE.fullmatch(name)
    return Piece(match[1], int(match[3] or 0)) if match else None


def writer_of(name: str) -> str | None:
    """What ends the stem of a file by who wrote it: `-w2`, or empty; None for no file of ours."""
    match = _PIECE.fullmatch(name)
    return (match[2] or "") if match else None


def newest_number(names: Iterable[str], stem: str) -> int:
    """The number of a stem's newest piece among the names of a directory; 0 where there is none."""
    pieces = filter(None, map(parse_piece, names))
    return max((piece.number for piece in pieces if piece.stem == stem), default=0)
