"""The schema in docs says what records are, and every record we know of obeys it."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from logopsd.encoding import encode
from logopsd.parsing.priority import FACILITIES, SEVERITIES
from logopsd.record_schema import schema, text
from logopsd.records import Record

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "record.md"
GOLDEN = sorted((ROOT / "tests" / "data").glob("*/*.ndjson"))
VALIDATOR = jsonschema.Draft202012Validator(schema())
OWN = {"input": "udp", "peer": "192.0.2.7", "received": "2026-03-14T15:09:26.535Z"}
"""What the daemon adds to each golden record."""


def obeys(document: Any) -> bool:
    """Tell whether a document is a record."""
    return bool(VALIDATOR.is_valid(document))


def test_schema_in_the_tree_is_the_one_made() -> None:
    """Made anew by `python -m logopsd.record_schema > docs/record.schema.json`."""
    assert (ROOT / "docs" / "record.schema.json").read_text() == text()


def test_schema_is_one() -> None:
    """It is a valid schema of the draft that it names."""
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_records_obey(path: Path) -> None:
    """What real senders' lines and requests become."""
    for line in path.read_text("utf-8").splitlines():
        VALIDATOR.validate(OWN | json.loads(line))


def test_a_record_with_every_field_obeys() -> None:
    """As the encoder writes it, extras and their tokens at the top level."""
    record = Record(
        *("2026-03-14T15:09:26.5Z", "ERROR", "m***", "gAAAA", "shop", "user", "err", "web1"),
        *("shop", "7", "ID1", {"id@32473": {"a": "b"}}, "tls", "192.0.2.7"),
        *("2026-03-14T15:09:26.535Z", "rfc5424", ["year", "zone"], "gestern", "invalid-utf8"),
        *(True, 9, {"order_id": 7, "user_email": "a***@example.com", "user_email_enc": "gAAAA"}),
    )
    document = json.loads(encode([record]))

    VALIDATOR.validate(document)
    assert set(schema()["properties"]) <= set(document)


@pytest.mark.parametrize(
    "broken",
    [
        {"level": "FATAL"},
        {"ts": "2026-03-14 15:09:26"},
        {"msg": None},
        {"input": "smtp"},
        {"facility": "local8"},
        {"peer": None},
        {"truncated": False},
        {"guessed": ["month"]},
        {"user_email_enc": 7},
    ],
    ids=str,
)
def test_what_is_no_record_does_not_obey(broken: dict[str, object]) -> None:
    """Each field has its words, and none is null."""
    good = {**OWN, "ts": "2026-03-14T15:09:26Z", "level": "INFO", "msg": "", "format": "plain"}

    assert obeys(good)
    assert not obeys(good | broken)


def test_page_names_every_field() -> None:
    """A row for each, in the order in which they are written."""
    table = PAGE.read_text().partition("\n## ")[0]
    rows = [line.split("`")[1] for line in table.splitlines() if line[:3] == "| `"]
    own = [name for name in Record.__struct_fields__ if name != "extras"]

    assert [name for name in rows if name in own] == own


def test_page_names_every_keyword() -> None:
    """All words of facility and severity, as they stand in the record."""
    named = PAGE.read_text()

    assert all(word in named for word in (*FACILITIES, *SEVERITIES))
