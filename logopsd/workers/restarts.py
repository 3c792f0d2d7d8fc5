"""When a worker that died is started again. Pure; time is handed in.

One that had lived well is started at once: its senders wait. One that dies again and again would
take the cores from the others, so each time it waits longer, up to a bound; it is never given up,
as what makes it die (a full process table, a file without rights) may be mended meanwhile.
"""

from typing import Final

STEADY_SECONDS: Final = 60.0
"""Who lived so long died of something else than its start."""

WAITS: Final = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before the first, the second, ... start in a row; the last one for all further."""


class Restarts:
    """The restarts of one worker."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def died(self, lived: float) -> float:
        """Return how long to wait before it is started again, seconds.

        Args:
            lived: seconds from its start to its end.
        """
        if lived >= STEADY_SECONDS:
            self._in_a_row = 0
        wait = WAITS[min(self._in_a_row, len(WAITS) - 1)]
        self._in_a_row += 1
        return wait
