"""How long to wait between attempts."""

from logopsd.shipping.backoff import LONGEST_SECONDS, Backoff


def test_waits_double_up_to_a_bound_and_begin_anew() -> None:
    """What went well ends it."""
    backoff = Backoff(lambda: 1.0)

    assert [backoff.wait() for _ in range(4)] == [0.25, 0.5, 1.0, 2.0]
    assert max(backoff.wait() for _ in range(20)) == LONGEST_SECONDS
    backoff.reset()
    assert backoff.wait() == 0.25


def test_chance_takes_up_to_half_of_a_wait() -> None:
    """So that many shippers do not come back at once."""
    assert Backoff(lambda: 0.0).wait() == 0.125


def test_what_the_server_asks_for_is_waited() -> None:
    """Retry-After."""
    assert Backoff(lambda: 0.0).wait(7.0) == 7.0
