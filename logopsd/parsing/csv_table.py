"""CSV with a header row (RFC 4180), as people and spreadsheets write it.

Cells may be separated by commas, semicolons or tabs; which, the header row tells. Quoted cells may
hold line breaks. A row may have more or fewer cells than the header.
"""

import csv
from typing import Final

from logopsd.errors import PayloadError

SEPARATORS: Final = (",", ";", "\t")
"""What may stand between two cells; the one most frequent in the header row is taken."""

MAX_CELL_CHARS: Final = 1024 * 1024
"""The csv module's own limit of 128 KiB refuses a long stack trace; this one does not."""

EXTRA_CELLS: Final = "extra"
"""The column of a row's cells beyond the header's: all of them, as one line of CSV."""

csv.field_size_limit(MAX_CELL_CHARS)


def parse_table(text: str) -> list[dict[str, str]]:
    """Return the rows of a table as column -> cell; a cell that a row lacks is absent.

    Raises:
        PayloadError: no header row, a column without name or named twice, an open quote, or a
            cell over the limit; says at which line and quotes nothing.
    """
    separator = _separator(text)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=separator, strict=True)
    rows = []
    columns: list[str] = []
    try:
        for cells in reader:
            if not columns:
                columns = _columns(cells, reader.line_num)
            elif cells:
                rows.append(_row(columns, cells, separator))
    except csv.Error as error:
        raise PayloadError(f"line {reader.line_num}: {error}") from None
    if not columns:
        raise PayloadError("no header row: the first line must name the columns")
    return rows


def _separator(text: str) -> str:
    header = text.lstrip("\r\n").partition("\n")[0]
    return max(SEPARATORS, key=header.count)


def _columns(cells: list[str], line: int) -> list[str]:
    columns = [cell.strip() for cell in cells]
    if not any(columns):
        return []
    for number, name in enumerate(columns, 1):
        if not name:
            raise PayloadError(f"line {line}: column {number} has no name")
    if len(set(columns)) < len(columns):
        raise PayloadError(f"line {line}: two columns have the same name")
    return columns


def _row(columns: list[str], cells: list[str], separator: str) -> dict[str, str]:
    row = dict(zip(columns, cells, strict=False))
    if len(cells) > len(columns):
        name = EXTRA_CELLS
        while name in row:
            name += "_"
        row[name] = separator.join(cells[len(columns) :])
    return row
