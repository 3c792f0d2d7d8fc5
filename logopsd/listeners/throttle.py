"""Warnings that a peer can provoke at will, kept from filling the log."""

from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

WARN_INTERVAL = 60.0
"""Each warning is logged this often at most, seconds."""


class ThrottledWarnings:
    """Logs each event, by its reason where it has one, once in WARN_INTERVAL.

    It says how often it was left out since.

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
        """Log an event, or count that it was left out.

        Args:
            event: one of a fixed set of texts.
            values: said with it; a `reason` is one of a fixed set too, and each has its turn, so
                that the noise of one does not hide another.
        """
        now = self._clock()
        kind = f"{event}: {values.get('reason', '')}"
        if now - self._last.get(kind, -WARN_INTERVAL) < WARN_INTERVAL:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return
        self._last[kind] = now
        if left_out := self._left_out.pop(kind, 0):
            values["left_out"] = left_out
        self._log.warning(event, **self._values, **values)
