"""Warnings that a peer can provoke at will, kept from filling the log."""

from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

WARN_INTERVAL = 60.0
"""Each warning is logged this often at most, seconds."""


class ThrottledWarnings:
    """Logs each event once in WARN_INTERVAL, with how often it was left out since.

    Args:
        log: the daemon's own log.
        clock: seconds, never going back.
        values: said with every warning.
    """

    def __init__(
        self, log: FilteringBoundLogger, clock: Callable[[], float], **values: object
    ) -> None:
        self._log = log
        self._clock = clock
        self._values = values
        self._last: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def warn(self, event: str, **values: object) -> None:
        """Log an event, one of a fixed set of texts, or count that it was left out."""
        now = self._clock()
        if now - self._last.get(event, -WARN_INTERVAL) < WARN_INTERVAL:
            self._left_out[event] = self._left_out.get(event, 0) + 1
            return
        self._last[event] = now
        if left_out := self._left_out.pop(event, 0):
            values["left_out"] = left_out
        self._log.warning(event, **self._values, **values)
