"""Loki's push requests: what the golden pair does not show."""

from typing import Any

import pytest

from logopsd.errors import PayloadError
from logopsd.parsing.loki import read_push
from tests.parsing.helpers import parse_documents


def push_of(*values: Any, stream: object = None) -> dict[str, Any]:
    """Return a push request of one stream."""
    return {"streams": [{"stream": {} if stream is None else stream, "values": list(values)}]}


@pytest.mark.parametrize("document", [None, [], {}, {"streams": {}}, {"msg": "a"}])
def test_what_is_no_push(document: object) -> None:
    """It says what is wanted."""
    with pytest.raises(PayloadError, match="`streams`"):
        read_push(document)


@pytest.mark.parametrize(
    "stream", [1, [], {"stream": 1, "values": []}, {"stream": {}, "values": {}}]
)
def test_a_stream_that_is_none(stream: object) -> None:
    """It says which."""
    with pytest.raises(PayloadError, match=r"streams\[1\]"):
        read_push({"streams": [{}, stream]})


@pytest.mark.parametrize(
    "value",
    [
        *(1, [], ["1"], ["1", "a", {}, 4], ["1", 2], [None, "a"], [True, "a"], [10**30, "a"]),
        ["1", "a", "metadata"],
    ],
)
def test_a_value_that_is_none_is_rejected_alone(value: object) -> None:
    """The others are taken; the first place is told."""
    push = read_push(push_of(["1570818238", "a"], value, value))
    assert (len(push.lines), push.rejected) == (1, 2)
    assert push.reason == "streams[0].values[1] is no [time, line]"


def test_metadata_may_be_empty_and_goes_before_labels() -> None:
    """A line's own word is nearer to it than its stream's."""
    labels = {"level": "info", "zone": "a"}
    push = push_of(["1", "x", None], ["1", "x", {"level": "error", "zone": "b"}], stream=labels)
    (one, two), _ = parse_documents(read_push(push).lines, format="loki")
    assert (one["level"], one["zone"]) == ("INFO", "a")
    assert (two["level"], two["zone"]) == ("ERROR", "b")


def test_labels_that_mean_nothing_are_kept() -> None:
    """A level that is none, an app that is no text, a time that is empty."""
    labels = {"level": "loud", "detected_level": "warn", "app": 7, "host": ""}
    (record,), batch = parse_documents(
        read_push(push_of(["", "x"], stream=labels)).lines, format="loki"
    )
    assert (record["level"], record["level_orig"], record["app_orig"]) == ("WARN", "loud", 7)
    assert record["emitter"] == "udp"
    assert batch.missing_ts == 1


def test_an_empty_app() -> None:
    """It names nobody."""
    push = read_push(push_of(["1570818238", "x"], stream={"app": "", "job": "j"}))
    (record,), _ = parse_documents(push.lines, format="loki")
    assert record["emitter"] == "j"
    assert "app" not in record
