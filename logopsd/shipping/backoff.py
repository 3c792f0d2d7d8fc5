"""How long to wait between attempts: longer each time, and never in step with others. Pure."""

from collections.abc import Callable
from typing import Final

FIRST_SECONDS: Final = 0.25
LONGEST_SECONDS: Final = 30.0
"""A server that is back is noticed within so long."""


class Backoff:
    """Waits that double up to a bound, each cut by chance to between half of it and all.

    Args:
        chance: gives a number from 0 to 1.
    """

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._next = FIRST_SECONDS

    def wait(self, at_least: float = 0.0) -> float:
        """Seconds to wait before the next attempt.

        Args:
            at_least: what the server asked for.
        """
        this, self._next = self._next, min(self._next * 2, LONGEST_SECONDS)
        return max(at_least, this * (0.5 + self._chance() / 2))

    def reset(self) -> None:
        """Begin anew, after what went well."""
        self._next = FIRST_SECONDS
