"""The sink of a dry run: everything is counted as stored, and nothing is."""

from collections.abc import Callable
from pathlib import Path

from logopsd.records import Receipt
from logopsd.sinks.ndjson import SinkObserver


class DiscardSink:
    """Gives each receipt at once and keeps nothing; for LOGOPS_SINK_FILE=false.

    Args:
        deliver: runs a callable in the event loop.
        observer: told as by any sink.
    """

    paused = False
    stalled: str | None = None
    failed = False
    unstored_bytes = 0

    def __init__(
        self, *, deliver: Callable[[Callable[[], None]], object], observer: SinkObserver
    ) -> None:
        self._deliver = deliver
        self._observer = observer

    def open(self) -> None:
        """There is nothing to open."""

    def write(self, data: bytes, day: str, receipt: Receipt) -> None:
        """Throw the bytes away and give the receipt."""
        self._deliver(lambda: self._complete(receipt))

    def register(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        """Nobody is ever paused."""

    def open_files(self) -> set[Path]:
        """There are none."""
        return set()

    def unstored(self) -> list[Receipt]:
        """Nothing is ever left."""
        return []

    def reopen(self) -> None:
        """There is nothing to reopen."""

    def close(self, timeout: float) -> bool:
        """There is nothing to write."""
        return True

    def _complete(self, receipt: Receipt) -> None:
        self._observer.stored([receipt])
        if receipt.on_stored is not None:
            receipt.on_stored()
