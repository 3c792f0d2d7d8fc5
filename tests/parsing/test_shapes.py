from logopsd.parsing.shapes import MAX_NAME_CHARS, MAX_NAMES, MAX_SHAPES, Shape, Shapes


def shapes() -> Shapes:
    """Give an empty table."""
    return Shapes(times=("ts", "time"), levels=("level",), msgs=("msg", "message"), others={"peer"})


def test_it_says_where_in_a_payload_stands_what():
    """All other names keep their order."""
    assert shapes()["a", "time", "msg", "service", "level", "b"] == Shape(
        "time", "level", "msg", True, ("a", "service", "b")
    )
    assert shapes()[()] == Shape(None, None, None, False, ())


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
