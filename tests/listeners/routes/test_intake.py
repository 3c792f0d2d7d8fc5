"""The records of one request, in slices."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.listeners.http.messages import Response
from logopsd.listeners.routes.answers import Taken
from logopsd.listeners.routes.intake import SLICE_RECORDS, Intake, Plan
from logopsd.records import Batch, Record
from tests.listeners.http.helpers import Recorder


class Below:
    """Takes slices, and gives their receipts when told."""

    def __init__(self, *, fails_at: int = -1) -> None:
        self.slices: list[tuple[int, int]] = []
        self.receipts: list[Callable[[], None]] = []
        self.fails_at = fails_at

    def take(
        self,
        start: int,
        stop: int,
        stored: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> Batch:
        """Take a slice."""
        if len(self.slices) == self.fails_at:
            raise ZeroDivisionError
        self.slices.append((start, stop))
        self.receipts.append(stored)
        records = [Record("t", "INFO", str(number)) for number in range(start, stop)]
        return Batch("http", 0.0, f"received {start}", records, missing_ts=2, missing_level=1)


class Outcome:
    """Hears how it went."""

    def __init__(self) -> None:
        self.log = Recorder()
        self.taken: list[Taken] = []
        self.answers: list[int] = []

    def intake(self, below: Below, count: int, *, sample_size: int = 0) -> Intake:
        """Make an intake that tells us."""
        plan = Plan(below.take, count, self._answer)
        return Intake(plan, self._hear, self.log.logger, sample_size)

    def _answer(self, taken: Taken) -> Response:
        self.taken.append(taken)
        return Response(200)

    def _hear(self, response: Response) -> None:
        self.answers.append(response.status)


def test_one_slice_needs_no_loop() -> None:
    """A small request is taken at once, and done with its receipt."""
    below, outcome = Below(), Outcome()
    outcome.intake(below, SLICE_RECORDS, sample_size=1).begin()
    assert below.slices == [(0, SLICE_RECORDS)]
    assert outcome.taken == []
    below.receipts[0]()
    (taken,) = outcome.taken
    assert (taken.ts, taken.accepted, taken.missing_ts) == ("received 0", SLICE_RECORDS, 2)
    assert taken.sample == [b'{"ts":"t","level":"INFO","msg":"0"}']


def test_a_failure_in_the_first_slice_is_the_callers() -> None:
    """Nothing was taken yet, and the request can be refused."""
    outcome = Outcome()
    with pytest.raises(ZeroDivisionError):
        outcome.intake(Below(fails_at=0), 1).begin()
    assert outcome.answers == []


def test_receipts_behind_a_failure_answer_nothing() -> None:
    """A request is answered once, whatever its other slices come to."""
    below, outcome = Below(fails_at=2), Outcome()

    async def run() -> None:
        outcome.intake(below, 3 * SLICE_RECORDS).begin()
        for _ in range(4):
            await asyncio.sleep(0)
        for receipt in below.receipts:
            receipt()

    asyncio.run(run())
    assert outcome.answers == [500]
    assert outcome.taken == []
    assert outcome.log.events == [
        {
            "level": "error",
            "event": "ingest_failed",
            "input": "http",
            "type": "ZeroDivisionError",
        }
    ]


@given(st.integers(1, 5 * SLICE_RECORDS), st.booleans())
def test_all_is_taken_once_and_in_order(count: int, early: bool) -> None:
    """Slices follow each other without gaps, and the end is told once, when all is stored."""
    below, outcome = Below(), Outcome()

    async def run() -> None:
        outcome.intake(below, count).begin()
        for _ in range(6):
            if early:
                while below.receipts:
                    below.receipts.pop()()
            await asyncio.sleep(0)
        while below.receipts:
            assert outcome.taken == []
            below.receipts.pop()()

    asyncio.run(run())
    bounds = [0, *[stop for _, stop in below.slices]]
    assert below.slices == list(pairwise(bounds))
    assert bounds[-1] == count
    assert all(stop - start <= SLICE_RECORDS for start, stop in below.slices)
    assert [taken.accepted for taken in outcome.taken] == [count]
    assert outcome.answers == [200]
