"""How much room is left on a disk, asked in a thread of its own: a disk that hangs holds up no one.

The question may block for as long as a network file system likes. Neither a scrape nor the event
loop may wait for that, nor may the end of the process, so the thread is one that is left behind.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path

INTERVAL_SECONDS = 5.0
"""Between two questions: less than any scrape interval."""


def free_bytes(directory: Path) -> int:
    """Bytes that an unprivileged process may still write on the file system of a directory."""
    there = os.statvfs(directory)
    return there.f_bavail * there.f_frsize


class FreeSpace:
    """Asks now and then.

    Args:
        directory: on the file system that is looked at.
        interval: seconds between two questions.
        ask: asks; OSError where there is no answer.

    Attributes:
        value: the last answer, in bytes; None before the first, and where there was none.
    """

    def __init__(
        self,
        directory: Path,
        *,
        interval: float = INTERVAL_SECONDS,
        ask: Callable[[Path], int] = free_bytes,
    ) -> None:
        self.value: int | None = None
        self._directory = directory
        self._interval = interval
        self._ask = ask
        self._ended = threading.Event()

    def start(self) -> None:
        """Ask once now, as the directory was just used, and then in a thread."""
        self._look()
        threading.Thread(target=self._run, name="free space", daemon=True).start()

    def stop(self) -> None:
        """Ask no more; waits for nobody."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(self._interval):
            self._look()

    def _look(self) -> None:
        try:
            self.value = self._ask(self._directory)
        except OSError:
            self.value = None
