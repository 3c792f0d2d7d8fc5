from datetime import UTC

import pytest

from logopsd.figures.source import (
    FORGET_SECONDS,
    SAMPLE_SECONDS,
    SILENT_FLOOR_SECONDS,
    SILENT_MIN_INTERVALS,
    Source,
)
from logopsd.records import Batch, Record

NOW = 1_790_000_000.0  # 2026-09-21T14:13:20Z
RECEIVED = "2026-09-21T14:13:20.000Z"


def source() -> Source:
    """Make a sender that was heard once."""
    return Source(7, ("udp", "192.0.2.7", "web1"), NOW)


def record(**more) -> Record:
    """Make a record of it."""
    return Record(**{"ts": RECEIVED, "level": "INFO", "msg": "x", **more})


def test_it_is_shown_as_plain_values():
    """What /sources says of a sender that was heard once."""
    assert source().as_dict() == {
        "id": 7,
        "input": "udp",
        "peer": "192.0.2.7",
        "host": "web1",
        "first_seen": NOW,
        "last_seen": NOW,
        "records": 0,
        "bytes": 0,
        "skew_seconds": None,
        "zone": None,
        "gaps": None,
        "silent": False,
    }


@pytest.mark.parametrize(
    ("intervals", "seconds", "longest", "allowed"),
    [
        (SILENT_MIN_INTERVALS - 1, 10.0, 1.0, FORGET_SECONDS),
        (100, 100.0, 1.0, SILENT_FLOOR_SECONDS),
        (100, 100_000.0, 1000.0, 10_000.0),
        (100, 100_000.0, 50_000.0, 100_000.0),
    ],
)
def test_how_long_it_may_be_silent_follows_its_habit(intervals, seconds, longest, allowed):
    """Ten means, or twice the longest, and never less than the floor."""
    made = source()
    made.intervals, made.longest, made.last_seen = intervals, longest, NOW + seconds
    assert made.silence_allowed() == allowed


def test_its_clock_is_looked_at_now_and_then():
    """At once, then every ten seconds, and when our own clock was put back."""
    made = source()
    assert made.is_due(NOW)
    made.sampled_at = NOW
    assert not made.is_due(NOW + SAMPLE_SECONDS - 1)
    assert made.is_due(NOW + SAMPLE_SECONDS)
    assert made.is_due(NOW - 1)


def test_the_first_look_at_a_clock_is_taken_as_it_is():
    """There is no mean before."""
    made = source()
    batch = Batch("udp", NOW, RECEIVED)
    made.look_at_clock(record(ts="2026-09-21T14:13:50Z"), batch, UTC)
    assert made.skew == 30.0


def test_numbers_are_followed_over_many_batches():
    """A number left out in one and come in the next is not missing."""
    made = source()
    for numbers in ([1, 2, 4], [3, 5], [9]):
        made.follow(numbers)
    assert made.gaps == 3
