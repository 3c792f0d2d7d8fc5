"""The names of the sink's files: a stem, its pieces, and what stands beside them. Pure.

The stem is a UTC day, `20261123`, or a day and a label of a closed set, `20261123-error`.
`20261123.ndjson` is the first file of a stem, `20261123-1.ndjson` its next piece, and so on. A
name is given once: a file is never renamed while it may be tailed, so the newest data of a stem
is in the piece with the highest number.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

TORN_SUFFIX = ".torn"
"""Appended to a file's name for what was torn off it; outside of the glob `*.ndjson`."""

_PIECE = re.compile(r"([0-9]{8}(?:-[a-z]{1,32})?)(?:-([1-9][0-9]{0,8}))?\.ndjson", re.ASCII)


class Piece(NamedTuple):
    """One file of a stem.

    Attributes:
        stem: `YYYYMMDD` or `YYYYMMDD-label`.
        number: 0 for the first file of the stem, then 1, 2, ...
    """

    stem: str
    number: int


def piece_name(stem: str, number: int) -> str:
    """The file name of a piece."""
    return f"{stem}-{number}.ndjson" if number else f"{stem}.ndjson"


def parse_piece(name: str) -> Piece | None:
    """The piece that a file name stands for, or None where it is none of ours."""
    match = _PIECE.fullmatch(name)
    return Piece(match[1], int(match[2] or 0)) if match else None


def newest_number(names: Iterable[str], stem: str) -> int:
    """The number of a stem's newest piece among the names of a directory; 0 where there is none."""
    pieces = filter(None, map(parse_piece, names))
    return max((piece.number for piece in pieces if piece.stem == stem), default=0)
