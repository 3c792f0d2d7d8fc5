"""Which files are still to be sent on, for retention, which waits for them."""

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Final

from logopsd.shipping.folder import pieces_of
from logopsd.shipping.positions import Positions, followed

_CHUNK: Final = 64 * 1024
"""Bytes in which a line end is looked for at once."""


def unshipped(directory: Path, *, expected: bool) -> Mapping[str, int]:
    """The files of a folder that are not wholly sent, to all targets there are.

    A last line without its end is no record, and nobody waits for it.

    Args:
        directory: of the sink.
        expected: shipping is asked for, even if nothing was ever sent.

    Returns:
        How many bytes of each are not sent; nothing at all where nobody ships.
    """
    targets = followed(directory) or ([Positions()] if expected else [])
    found: dict[str, int] = {}
    for _, name in pieces_of(directory) if targets else ():
        try:
            with (directory / name).open("rb") as file:
                unsent = max(_unsent(file, positions, name) for positions in targets)
        except OSError:  # gone meanwhile; or not ours to read, and then not ours to remove
            continue
        if unsent:
            found[name] = unsent
    return found


def _unsent(file: BinaryIO, positions: Positions, name: str) -> int:
    offset = positions.of(name, file).offset
    file.seek(offset)
    while chunk := file.read(_CHUNK):
        if b"\n" in chunk:
            return file.seek(0, 2) - offset
    return 0
