"""A loop made of a list, an observer that remembers, and batches of lines."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from logopsd.records import Receipt


class Observer:
    """Remembers what the sink tells; `stalls` and `rounds` can be waited for."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self.deliveries = 0
        self.written = 0
        self.stalls: list[str | None] = []
        self.torn_files: list[tuple[Path, int]] = []
        self.changed = threading.Condition()

    def stored(self, receipts: Sequence[Receipt]) -> None:
        """Remember the receipts."""
        with self.changed:
            self.receipts.extend(receipts)
            self.deliveries += 1
            self.changed.notify_all()

    def wrote(self, bytes: int, seconds: float) -> None:
        """Add up the bytes."""
        assert seconds >= 0
        with self.changed:
            self.written += bytes
            self.changed.notify_all()

    def stalled(self, reason: str | None) -> None:
        """Remember the reason."""
        with self.changed:
            self.stalls.append(reason)
            self.changed.notify_all()

    def torn(self, path: Path, bytes: int) -> None:
        """Remember the file."""
        self.torn_files.append((path, bytes))

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds, which only what is told here can bring about."""
        with self.changed:
            assert self.changed.wait_for(condition, timeout=20)


def at_once(callback: Callable[[], None]) -> None:
    """Deliver in the writer thread itself: enough where no loop is under test."""
    callback()


def receipt(number: int, on_stored: Callable[[], None] | None = None) -> Receipt:
    """A receipt that is told apart by its count."""
    return Receipt("tcp", number, on_stored)


def line(text: str) -> bytes:
    """One whole line."""
    return b'{"msg":"' + text.encode() + b'"}\n'
