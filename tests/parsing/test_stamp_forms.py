"""The parts of stamps. What instant they name is tested with `timestamps`."""

import pytest

from logopsd.parsing.stamp_forms import match_stamp, parts_of


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("2024-05-03T12:00:00.1+02:00", ("2024", "05", "3", "12", "00", "00", "+02:00")),
        ("2024-05-03 12:00", ("2024", "05", "3", "12", "00", "00", None)),
        ("3/May/2024:12:00:00 +0200", ("2024", "05", "3", "12", "00", "00", "+0200")),
        ("May  3 5:06:07", (None, "May", "3", "05", "06", "07", None)),
        ("Fri May  3 12:00:00 CEST 2024", ("2024", "05", "3", "12", "00", "00", "CEST")),
    ],
)
def test_parts(text: str, parts: tuple[str | None, ...]) -> None:
    """Each part is found wherever the form has it."""
    match = match_stamp(text)
    assert match is not None
    found = parts_of(match)
    assert (found.year, found.month, str(int(found.day)), *found[3:]) == parts
    assert match.end() == len(text)


@pytest.mark.parametrize("text", ["", "x", "Mon", "May", "2024", "12:00:00", "May 3", "٣"])
def test_what_has_no_known_form(text: str) -> None:
    """It is not matched."""
    assert match_stamp(text) is None


def test_a_stamp_ends_where_a_word_does() -> None:
    """Letters or digits right behind it belong to something else."""
    assert match_stamp("2024-05-03 12:00:00x") is None
    match = match_stamp("2024-05-03 12:00:00 ERROR")
    assert match is not None
    assert match[0] == "2024-05-03 12:00:00"
