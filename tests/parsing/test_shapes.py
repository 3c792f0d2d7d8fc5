from logopsd.parsing.shapes import (
    LEVEL,
    MAX_NAME_CHARS,
    MAX_NAMES,
    MAX_SHAPES,
    MSG,
    OTHER,
    SERVICE,
    TIME,
    Shapes,
)


def shapes() -> Shapes:
    """Give an empty table."""
    return Shapes(times=("ts", "time"), levels=("level",), msgs=("msg", "message"), others={"peer"})


def test_it_says_where_in_a_payload_stands_what():
    """By the places of the names."""
    assert shapes()["a", "time", "msg", "service", "level", "b"] == bytes(
        [OTHER, TIME, MSG, SERVICE, LEVEL, OTHER]
    )
    assert shapes()[()] == b""


def test_names_that_do_not_tell():
    """Two times, the daemon's own field, and what looks like a token."""
    assert shapes()["ts", "time"] is None
    assert shapes()["msg", "peer"] is None
    assert shapes()["msg", "client_ip_enc"] is None


def test_a_shape_is_told_once():
    """And then looked up."""
    table = shapes()
    assert table["msg", "a"] is table["msg", "a"]


def test_what_a_sender_can_make_us_keep_is_bounded():
    """Neither many shapes nor long ones stay."""
    table = shapes()
    for number in range(2 * MAX_SHAPES + 1):
        table[(f"n{number}",)]
    assert len(table) <= MAX_SHAPES
    table.clear()
    assert table["x" * (MAX_NAME_CHARS + 1),] is None
    assert table[tuple(map(str, range(MAX_NAMES + 1)))] is None
    assert not table
