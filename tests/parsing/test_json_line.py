"""Lines that are one JSON object. What becomes of its fields is tested with `normalize`."""

import pytest

from tests.parsing.helpers import parse_line


def test_a_line_of_one_object() -> None:
    """Its fields are the record's."""
    record = parse_line(b' {"level": "error", "msg": "hello", "n": 1} ')
    assert (record["format"], record["level"], record["msg"], record["n"]) == (
        *("json", "ERROR", "hello", 1),
    )


@pytest.mark.parametrize(
    "line", ['{"a": 1} {"b": 2}', '{"a": 1}x', '{"a": NaN}', "{}{}", '{"a": 1e999}', "{" * 9999]
)
def test_a_line_that_is_no_object_is_kept_whole(line: str) -> None:
    """Nothing of it is lost."""
    record = parse_line(line.encode())
    assert (record["format"], record["msg"]) == ("plain", line)
