"""What a command may print, and where: complaints, colour, and how wide the terminal is."""

import os
import sys
from collections.abc import Mapping
from typing import Final, Literal, TextIO

MIN_COLUMNS: Final = 80
"""Columns that everything fits into, and that are taken where there is no terminal."""

Colour = Literal["auto", "always", "never"]


def complain(first: str, *more: str) -> None:
    """Say something on standard error: standard output is for data."""
    sys.stderr.write("".join(f"{line}\n" for line in (f"logopsd: {first}", *more)))


def wants_colour(choice: Colour, stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Tell whether to print in colour: by `auto` only on a terminal, and not with NO_COLOR.

    Args:
        choice: of the command line; it goes before the environment.
        stream: where it is printed.
        environ: where NO_COLOR (https://no-color.org) and TERM are looked for.
    """
    if choice != "auto":
        return choice == "always"
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def columns(stream: TextIO, *, narrowest: int = MIN_COLUMNS) -> int:
    """Return how many columns there are, `narrowest` at least; 80 where there is no terminal."""
    try:
        there = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):  # no terminal, or no file at all
        there = 0
    return max(narrowest, there or MIN_COLUMNS)  # a serial line tells 0
