"""OTLP's JSON: what the golden pair does not show."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.errors import PayloadError
from logopsd.parsing.otlp import attributes_of, is_export, read_export, value_of
from tests.parsing.helpers import parse_documents


def export_of(*logs: Any) -> dict[str, Any]:
    """Return an export request with these log records."""
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": list(logs)}]}]}


def record_of(log: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a log record."""
    (record,), _ = parse_documents(read_export(export_of(log)).items, format="otlp")
    return record


def test_an_export_is_told_by_its_name() -> None:
    """Any other object is a record of ours."""
    assert is_export({"resourceLogs": []})
    assert not is_export({"msg": "resourceLogs"})
    assert not is_export(["resourceLogs"])


@pytest.mark.parametrize(
    "request_",
    [{"resourceLogs": []}, {"resourceLogs": None}, {"resourceLogs": [{}]}, export_of()],
)
def test_an_empty_export(request_: dict[str, Any]) -> None:
    """It holds nothing, and nothing is wrong."""
    assert read_export(request_).items == []


@pytest.mark.parametrize(
    ("request_", "where"),
    [
        ({"resourceLogs": {}}, "resourceLogs is no list"),
        ({"resourceLogs": [1]}, "resourceLogs[0] is no object"),
        ({"resourceLogs": [{"scopeLogs": 1}]}, "resourceLogs[0].scopeLogs is no list"),
        ({"resourceLogs": [{"scopeLogs": [1]}]}, "resourceLogs[0].scopeLogs[0] is no object"),
        (
            {"resourceLogs": [{"scopeLogs": [{"logRecords": "x"}]}]},
            "resourceLogs[0].scopeLogs[0].logRecords is no list",
        ),
    ],
)
def test_a_request_that_is_none_says_where(request_: dict[str, Any], where: str) -> None:
    """Nothing of it is taken."""
    with pytest.raises(PayloadError) as caught:
        read_export(request_)
    assert str(caught.value) == where


def test_a_log_record_that_is_none_is_rejected_alone() -> None:
    """The others are taken; the first place is told."""
    export = read_export(export_of({}, 1, {}, "x"))
    assert (len(export.items), export.rejected) == (2, 2)
    assert export.reason == "resourceLogs[0].scopeLogs[0].logRecords[1] is no object"


@pytest.mark.parametrize(
    ("number", "level"),
    [
        *[(n, "DEBUG") for n in (1, 4, 5, 8)],
        *[(n, "INFO") for n in (9, 12)],
        *[(n, "WARN") for n in (13, 16)],
        *[(n, "ERROR") for n in (17, 20)],
        *[(n, "CRITICAL") for n in (21, 24, "21")],
    ],
)
def test_severity_numbers(number: object, level: str) -> None:
    """Four numbers a level."""
    assert record_of({"severityNumber": number})["level"] == level


@pytest.mark.parametrize("number", [0, 25, -1, None, "x", 1.5, True, "9" * 30])
def test_other_numbers_leave_it_to_the_text(number: object) -> None:
    """Where that means nothing either, the level is missing."""
    assert record_of({"severityNumber": number, "severityText": "Error"})["level"] == "ERROR"
    (_,), batch = parse_documents(
        read_export(export_of({"severityNumber": number})).items, format="otlp"
    )
    assert batch.missing_level == 1


@pytest.mark.parametrize("time", [None, "", 0, "0", "x", [], 10**30, 1.5, True])
def test_a_time_that_is_none(time: object) -> None:
    """It is that of arrival."""
    assert record_of({"timeUnixNano": time})["ts"] == "2026-03-14T15:09:26.535Z"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("bare", None),
        ({}, None),
        ({"intValue": "x"}, "x"),
        ({"intValue": 1.5}, 1.5),
        ({"arrayValue": {}}, []),
        ({"arrayValue": 1}, []),
        ({"arrayValue": {"values": 1}}, []),
        ({"kvlistValue": {"values": [1, {"key": 2}, {"key": "a"}]}}, {"a": None}),
        ({"boolValue": False}, False),
        ({"stringValue": ""}, ""),
    ],
)
def test_values(value: object, expected: object) -> None:
    """What is none of the forms holds nothing."""
    assert value_of(value) == expected


def test_attributes_that_are_none() -> None:
    """They are passed over."""
    assert attributes_of(None) == attributes_of({"attributes": {}}) == {}
    assert record_of({"attributes": 7})["msg"] == ""


def test_a_scope_that_is_none() -> None:
    """It is left out."""
    logs = {"scope": "x", "logRecords": [{"traceId": 5, "eventName": 2**70}]}
    (record,), _ = parse_documents(
        read_export({"resourceLogs": [{"scopeLogs": [logs]}]}).items, format="otlp"
    )
    assert "scope" not in record
    assert record["trace_id"] == 5


names = (
    *("key", "value", "attributes", "values", "scope", "resource", "scopeLogs", "logRecords"),
    *("body", "stringValue", "intValue", "arrayValue", "kvlistValue", "traceId"),
    *("timeUnixNano", "severityNumber"),
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))
json_values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(names), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(json_values)
def test_nothing_else_is_raised(value: object) -> None:
    """Whatever a request holds, it is read, or refused as documented."""
    try:
        export = read_export({"resourceLogs": value})
    except PayloadError:
        return
    parse_documents(export.items, format="otlp")
    parse_documents(read_export(export_of(value)).items, format="otlp")
