"""Stand-ins for what the stream and datagram listeners are given."""

import asyncio
from collections.abc import Callable
from typing import cast

from structlog.testing import CapturingLogger
from structlog.typing import FilteringBoundLogger

from logopsd.figures.metrics import InputMetrics
from logopsd.records import Frames

TIMEOUT = 10.0
"""How long a test waits for what must come, seconds."""


class FakeMetrics:
    """Counts as InputMetrics does, under any reason."""

    def __init__(self) -> None:
        self.received = 0
        self.connections = 0
        self.dropped: dict[str, int] = {}
        self.faults: dict[str, int] = {}
        self.refused: dict[str, int] = {}

    def drop(self, reason: str, count: int = 1) -> None:
        """Count a drop."""
        self.dropped[reason] = self.dropped.get(reason, 0) + count

    def fault(self, reason: str, count: int = 1) -> None:
        """Count a fault."""
        self.faults[reason] = self.faults.get(reason, 0) + count

    def refuse(self, reason: str, count: int = 1) -> None:
        """Count a connection not taken."""
        self.refused[reason] = self.refused.get(reason, 0) + count


class FakeLog(CapturingLogger):
    """Keeps what was logged."""

    def events(self) -> list[str]:
        """The events, in order."""
        return [call.args[0] for call in self.calls]

    def values(self, event: str) -> dict[str, object]:
        """The values of the one call with this event."""
        [call] = [call for call in self.calls if call.args[0] == event]
        return dict(call.kwargs)


class Taken:
    """Takes frames as the pipeline does, and keeps them."""

    def __init__(self) -> None:
        self.calls: list[tuple[Frames, object]] = []

    def __call__(self, frames: Frames, peers: object) -> None:
        """Take the frames of one read."""
        self.calls.append((frames, peers))

    @property
    def frames(self) -> list[bytes]:
        """All frames, in order."""
        return [frame for frames, _ in self.calls for frame in frames.frames]


def as_metrics(fake: FakeMetrics) -> InputMetrics:
    """The fake as the type it stands for."""
    return cast(InputMetrics, fake)


def as_log(fake: FakeLog) -> FilteringBoundLogger:
    """The fake as the type it stands for."""
    return cast(FilteringBoundLogger, fake)


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until something is so.

    Raises:
        TimeoutError: it did not become so.
    """
    async with asyncio.timeout(TIMEOUT):
        while not condition():  # noqa: ASYNC110  # nobody signals what a kernel did
            await asyncio.sleep(0.001)


def port_of(address: str) -> int:
    """The port in `udp://127.0.0.1:5514`."""
    return int(address.rpartition(":")[2])
