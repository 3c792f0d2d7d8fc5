"""Where a file is cut into the ranges that are sent, one after the other. Pure.

A full range ends at the last line end before a border of a fixed grid, so that it follows from
its start alone: who begins anew at an older position makes the same ranges again, and the
receiver knows them by their ids. Only the last range of a file that still grows depends on when
it was looked at; the shipper writes down its end before it sends it.
"""

from dataclasses import dataclass
from typing import Final

BLOCK_BYTES: Final = 512 * 1024
"""Distance of the grid's borders. Half of NATS' default max_payload (1 MiB), as a range may reach
over half a block more; and large enough that a round trip for each costs little (1.2 million
records/s into one server on two cores; 25,000 at 50 ms round trip)."""

MAX_LINE_BYTES: Final = 64 * 1024 * 1024
"""A longer line is passed over and counted: no message of the longest that settings allow makes
one, and it must not take all memory."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A range of a file, whole lines.

    Attributes:
        file: name of the file.
        start: offset of its first byte.
        end: offset behind its last.
        data: the lines; empty where one line was too long to be held.
        full: whether the range follows from its start alone.
    """

    file: str
    start: int
    end: int
    data: bytes
    full: bool


def wanted(start: int) -> int:
    """How many bytes to read for a range that starts here: up to a border half a block away."""
    left = BLOCK_BYTES - start % BLOCK_BYTES
    return left if left >= BLOCK_BYTES // 2 else left + BLOCK_BYTES
