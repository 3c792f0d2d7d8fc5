import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logopsd.figures.sequences import (
    LATE,
    MAX_GAP,
    MAX_SEQUENCE,
    follow,
    follow_each,
    sequence_of,
)
from logopsd.records import Record

RECEIVED = "2026-09-21T14:13:20.000Z"


def record(**more) -> Record:
    """Make a record with some fields."""
    return Record(**{"ts": RECEIVED, "level": "INFO", "msg": "x", **more})


def numbered(value) -> Record:
    """Make a record with this as its sequenceId."""
    return record(sd={"meta": {"sequenceId": value}})


CISCO = {"format": "rfc3164", "msgid": "SYS-5-CONFIG_I"}


@pytest.mark.parametrize(
    ("made", "number"),
    [
        (record(), 0),
        (record(sd={"other": {}}), 0),
        (numbered("12"), 12),
        (record(extras={"sequence": 12}, **CISCO), 12),
        (record(extras={"sequence": -1}, **CISCO), 0),
        (record(extras={"sequence": 12}, format="json"), 0),
        (record(extras={"sequence": 12}, format="rfc3164"), 0),
    ],
)
def test_where_a_number_stands(made, number):
    """In structured data, or before the message of a Cisco device; a payload's field is none."""
    assert sequence_of(made) == number


NUMBERS = st.one_of(
    st.integers(1, 300), st.integers(1, MAX_SEQUENCE), st.integers(MAX_SEQUENCE - 3, MAX_SEQUENCE)
)


@given(
    st.one_of(st.lists(NUMBERS, max_size=8), st.lists(NUMBERS, max_size=8).map(sorted)),
    st.one_of(st.just(0), NUMBERS),
    st.integers(0, 9),
)
@example([2, 2], 1, 0)
@example([3, 5, 9], 1, 0)
@example([MAX_SEQUENCE], MAX_SEQUENCE - 1, 0)
@example([2, 2 + MAX_GAP + 1], 1, 0)
@example([2, 2 + MAX_GAP], 1, 0)
@example([9, 9 - LATE], 8, 3)
def test_many_numbers_count_as_each_by_itself(numbers, highest, gaps):
    """The short way for numbers that only go up agrees with the long one."""
    assert follow(numbers, highest, gaps) == follow_each(numbers, highest, gaps)
