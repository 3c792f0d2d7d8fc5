"""Shipping in the daemon: in a thread with an event loop of its own, so that it disturbs nobody.

Whatever fails in it is logged, and tried again after a while; receiving goes on.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Final

from structlog.typing import FilteringBoundLogger

from logopsd.errors import LogopsError
from logopsd.shipping.shipper import Shipper

RESTART_SECONDS: Final = 30.0
"""After shipping ended by an error that it cannot wait out itself, such as a file that is missing
or another process that ships the same folder."""


class Shipping:
    """The thread.

    Args:
        make: makes the shipper, within the thread's event loop.
        log: the daemon's own.
    """

    def __init__(self, make: Callable[[], Shipper], log: FilteringBoundLogger) -> None:
        self._make = make
        self._log = log
        self._ending = threading.Event()
        self._stop: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self._run, name="shipping", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the range that is in flight; from any thread."""
        self._ending.set()
        self._stop()

    def join(self, seconds: float) -> None:
        """Wait for the end; later than that the process ends without."""
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                asyncio.run(self._live())
            except LogopsError as error:
                self._log.error("shipping stands still", problem=str(error))
            except Exception as error:
                self._log.error("shipping failed", exc_info=error)
            self._ending.wait(RESTART_SECONDS)

    async def _live(self) -> None:
        shipper = self._make()
        loop = asyncio.get_running_loop()

        def stop() -> None:
            try:
                loop.call_soon_threadsafe(shipper.stop)
            except RuntimeError:  # it has ended by itself
                pass

        self._stop = stop
        if self._ending.is_set():  # it was asked to end while this was made
            return
        await shipper.run()
