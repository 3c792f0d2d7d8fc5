"""Levels in free text."""

import pytest

from logopsd.parsing.level_search import find_level


@pytest.mark.parametrize(
    ("text", "level"),
    [
        *(("ERROR x", "ERROR"), ("x [warn] y", "WARN"), ("[core:notice] x", "INFO")),
        *(("x level=debug", "DEBUG"), ("error: x", "ERROR"), ("x|FATAL|y", "CRITICAL")),
        *(("an error", None), ("ERRORS", None), ("", None), ("x" * 200, None)),
    ],
)
def test_a_level_is_found_where_it_is_written_as_one(text: str, level: str | None) -> None:
    """Capitals, brackets, `level=` or a colon make a word a level."""
    assert find_level(text) == level
