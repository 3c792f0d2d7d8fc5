import json

from hypothesis import given
from hypothesis import strategies as st

from logopsd.encoding import encode
from logopsd.records import Record

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner),
    max_leaves=5,
)


def decode(data: bytes) -> list[dict]:
    """Read NDJSON as a consumer would."""
    assert data.endswith(b"\n") or not data
    return [json.loads(line) for line in data.split(b"\n")[:-1]]


def record(**fields) -> Record:
    """Make a record with the fields that matter to a test."""
    return Record("2026-01-02T03:04:05Z", "INFO", "hello", **fields)


def test_a_record_becomes_one_line_without_its_absent_fields():
    """Fields stand in the order of the record, and what is absent is left out."""
    line = encode([record(host="web1", input="tcp")])

    assert line == (
        b'{"ts":"2026-01-02T03:04:05Z","level":"INFO","msg":"hello","host":"web1","input":"tcp"}\n'
    )


def test_no_records_are_no_bytes():
    """An empty batch writes nothing, not an empty line."""
    assert encode([]) == b""


def test_extras_follow_at_the_top_level():
    """What a payload brought stands beside the daemon's own fields, behind them."""
    line = encode([record(extras={"order_id": 7, "user": {"name": "x"}})])

    assert line.endswith(b'"msg":"hello","order_id":7,"user":{"name":"x"}}\n')


def test_empty_extras_are_nothing():
    """A payload that brought nothing more leaves no trace."""
    assert encode([record(extras={})]) == encode([record()])


def test_extras_cannot_take_the_name_of_a_field():
    """A key that is also a field of the record is renamed, so that each name stands once."""
    (decoded,) = decode(encode([record(peer="10.0.0.1", extras={"peer": "forged", "ts": 1})]))

    assert decoded["peer"] == "10.0.0.1"
    assert decoded["ts"] == "2026-01-02T03:04:05Z"
    assert (decoded["peer_orig"], decoded["ts_orig"]) == ("forged", 1)


def test_the_records_are_left_as_they_were():
    """Encoding takes nothing away from a record."""
    kept = record(extras={"a": 1})
    encode([kept])

    assert kept.extras == {"a": 1}


def test_control_bytes_and_line_ends_are_escaped():
    """A line end in a message does not end the line."""
    (decoded,) = decode(encode([Record("t", "INFO", "a\nb\x00\u2028")]))

    assert decoded["msg"] == "a\nb\x00\u2028"


def test_what_utf8_cannot_hold_is_replaced_and_the_rest_of_the_batch_stays():
    """A lone surrogate spoils neither its own record nor the ones beside it."""
    records = [
        record(),
        Record("t", "INFO", "bad \ud800 end", extras={"k": "\udfff", "msg": "x"}),
        record(extras={"a": 1}),
    ]

    first, second, third = decode(encode(records))

    assert first["msg"] == "hello"
    assert (second["msg"], second["k"], second["msg_orig"]) == ("bad ? end", "?", "x")
    assert third["a"] == 1


def test_what_json_has_no_word_for_is_written_as_text():
    """A value of an unknown type is kept as its text instead of failing the batch."""
    (decoded,) = decode(encode([record(extras={"odd": object, "level": 1})]))

    assert "object" in decoded["odd"]


def test_extras_nested_beyond_all_measure_are_left_out():
    """A payload that no encoder can walk costs its extras, not the record."""
    deep: list = []
    for _ in range(100_000):
        deep = [deep]

    (decoded,) = decode(encode([record(extras={"deep": deep})]))

    assert decoded["msg"] == "hello"
    while deep:
        deep = deep[0]


@given(st.lists(st.tuples(st.text(), st.none() | st.dictionaries(st.text(), json_values))))
def test_any_batch_becomes_as_many_lines_as_records(rows):
    """Whatever a batch holds, each record is one line of valid JSON, in order."""
    decoded = decode(encode([Record("t", "INFO", msg, extras=extras) for msg, extras in rows]))

    assert [line["msg"] for line in decoded] == [
        msg.encode("utf-8", "replace").decode() for msg, _ in rows
    ]
