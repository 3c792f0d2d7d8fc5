"""PAN-OS rows that are none. The real ones are golden pairs."""

import pytest

from tests.parsing.helpers import parse_line


@pytest.mark.parametrize("tail", ["a\nb", "a" * 2_000_000, '"open', "", "TRAFFIC"])
def test_a_row_that_cannot_be_read_stays_a_message(tail: str) -> None:
    """Line breaks, cells over the limit and short rows are left as they are."""
    line = f"1,2026/03/14 15:00:00,007,{tail}"
    assert parse_line(line.encode())["msg"] == line
    assert "serial" not in parse_line(line.encode())
