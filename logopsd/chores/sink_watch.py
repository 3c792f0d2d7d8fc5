"""What the sink tells, brought to where people look: the metrics, the log and systemd."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from logopsd.figures.metrics import Metrics
from logopsd.records import Receipt
from logopsd.systemd import Notifier


def status_line(stalled: str | None, note: str = "") -> str:
    """One line for `systemctl status`.

    Args:
        stalled: why the sink cannot write; None where it can.
        note: what else there is to say.
    """
    state = "receiving" if stalled is None else f"cannot write, senders are paused: {stalled}"
    return f"{state}; {note}" if note else state


class SinkWatch:
    """The observer of the sink (see sinks.ndjson.SinkObserver).

    Args:
        metrics: `stored` closes the account of each input in it.
        log: told of stalls and of torn lines.
        notify: shows a stall in `systemctl status`.
        deliver: runs a callable in the event loop; the writer thread reports through it.

    Attributes:
        stall_changed: called in the event loop when the sink stalls, and when it goes on.
    """

    def __init__(
        self,
        metrics: Metrics,
        log: FilteringBoundLogger,
        notify: Notifier,
        deliver: Callable[[Callable[[], None]], object],
    ) -> None:
        self._metrics = metrics
        self._log = log
        self._notify = notify
        self._deliver = deliver
        self.stall_changed: Callable[[bool], None] = lambda stalled: None
        self._told: str | None = None
        self._counting = threading.Lock()  # each sink has a thread of its own

    def stored(self, receipts: Sequence[Receipt]) -> None:
        """Count records as accepted, and no longer in flight; in the event loop."""
        for receipt in receipts:
            if receipt.count:  # what the daemon itself writes counts for no input
                figures = self._metrics.input(receipt.input)
                figures.inflight -= receipt.count
                figures.accepted += receipt.count

    def lost(self, receipts: Sequence[Receipt]) -> int:
        """Count what could not be written before the end as dropped; how many records it is."""
        for receipt in receipts:
            figures = self._metrics.input(receipt.input)
            figures.inflight -= receipt.count
            figures.drop("shutdown", receipt.count)
        return sum(receipt.count for receipt in receipts)

    def wrote(self, bytes: int, seconds: float) -> None:
        """Count one round of a writer thread, in that thread."""
        with self._counting:
            self._metrics.sink_written(bytes, seconds)

    def stalled(self, reason: str | None) -> None:
        """Tell that the sink cannot write, or goes on; from the writer thread."""
        self._deliver(lambda: self._tell(reason))

    def look(self, reason: str | None) -> None:
        """Tell the same of a disk that does not answer, which no thread can tell of; in the loop.

        Args:
            reason: why the sink is stalled now, as it says itself; to be asked each second.
        """
        if (reason is None) != (self._told is None):
            self._tell(reason)

    def torn(self, path: Path, bytes: int) -> None:
        """Tell that the end of a file, cut short by a crash, was set aside."""
        self._log.warning("torn line set aside", file=f"{path}.torn", bytes=bytes)

    def _tell(self, reason: str | None) -> None:
        if reason == self._told:
            return
        began_or_ended = (reason is None) != (self._told is None)
        self._told = reason
        if began_or_ended:
            self.stall_changed(reason is not None)
        if reason is None:
            self._log.info("sink writes again")
            self._notify.status(status_line(None))
        else:
            self._log.error("sink stalled", reason=reason)
            self._notify.status(status_line(reason))
