"""Decoded documents into records."""

from typing import Any

import pytest

from tests.parsing.helpers import RECEIVED, parse_documents


def test_the_format_is_the_one_given() -> None:
    """A row of a table says csv; its cells stay texts."""
    (record,), batch = parse_documents(
        [{"ts": "", "level": "", "msg": "hello", "n": "7"}], format="csv"
    )
    assert record == {
        "ts": RECEIVED,
        "level": "INFO",
        "msg": "hello",
        "emitter": "udp",
        "format": "csv",
        "n": "7",
    }
    assert (batch.missing_ts, batch.missing_level) == (1, 1)


def test_texts_among_the_documents_are_lines() -> None:
    """Each is read as what it is, and the order is kept."""
    records, _ = parse_documents(
        [{"msg": "a"}, "<13>Mar 14 15:00:00 h app: b", "c", '{"msg": "d"}', {"msg": "e"}]
    )
    assert [record["msg"] for record in records] == ["a", "b", "c", "d", "e"]
    assert [record["format"] for record in records] == ["json", "rfc3164", "plain", "json", "json"]


@pytest.mark.parametrize(
    ("document", "msg"),
    [(7, "7"), (None, "null"), ([1, "a"], '[1,"a"]'), (True, "true"), ("\ud800", "?"), ("", "")],
)
def test_anything_else_is_a_line_of_its_json(document: Any, msg: str) -> None:
    """No document is refused here."""
    (record,), _ = parse_documents([document])
    assert (record["msg"], record["format"]) == (msg, "plain")


def test_a_json_line_with_a_lone_surrogate() -> None:
    """What UTF-8 cannot hold does not make the line unreadable."""
    (record,), _ = parse_documents(['{"msg": "a\\ud800b"}'])
    assert (record["msg"], record["format"]) == ("a\ufffdb", "json")
