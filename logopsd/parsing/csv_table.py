"""CSV with a header row (RFC 4180), as people and spreadsheets write it.

Cells may be separated by commas, semicolons or tabs; which, the header row tells. Quoted cells may
hold line breaks. A row may have more or fewer cells than the header.
"""

import csv
import io
from typing import Final

from logopsd.errors import PayloadError

SEPARATORS: Final = (",", ";", "\t")
"""What may stand between two cells; the one most frequent in the header row is taken."""

MAX_CELL_CHARS: Final = 1024 * 1024
"""The csv module's own limit of 128 KiB refuses a long stack trace; this one does not."""

EXTRA_CELLS: Final = "extra"
"""The column of a row's cells beyond the header's: all of them, as one text."""

csv.field_size_limit(MAX_CELL_CHARS)


def parse_table(text: str) -> list[dict[str, str]]:
    """Return the rows of a table as column -> cell; a cell that a row lacks is absent.

    Raises:
        PayloadError: no header row, an open or misplaced quote, or a cell over the limit; says at
            which line and quotes nothing.
    """
    separator = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows = []
    columns: list[str] = []
    try:
        for cells in reader:
            if columns:
                if cells:
                    rows.append(_row(columns, cells, separator))
            elif any(cell.strip() for cell in cells):
                columns = _columns(cells)
    except csv.Error as error:
        raise PayloadError(f"line {reader.line_num}: {error}") from None
    if not columns:
        raise PayloadError("no header row: the first line must name the columns")
    return rows


def _separator(text: str) -> str:
    header = text.lstrip("\r\n").partition("\n")[0]
    return max(SEPARATORS, key=header.count)


def _columns(cells: list[str]) -> list[str]:
    """Return the names of the columns; without name it is `column_4`, a second `a` is `a_2`."""
    columns: dict[str, None] = {}
    copies: dict[str, int] = {}
    for number, cell in enumerate(cells, 1):
        name = wanted = cell.strip() or f"column_{number}"
        while name in columns or name == EXTRA_CELLS:
            copies[wanted] = copies.get(wanted, 1) + 1
            name = f"{wanted}_{copies[wanted]}"
        columns[name] = None
    return list(columns)


def _row(columns: list[str], cells: list[str], separator: str) -> dict[str, str]:
    row = dict(zip(columns, cells, strict=False))
    if len(cells) > len(columns):
        row[EXTRA_CELLS] = separator.join(cells[len(columns) :])
    return row
