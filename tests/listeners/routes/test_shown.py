"""Records as the page is sent them."""

import json

from hypothesis import given
from hypothesis import strategies as st

from logopsd.listeners.routes.shown import MAX_BYTES, MAX_RECORDS, shown


def test_what_is_shown_of_a_record() -> None:
    """Who, when, what, and what the payload brought; no token, and nothing that is too long."""
    record = {
        "ts": "2026-11-23T12:00:00Z",
        "level": "WARN",
        "msg": "x" * 2000,
        "msg_enc": "gAAAA",
        "emitter": "shop",
        "peer": "192.0.2.x",
        "received": "2026-11-23T12:00:00.000Z",
        "order": 7,
        "user": {"id": 1},
        "client_ip_enc": "gAAAA",
    }
    found, left_out = shown([json.dumps(record).encode()])
    (one,) = map(json.loads, found)
    assert left_out == 0
    assert one == {
        "ts": "2026-11-23T12:00:00Z",
        "received": "2026-11-23T12:00:00.000Z",
        "level": "WARN",
        "emitter": "shop",
        "msg": "x" * 999 + "…",
        "more": 'order=7 user={"id":1}',
    }


def test_the_newest_are_shown_in_the_order_of_their_arrival() -> None:
    """Whichever file they are in; the others are counted."""
    lines = [b'{"msg":"%d","received":"2026-11-23T12:00:%02d"}' % (n, n % 60) for n in (3, 1, 2)]
    found, left_out = shown(lines)
    assert [json.loads(each)["msg"] for each in found] == ["1", "2", "3"]
    assert left_out == 0
    found, left_out = shown(lines * 100)
    assert (len(found), left_out) == (MAX_RECORDS, 300 - MAX_RECORDS)
    found, left_out = shown([b'{"msg":"%b"}' % (b"x" * 5000)] * 180)
    assert 0 < sum(map(len, found)) <= MAX_BYTES
    assert len(found) + left_out == 180 > len(found)


@given(
    st.lists(
        st.binary(max_size=200)
        | st.text(max_size=50).map(lambda t: json.dumps({"msg": t}).encode())
    )
)
def test_any_line_can_be_shown(lines: list[bytes]) -> None:
    """What somebody wrote into a file is shown as it is, within the bound."""
    found, left_out = shown(lines)
    assert len(found) + left_out == len(lines)
    assert sum(map(len, found)) <= MAX_BYTES
    assert all(isinstance(json.loads(each)["msg"], str) for each in found)
