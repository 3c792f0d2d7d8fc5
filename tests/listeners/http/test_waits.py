"""How long a connection may wait for what."""

import math

import pytest

from logopsd.listeners.http.service import Limits
from logopsd.listeners.http.waits import Wait, seconds_for

LIMITS = Limits(idle_seconds=1, head_seconds=2, stall_seconds=3, linger_seconds=4)


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [
        (Wait.REQUEST, 1),
        (Wait.HEAD, 2),
        (Wait.BODY, 3),
        (Wait.TAKING, 3),
        (Wait.END, 4),
        (Wait.ANSWER, math.inf),
    ],
)
def test_each_wait_has_its_time(wait: Wait, seconds: float) -> None:
    """Only what waits for us may wait for ever."""
    assert seconds_for(wait, LIMITS) == seconds
