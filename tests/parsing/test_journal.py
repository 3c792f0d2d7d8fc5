"""Entries of a journal into records: what the golden pairs do not show."""

from logopsd.records import FieldValue, JournalEntry
from tests.parsing.helpers import RECEIVED, batch_at, parse_documents


def record_of(
    message_length: int = 0, **fields: FieldValue | list[FieldValue]
) -> dict[str, object]:
    """Return the record of an entry."""
    entry = JournalEntry(dict(fields), message_length=message_length)
    (record,), _ = parse_documents([entry], format="journal")
    return record


def test_what_is_missing_is_counted() -> None:
    """An entry without time and priority has those of arrival and INFO, as any record."""
    (record,), batch = parse_documents([JournalEntry({"MESSAGE": "a"})], format="journal")
    assert (record["level"], record["emitter"]) == ("INFO", "journal")
    assert (batch.missing_ts, batch.missing_level) == (1, 1)
    assert batch_at().received == RECEIVED


def test_a_cut_message_is_said() -> None:
    """With the length it had."""
    record = record_of(message_length=5000, MESSAGE="begin")
    assert (record["truncated"], record["original_length"]) == (True, 5000)


def test_fields_left_out_are_named() -> None:
    """Nothing is left out in silence."""
    entry = JournalEntry({"MESSAGE": "crash"}, left_out=["COREDUMP"])
    (record,), _ = parse_documents([entry], format="journal")
    assert record["fields_left_out"] == ["COREDUMP"]


def test_header_fields_that_repeat() -> None:
    """The first is the record's, the others keep their name."""
    record = record_of(MESSAGE="a", _HOSTNAME=["h1", "h2"], SYSLOG_IDENTIFIER=["x", "y", "z"])
    assert (record["host"], record["_HOSTNAME"]) == ("h1", "h2")
    assert (record["app"], record["SYSLOG_IDENTIFIER"]) == ("x", ["y", "z"])
    assert record["emitter"] == "x"
    assert "_COMM" not in record
    assert record_of(_COMM=["c", "d"])["emitter"] == "c"


def test_a_value_that_is_no_text_in_a_list() -> None:
    """It is said of the record, and readable."""
    record = record_of(MESSAGE="a", F=["b", b"\xe9"])
    assert (record["F"], record["encoding"]) == (["b", "é"], "invalid-utf8")


def test_the_book_keeping_is_left_out() -> None:
    """Known or not: it is about the journal and not about the event."""
    record = record_of(MESSAGE="a", __CURSOR="c", __SEQNUM="1", __NEW="x")
    assert not [name for name in record if name.startswith("__")]


def test_a_sender_cannot_take_the_names_of_ours() -> None:
    """A field in small letters is not journald's; what is ours is kept under another name."""
    record = record_of(MESSAGE="a", peer="forged", received="forged")
    assert (record["peer_orig"], record["received_orig"]) == ("forged", "forged")
