"""Structured payloads into records: aliases, types, collisions."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.encoding import encode
from logopsd.parsing.documents import DocumentParser
from logopsd.parsing.names import LEVEL_ALIASES, MSG_ALIASES, TIME_ALIASES
from logopsd.parsing.normalize import MAX_DEPTH
from logopsd.records import Record
from tests.parsing.helpers import RECEIVED, UTC, as_dict, batch_at, parse_documents

BASE = {"ts": RECEIVED, "level": "INFO", "msg": "", "emitter": "udp", "format": "json"}


def record_of(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the record of one payload."""
    return parse_documents([payload])[0][0]


def test_a_whole_payload() -> None:
    """Time, level, message and producer are found; the rest stays with its types."""
    payload = {
        "ts": "2026-03-14T15:00:00.25+01:00",
        "level": "warning",
        "msg": "hello",
        "service": "shop",
        "order_id": 7,
        "ratio": 0.5,
        "paid": True,
        "note": None,
        "user_email": "anna@example.com",
        "cart": {"items": [1, "two", {"three": 3}]},
    }
    (record,), batch = parse_documents([payload])
    assert record == {
        "ts": "2026-03-14T14:00:00.25Z",
        "level": "WARN",
        "msg": "hello",
        "emitter": "shop",
        "format": "json",
        "service": "shop",
        "order_id": 7,
        "ratio": 0.5,
        "paid": True,
        "note": None,
        "user_email": "anna@example.com",
        "cart": {"items": [1, "two", {"three": 3}]},
    }
    assert (batch.missing_ts, batch.missing_level) == (0, 0)


def test_an_empty_payload() -> None:
    """What is missing is filled in and counted."""
    (record,), batch = parse_documents([{}])
    assert record == BASE
    assert (batch.missing_ts, batch.missing_level) == (1, 1)


@pytest.mark.parametrize("name", TIME_ALIASES)
def test_aliases_of_the_time(name: str) -> None:
    """The time may have any of its names."""
    record = record_of({name: "2026-03-14T15:00:00Z"})
    assert record == BASE | {"ts": "2026-03-14T15:00:00Z"}


@pytest.mark.parametrize("name", LEVEL_ALIASES)
def test_aliases_of_the_level(name: str) -> None:
    """The level may have any of its names."""
    record = record_of({name: "crit"})
    expected = BASE | {"level": "CRITICAL"}
    assert record == expected | ({"severity": "crit"} if name == "severity" else {})


@pytest.mark.parametrize("name", MSG_ALIASES)
def test_aliases_of_the_message(name: str) -> None:
    """The message may have any of its names."""
    assert record_of({name: "hello"}) == BASE | {"msg": "hello"}


def test_the_first_alias_wins_and_the_others_stay() -> None:
    """What is not used as time, level or message is a field like any other."""
    record = record_of(
        {
            "event": "login",
            "message": "hello",
            "lvl": "debug",
            "level": "error",
            "time": "2026-03-14T16:00:00Z",
            "timestamp": "2026-03-14T15:00:00Z",
        }
    )
    assert record == BASE | {
        "ts": "2026-03-14T15:00:00Z",
        "level": "ERROR",
        "msg": "hello",
        "event": "login",
        "lvl": "debug",
        "time": "2026-03-14T16:00:00Z",
    }


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_a_blank_alias_is_passed_over(blank: str | None) -> None:
    """An empty cell or null says nothing, and the next alias is asked."""
    record = record_of(
        {
            "ts": blank,
            "time": "2026-03-14T15:00:00Z",
            "level": blank,
            "lvl": "error",
            "msg": blank,
            "message": "hello",
        }
    )
    assert record == BASE | {"ts": "2026-03-14T15:00:00Z", "level": "ERROR", "msg": "hello"}


@pytest.mark.parametrize(
    ("payload", "ts_orig"),
    [
        ({"ts": "yesterday"}, "yesterday"),
        ({"timestamp": "yesterday"}, "yesterday"),
        ({"ts": 12}, "12"),
        ({"ts": True}, "true"),
        ({"ts": {"a": [1]}}, '{"a":[1]}'),
        ({"ts": "2026-02-30T00:00:00Z"}, "2026-02-30T00:00:00Z"),
    ],
)
def test_an_unreadable_time_is_kept_beside(payload: dict[str, Any], ts_orig: str) -> None:
    """The time of arrival stands in and is counted."""
    (record,), batch = parse_documents([payload])
    assert record == BASE | {"ts_orig": ts_orig}
    assert batch.missing_ts == 1


