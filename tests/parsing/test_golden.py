"""Golden pairs: lines as real senders emit them, and the records expected of them.

`tests/data/parsing/<family>.raw` holds one frame a line, as bytes; `<family>.ndjson` holds the
record of each, without what all of them have in common: input, peer and time of arrival.
"""

import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.parsing.helpers import parse_lines

DATA = Path(__file__).parent.parent / "data" / "parsing"
FAMILIES = sorted(path.stem for path in DATA.glob("*.raw"))


@pytest.mark.parametrize("family", FAMILIES)
def test_real_lines_become_the_records_expected(family: str) -> None:
    """Each line of the family, read in Berlin on 14 March 2026, gives its record."""
    lines = (DATA / f"{family}.raw").read_bytes().splitlines()
    expected = [
        json.loads(line) for line in (DATA / f"{family}.ndjson").read_text("utf-8").splitlines()
    ]
    records, _ = parse_lines(*lines, tz=ZoneInfo("Europe/Berlin"))
    for record, wanted in zip(records, expected, strict=True):
        assert record == wanted


def test_every_family_has_both_files() -> None:
    """No pair is half."""
    assert sorted(path.stem for path in DATA.glob("*.ndjson")) == FAMILIES
    assert FAMILIES
