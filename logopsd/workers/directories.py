"""The directories that all workers write to: locked once for all, and mended before they start."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from logopsd.chores.housekeeping import SPLIT
from logopsd.chores.sink_watch import SinkWatch
from logopsd.config import Settings
from logopsd.figures.metrics import Metrics
from logopsd.records import INPUTS, Receipt
from logopsd.sinks.ndjson import NdjsonSink
from logopsd.systemd import Notifier

CLOSE_SECONDS = 0.5
"""For the records of the account: a line for each input, once a day."""


class Directories:
    """Those of the sink, as the supervisor has them.

    Args:
        settings: valid ones.
        metrics: counts what the supervisor writes itself.
        log: the supervisor's own.
        deliver: runs a callable in the event loop.
    """

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        log: FilteringBoundLogger,
        deliver: Callable[[Callable[[], None]], object],
    ) -> None:
        folders = [settings.sink_dir] if settings.sink_file else []
        if settings.sink_split is not None:
            folders.append(settings.sink_dir / SPLIT)
        observer = SinkWatch(metrics, log, Notifier({}), deliver)
        self._sinks = {
            folder: NdjsonSink(
                directory=folder,
                max_file_bytes=settings.sink_max_bytes,
                fsync=settings.fsync,
                min_free_bytes=settings.min_free_bytes,
                deliver=deliver,
                observer=observer,
            )
            for folder in folders
        }
        self._opened: list[NdjsonSink] = []

    @property
    def main(self) -> Path | None:
        """Where state is kept; None where no files are written."""
        return next(iter(self._sinks), None)

    def open(self) -> None:
        """Lock and mend each.

        Raises:
            SinkError: one cannot be used; with the mend.
        """
        for sink in self._sinks.values():
            sink.open()
            self._opened.append(sink)

    def locks(self) -> dict[Path, int]:
        """Return the descriptor that holds the lock of each."""
        return {folder: sink.lock_fd for folder, sink in self._sinks.items()}

    def open_files(self) -> set[Path]:
        """The files that the supervisor itself has open; from any thread."""
        return set().union(*(sink.open_files() for sink in self._sinks.values()))

    def write(self, data: bytes, day: str) -> None:
        """Take lines for the file of a day that is no worker's."""
        for sink in self._opened[:1]:
            sink.write(data, day, Receipt(INPUTS[0], 0))

    def look(self) -> None:
        """Have it looked whether they were replaced; new ones are locked then."""
        for sink in self._opened:
            sink.reopen()

    async def close(self) -> bool:
        """Write what is left; whether all was."""
        closing = [asyncio.to_thread(sink.close, CLOSE_SECONDS) for sink in self._opened]
        return all(await asyncio.gather(*closing))
