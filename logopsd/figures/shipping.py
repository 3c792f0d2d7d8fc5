"""The figures of shipping, shown in the daemon's page or in that of `logopsd ship`."""

import time
from collections.abc import Callable
from typing import Final

import msgspec

SKIP_REASONS: Final = ("refused", "too_large", "too_old")
"""Why a record is not sent, though it is stored and stays so: the target refuses it for what it is;
it fits into no message; its time lies too far back for the target."""


class ShipFigures(msgspec.Struct):
    """What was sent, and how much is behind.

    Attributes:
        records: acknowledged.
        bytes: of the files, acknowledged.
        publishes: messages or requests that were acknowledged.
        failures: attempts that failed, and were or will be made again.
        duplicates: messages that the stream had already.
        skipped: reason -> records that the target will not take.
        connected: whether the last attempt went well.
        oldest: when the oldest record that is not yet sent arrived, seconds since the epoch; None
            where all is sent.
        lag_bytes: gives the bytes that are stored and not yet sent.
    """

    records: int = 0
    bytes: int = 0
    publishes: int = 0
    failures: int = 0
    duplicates: int = 0
    skipped: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(SKIP_REASONS, 0))
    connected: bool = False
    oldest: float | None = None
    lag_bytes: Callable[[], int] = lambda: 0

    def lag_seconds(self, now: Callable[[], float] = time.time) -> float:
        """How long the oldest record that is not yet sent waits; 0 where none does."""
        return 0.0 if self.oldest is None else max(0.0, now() - self.oldest)
