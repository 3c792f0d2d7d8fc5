"""What is answered when records are stored, or are not."""

import json

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


def test_a_batch_that_waits_is_added_when_it_is_stored() -> None:
    """Not before: its records may not be masked yet, and some may be left out."""
    taken = Taken()
    batch = Batch("http", 0.0, "t", [Record("t", "INFO", "bob@example.com")], missing_ts=1)
    batch.waits = True
    taken.add(batch, 3)
    assert (taken.ts, taken.accepted, taken.sample) == ("t", 0, [])

    batch.records[0].msg = "b***@example.com"
    batch.waits = False
    taken.settle()
    taken.settle()
    assert (taken.accepted, taken.missing_ts) == (1, 1)
    assert [json.loads(line)["msg"] for line in taken.sample] == ["b***@example.com"]
