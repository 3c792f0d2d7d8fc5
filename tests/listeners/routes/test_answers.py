"""What is answered when records are stored, or are not."""

import json

from logopsd.gathering import GATHER_RECORDS
from logopsd.listeners.routes.answers import MAX_REASONS, Rejected, Taken, partly_stored, stored
from logopsd.records import Batch, Record


def test_the_first_reasons_are_kept() -> None:
    """All are counted."""
    rejected = Rejected()
    for start in range(0, 30, 7):
        rejected.add([(number, "bad") for number in range(start, start + 7)])
    assert rejected.count == 35
    assert [line for line, _ in rejected.reasons] == list(range(MAX_REASONS))


def test_stored() -> None:
    """Without a word of lines where the body was read whole."""
    answer = stored(Taken("t", 3, 2, 1))
    assert json.loads(answer.body) == {
        "accepted": 3,
        "ts": "t",
        "missing_ts": 2,
        "missing_level": 1,
    }


def test_partly_stored() -> None:
    """The error, and how much is stored all the same."""
    answer = partly_stored(413, "too long", Taken("t", 3), Rejected(1, [(2, "bad")]))
    assert answer.status == 413
    assert json.loads(answer.body) == {
        "error": "Content Too Large",
        "detail": "too long",
        "accepted": 3,
        "rejected": 1,
        "reasons": [{"line": 2, "reason": "bad"}],
    }


def test_batches_are_added_up() -> None:
    """The time is that of the first, and so are the records that are shown."""
    taken = Taken()
    for number in range(3):
        records = [Record("t", "INFO", f"{number}{place}") for place in range(2)]
        batch = Batch("http", 0.0, f"t{number}", records, missing_ts=1, suppressed=number)
        assert taken.take(batch, 3) is batch
        taken.add(batch, 3)
    assert (taken.ts, taken.accepted, taken.missing_ts, taken.suppressed) == ("t0", 6, 3, 3)
    assert [json.loads(line)["msg"] for line in taken.sample] == ["00", "01", "10"]


def test_a_large_batch_is_added_at_once_and_a_small_one_given_back() -> None:
    """The records of the one are masked, and not kept; those of the other may not be masked yet."""
    taken = Taken()
    small, large = (
        Batch("http", 0.0, f"t{count}", [Record("t", "INFO", "a")] * count)
        for count in (GATHER_RECORDS - 1, GATHER_RECORDS)
    )
    assert taken.take(small, 1) is small
    assert (taken.ts, taken.accepted, taken.sample) == (small.received, 0, [])
    assert taken.take(large, 1) is None
    assert (taken.ts, taken.accepted, len(taken.sample)) == (small.received, GATHER_RECORDS, 1)