def test_a_readable_alias_makes_up_for_an_unreadable_one() -> None:
    """The unreadable one is kept under its name, or as ts_orig where that is the record's own."""
    good = {"timestamp": "2026-03-14T15:00:00Z"}
    read = BASE | {"ts": "2026-03-14T15:00:00Z"}
    assert record_of({"ts": "yesterday"} | good) == read | {"ts_orig": "yesterday"}
    good = {"time": "2026-03-14T15:00:00Z"}
    assert record_of({"timestamp": "x"} | good) == read | {"timestamp": "x"}


@pytest.mark.parametrize("value", [1773500400, 1773500400.0, "1773500400", 1773500400000])
def test_epoch_times(value: object) -> None:
    """Numbers and their text are read as seconds or parts of them."""
    assert record_of({"time": value})["ts"].startswith("2026-03-14T15:00:00")


@pytest.mark.parametrize("value", ["high", 99, True, {"a": 1}, [], 4.5])
def test_a_level_that_means_nothing_is_kept(value: object) -> None:
    """The level is INFO, counted as missing, and the value stays beside it."""
    (record,), batch = parse_documents([{"level": value}])
    assert record == BASE | {"level_orig": value}
    assert batch.missing_level == 1


def test_a_second_level_makes_up_for_the_first() -> None:
    """An alias that means something is used, and the syslog keyword is kept as such."""
    assert record_of({"level": "high", "severity": "notice"}) == BASE | {
        "severity": "notice",
        "level_orig": "high",
    }
    assert record_of({"level": "error", "severity": "notice"}) == BASE | {
        "level": "ERROR",
        "severity": "notice",
    }
    assert record_of({"level": "error", "severity": "high"}) == BASE | {
        "level": "ERROR",
        "severity_orig": "high",
    }
    assert record_of({"severity": 5}) == BASE | {"severity": "notice"}
    assert record_of({"severity": "W"}) == BASE | {"level": "WARN"}


@pytest.mark.parametrize(
    ("value", "msg"),
    [
        *((7, "7"), (True, "true"), ([1, "a"], '[1,"a"]'), ({"a": None}, '{"a":null}')),
        *((" hello ", " hello "), (0, "0"), (False, "false"), ({}, "{}")),
    ],
)
def test_a_message_that_is_no_text_becomes_its_json(value: object, msg: str) -> None:
    """No value is refused as a message."""
    assert record_of({"msg": value})["msg"] == msg


@pytest.mark.parametrize(
    ("payload", "emitter"),
    [
        ({"emitter": "a", "service": "b", "app": "c"}, "a"),
        ({"service": "b", "app": "c"}, "b"),
        ({"app": "c"}, "c"),
        ({"service": {"name": "shop", "version": 1}}, "shop"),
        ({"service": {}}, "udp"),
        ({"service": ["x"], "app": "c"}, "c"),
        ({"emitter": "", "app": "c"}, "c"),
        ({"emitter": 7}, "7"),
    ],
)
def test_the_producer(payload: dict[str, Any], emitter: str) -> None:
    """It is the payload's emitter, service or app, in that order."""
    assert record_of(payload)["emitter"] == emitter


def test_fields_in_which_a_sender_speaks_of_itself() -> None:
    """They are taken where their type fits."""
    payload = {
        "emitter": "e",
        "host": "h",
        "app": "a",
        "procid": 7,
        "msgid": "m",
        "facility": "local3",
        "severity": "warning",
        "sd": {"x@1": {"a": "b", "c": ["d", "e"]}},
    }
    assert record_of(payload) == BASE | payload | {"procid": "7", "level": "WARN"}
    assert record_of({"facility": 10}) == BASE | {"facility": "authpriv"}


