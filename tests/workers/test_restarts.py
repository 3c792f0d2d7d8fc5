from hypothesis import given
from hypothesis import strategies as st

from logopsd.workers.restarts import STEADY_SECONDS, WAITS, Restarts


def test_who_lived_well_is_started_at_once_again_and_again() -> None:
    """A death a week is no reason to let senders wait."""
    restarts = Restarts()
    assert [restarts.died(STEADY_SECONDS) for _ in range(9)] == [0.0] * 9


def test_who_dies_at_once_waits_longer_each_time() -> None:
    """Up to a bound; a steady life begins the row anew."""
    restarts = Restarts()
    assert [restarts.died(0.1) for _ in range(8)] == [*WAITS, WAITS[-1], WAITS[-1]]
    assert restarts.died(STEADY_SECONDS + 1) == 0.0
    assert restarts.died(0.1) == WAITS[1]


@given(st.lists(st.floats(0, 10_000), max_size=30))
def test_it_is_never_given_up_and_waits_are_bounded(lives: list[float]) -> None:
    """Whatever it dies of; and of those that lived for long, only the one behind waits less."""
    restarts = Restarts()
    waits = [restarts.died(lived) for lived in lives]
    assert all(0.0 <= wait <= WAITS[-1] for wait in waits)
    assert all(wait == 0.0 for wait, lived in zip(waits, lives, strict=True) if lived >= 60)
