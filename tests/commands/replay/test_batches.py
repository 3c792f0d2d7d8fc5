"""Batches, and their pace by a clock of the test's own."""

from itertools import islice

import pytest

from logopsd.commands.replay import batches as module
from logopsd.commands.replay.batches import Pace, batches, growing


def test_a_batch_is_bounded_in_lines_and_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost or moved; a line that is larger than a batch goes alone."""
    monkeypatch.setattr(module, "MAX_LINES", 3)
    monkeypatch.setattr(module, "MAX_BYTES", 10)
    lines = [b"a", b"b", b"c", b"d", b"123456789", b"e", b"x" * 20, b"f"]

    assert list(batches(lines)) == [lines[:3], [b"d", b"123456789"], [b"e"], [b"x" * 20], [b"f"]]
    assert list(batches([])) == []


@pytest.mark.parametrize(("rate", "sizes"), [(1, [1, 1, 1]), (20, [2, 1]), (1000, [3])])
def test_a_slow_rate_makes_small_batches(rate: float, sizes: list[int]) -> None:
    """Ten a second."""
    assert [len(batch) for batch in batches([b"x"] * 3, rate=rate)] == sizes


class Time:
    """A clock that goes when it is slept."""

    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        """Let it go."""
        self.now += seconds


def test_the_pace_holds_up_to_the_rate() -> None:
    """What a slow receiver took longer for is not caught up with."""
    time = Time()
    pace = Pace(10, lambda: time.now, time.sleep)
    for _ in range(5):
        pace.wait(20)
    assert time.now == pytest.approx(100 + 4 * 2)
    time.now += 60
    pace.wait(20)
    pace.wait(20)
    assert time.now == pytest.approx(168 + 2)


def test_without_a_rate_nobody_waits() -> None:
    """Whatever the count."""
    time = Time()
    Pace(None, lambda: time.now, time.sleep).wait(10**9)
    assert time.now == 100


def test_pauses_grow_to_a_limit() -> None:
    """Twice the one before."""
    assert list(islice(growing(0.5, 3), 4)) == [0.5, 1, 2, 3]