@pytest.mark.parametrize(
    "payload",
    [
        *({"emitter": {"a": 1}}, {"host": ["h"]}, {"app": True}, {"procid": 1.5}, {"msgid": []}),
        *({"facility": 24}, {"facility": "mine"}, {"facility": ["kern"]}, {"procid": 10**30}),
        *({"sd": "x"}, {"sd": {"x": 1}}, {"host": ""}, {"app": " "}),
        *({"host": None}, {"sd": None}),
        # what the privacy stage masks in payloads must not slip by as the name of a host
        *({"host": "83.11.22.33"}, {"host": "2001:db8::1"}, {"host": "anna@example.com"}),
        *({"host": "anna 83.11.22.33"}, {"host": "h" * 300}),
    ],
)
def test_a_value_of_another_kind_is_kept_beside(payload: dict[str, Any]) -> None:
    """No sender changes the type of a field, and no value is lost."""
    ((name, value),) = payload.items()
    assert record_of(payload) == BASE | {f"{name}_orig": value}


@pytest.mark.parametrize(
    "name",
    [
        *("received", "input", "peer", "format", "msg_enc", "user_email_enc", "_enc", "guessed"),
        *("ts_orig", "encoding", "truncated", "original_length"),
    ],
)
@pytest.mark.parametrize("value", ["forged", True, 7, None, ["zone"]])
def test_the_daemons_own_fields_cannot_be_forged(name: str, value: object) -> None:
    """A payload's value under such a name is kept as `<name>_orig`."""
    expected = f"{name}_orig_orig" if name == "ts" else f"{name}_orig"
    assert record_of({name: value}) == BASE | {expected: value}


def test_a_name_that_is_taken_gets_another() -> None:
    """Neither of two values is lost where one would get the name of the other."""
    payload = {"peer": 1, "peer_orig": 2, "ts_orig": 3, "ts": "x", "msg_enc_orig": 4, "msg_enc": 5}
    assert record_of(payload) == BASE | {
        "peer_orig_orig": 1,
        "peer_orig": 2,
        "ts_orig": "x",
        "ts_orig_orig": 3,
        "msg_enc_orig": 4,
        "msg_enc_orig_orig": 5,
    }


def test_what_lies_too_deep_becomes_text() -> None:
    """No stage behind the parser has to fear for its stack."""
    deep: Any = "bottom"
    for _ in range(100):
        deep = {"a": [deep]}
    record = record_of({"x": deep, "z": [deep], "sd": {"y": {"z": deep}}})
    value = record["x"]
    depth = 0
    while not isinstance(value, str):
        value = value["a"] if isinstance(value, dict) else value[0]
        depth += 1
    assert depth <= MAX_DEPTH
    assert "bottom" in value
    assert "bottom" in str(record["sd"])
    assert "bottom" in str(record["z"])


def test_names_that_are_not_the_daemons_stay() -> None:
    """`extras` is how the record holds them, and no name of a field."""
    payload = {"extras": 1, "": 2, "a.b": 3, "TS": 4, "enc": 5}
    assert record_of(payload) == BASE | payload


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.text() | st.sampled_from(
    [*Record.__struct_fields__, *TIME_ALIASES, *LEVEL_ALIASES, *MSG_ALIASES, "service", "x_enc"]
)


@given(st.dictionaries(NAMES, JSON, max_size=8))
def test_no_payload_breaks_a_record(payload: dict[str, Any]) -> None:
    """Every payload gives one record of the right types, which can be encoded; no name is lost."""
    batch = batch_at()
    DocumentParser(tz=UTC).parse([payload], None, batch, format="json")
    (record,) = batch.records
    assert msgspec.convert(msgspec.to_builtins(record), Record) == record
    assert encode(batch.records).count(b"\n") == 1
    assert (record.input, record.received, record.format) == ("udp", RECEIVED, "json")
    assert record.peer is None
    used = (*TIME_ALIASES, *LEVEL_ALIASES, *MSG_ALIASES)
    written = as_dict(record)
    for name, value in payload.items():
        if name not in used and not isinstance(value, dict | list):
            kept = (
                written.get(name),
                written.get(f"{name}_orig"),
                written.get(f"{name}_orig_orig"),
            )
            words = (value, str(value), str(value).strip())
            assert any(item in words for item in kept) or name in ("facility", "sd")
