"""Whether the way of the data still works: a heartbeat that goes it, down and back up.

What feeds systemd's watchdog must be the daemon's work, and not a timer of its own: a timer still
runs where the writer thread is dead, or a stage hangs.
"""

from collections.abc import Callable
from typing import Protocol


class Watched(Protocol):
    """What is asked of the sink."""

    @property
    def stalled(self) -> str | None:
        """Why nothing can be written at present; None while all is well."""

    @property
    def failed(self) -> bool:
        """Whether its thread has ended by a bug."""


class Heartbeat:
    """Sends a beat down the pipeline and waits for its receipt; one at a time.

    Args:
        send: takes a callable, has it called once a beat has passed pipeline and sink.
        sink: asked whether the disk is what holds a beat up.
    """

    def __init__(self, send: Callable[[Callable[[], None]], None], sink: Watched) -> None:
        self._send = send
        self._sink = sink
        self._under_way = False

    def alive(self) -> bool:
        """Tell whether the daemon lives, and send the next beat where the last one is back.

        It lives while beats come back, and also while the sink says that its disk fails or does
        not answer: to be killed for that would mend nothing, lose what is in memory, and begin
        again with the next process.
        """
        if self._sink.failed:
            return False
        if self._under_way:
            return self._sink.stalled is not None
        self._under_way = True
        self._send(self._back)
        return True

    def _back(self) -> None:
        self._under_way = False
