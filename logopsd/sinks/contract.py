"""What a sink hands to whom: down to its backend, up to its observer, and what it is itself."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from logopsd.records import Receipt


class Sink(Protocol):
    """Stores batches and gives receipts. All but `open_files` is called in the event loop."""

    def open(self) -> None:
        """Make ready to write; SinkError with the mend where that cannot be."""

    def write(self, data: bytes, day: str, receipt: Receipt) -> None:
        """Take a batch of whole lines, of the day `YYYYMMDD`; never blocks, never refuses."""

    def register(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        """Have these called when too much is pending, and when it is less again."""

    @property
    def paused(self) -> bool:
        """Everyone registered has been asked to pause, and not yet to resume."""

    @property
    def stalled(self) -> str | None:
        """Why nothing can be written at present; None while all is well."""

    @property
    def failed(self) -> bool:
        """Its thread has ended by a bug: nothing is stored any more."""

    @property
    def unstored_bytes(self) -> int:
        """Bytes handed to `write` whose receipt was not given yet."""

    def unstored(self) -> list[Receipt]:
        """The receipts that were not given yet; after `close`, of what was not stored."""

    def open_files(self) -> set[Path]:
        """The files that are open now, not to be touched by others; from any thread."""

    def reopen(self) -> None:
        """Look at once whether files were moved or removed, and open them anew."""

    def close(self, timeout: float) -> bool:
        """Store what is pending, and stop; blocks for about `timeout` seconds at most."""


class SinkObserver(Protocol):
    """Who is told what the sink does. All but `stored` is called in the writer thread."""

    def stored(self, receipts: Sequence[Receipt]) -> None:
        """The batches of these receipts are stored; in the event loop, before each on_stored."""

    def wrote(self, bytes: int, seconds: float) -> None:
        """One round: how many bytes were stored, and how long it took until the receipts."""

    def stalled(self, reason: str | None) -> None:
        """The sink cannot write, for this reason; None: it writes again."""

    def torn(self, path: Path, bytes: int) -> None:
        """A torn last line of this length was set aside into `<path>.torn`.

        Called in `open` (by its caller's thread) or in the writer thread.
        """


class Batch(NamedTuple):
    """Whole lines on their way down.

    Attributes:
        data: the lines; may be empty, where only a receipt is wanted.
        day: `YYYYMMDD`, the UTC day of arrival.
        receipt: given when the lines are stored.
    """

    data: bytes
    day: str
    receipt: Receipt


class Backend(Protocol):
    """What the thread drives. `write`, `tend` and `close` may raise OSError at any point.

    Called again after that, each goes on where it was.
    """

    def add(self, stem: str, data: bytes) -> None:
        """Queue whole lines, not empty, for the file of this stem."""

    def write(self) -> None:
        """Write all that is queued, durable where receipts ask for it."""

    def tend(self) -> None:
        """Do what is due without a further write."""

    def seconds_until_due(self) -> float | None:
        """How long until `tend` has something to do; None: not without a further write."""

    def check_now(self) -> None:
        """Look at the next write whether everything is where it was."""

    def close(self) -> None:
        """Make everything durable and let go of it."""

    def abandon(self) -> None:
        """Let go of everything as it is; raises nothing."""
