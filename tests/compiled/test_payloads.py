"""The compiled way of a payload into a record agrees with the plain one."""

from collections import OrderedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logopsd.parsing.names import LEVEL_ALIASES, MSG_ALIASES, TIME_ALIASES
from logopsd.parsing.normalize import Normalizer
from logopsd.parsing.timestamps import Stamps
from logopsd.records import Batch
from tests.depth import examples
from tests.parsing.helpers import UTC

USUAL = {
    "timestamp": "2026-11-23T10:00:00.5+01:00",
    "level": "warn",
    "msg": "hello",
    "service": " shop ",
    "n": 5,
}
ODD = st.sampled_from(
    [
        "",
        " ",
        "x",
        "INFO",
        "Notice",
        5,
        0.5,
        None,
        True,
        ["a"],
        {"b": {"c": 1}},
        "2026-02-30T10:00:00Z",
        "2026-11-23T10:00:00Z",
        "2026-11-23T10:00:00." + "0" * 80 + "Z",
        "Nov 23 10:00:00",
        1_790_000_000,
    ]
)
NAMES = st.sampled_from(
    [
        *TIME_ALIASES,
        *LEVEL_ALIASES,
        *MSG_ALIASES,
        "service",
        "app",
        "peer",
        "n",
        "n_enc",
        "extras",
        "guessed",
    ]
)


@settings(max_examples=examples(500), deadline=None)
@given(st.dictionaries(NAMES, ODD, max_size=5), st.booleans())
def test_every_payload_is_read_as_by_the_plain_way(odd, over_usual):
    """Whatever it holds, under whatever names."""
    payload = {**USUAL, **odd} if over_usual else odd
    records, batches = [], []
    for use_compiled in (True, False):
        batch = Batch("http", 0.0, "2026-11-23T12:00:00.000Z")
        normalizer = Normalizer(Stamps(tz=UTC), use_compiled=use_compiled)
        given = dict(payload)
        made = normalizer.records([given], "192.0.2.7", batch, format="json", emitter="http")
        assert made[1] == []
        records += made[0]
        batches.append(batch)
        assert given == payload
    assert records[0] == records[1]
    assert list(records[0].extras or ()) == list(records[1].extras or ())
    assert batches[0] == batches[1]


@pytest.mark.parametrize(
    "payload", [USUAL, {"msg": "x"}, {}, {"ts": "2026-11-23T10:00:00.1234567Z", "a": None}]
)
def test_a_usual_payload_is_read_here(payload):
    """Else the property above would show nothing."""
    batch = Batch("http", 0.0, "2026-11-23T12:00:00.000Z")
    reader = Normalizer(Stamps(tz=UTC))._usual
    (record,), left = reader.read([payload], "192.0.2.7", batch, "json", "http")
    assert record is not None
    assert left == []


@pytest.mark.parametrize("payload", [[], "x", None, OrderedDict(USUAL)])
def test_what_is_no_dict_is_left(payload):
    """A mapping of another kind may say other things than it holds."""
    batch = Batch("http", 0.0, "2026-11-23T12:00:00.000Z")
    reader = Normalizer(Stamps(tz=UTC))._usual
    records, left = reader.read([{}, payload, USUAL], None, batch, "json", "http")
    assert left == [1]
    assert [record is None for record in records] == [False, True, False]
