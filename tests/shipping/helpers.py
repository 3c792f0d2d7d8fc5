"""A stream in memory, records to send, and a log that is kept."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from structlog.testing import CapturingLogger
from structlog.typing import FilteringBoundLogger

from logopsd.bus.messages import MESSAGE_ID, Message, Origin, Subjects, messages
from logopsd.errors import RemoteError
from logopsd.figures.shipping import ShipFigures
from logopsd.shipping.cut import Cut
from logopsd.shipping.positions import PositionFile, Positions
from logopsd.shipping.shipper import Shipper
from logopsd.shipping.target import Sent


def line(number: int, *, level: str = "INFO", size: int = 0) -> bytes:
    """A record's line."""
    return (
        f'{{"ts":"2026-11-23T10:00:00Z","level":"{level}","msg":"{number} {"x" * size}",'
        '"input":"udp","received":"2026-11-23T10:00:00.000Z"}\n'
    ).encode()


class KilledError(BaseException):
    """The process is gone."""


class Disk(PositionFile):
    """Positions on the disk, which a process that was killed cannot write any more."""

    dead = False

    def save(self, positions: Positions) -> None:
        """As the real one, while the process lives."""
        if not self.dead:
            super().save(positions)


class Stream:
    """Stands in for a stream with a duplicate window that never ends.

    Attributes:
        stored: messages, in the order they came.
        outcomes: of the next attempts, taken from the end: `ok`, `refuse` (nothing is stored),
            `part` (some is stored, no answer), `lose` (all is stored, no answer), `kill` (the
            process dies before), `die` (it dies after).
        disk: told when the process dies.
    """

    kind = "nats"

    def __init__(self, *, subjects: str = "logs.{level}", limit: int = 1000) -> None:
        self.stored: list[Message] = []
        self.ids: set[str] = set()
        self.outcomes: list[str] = []
        self.disk: Disk | None = None
        self.closed = 0
        self._subjects = Subjects(subjects)
        self._limit = limit

    async def send(self, cut: Cut, source: str) -> Sent:
        """See `Target.send`."""
        made, too_long = messages(
            cut.data, Origin(source, cut.file, cut.start, cut.end), self._subjects, self._limit
        )
        outcome = self.outcomes.pop() if self.outcomes else "ok"
        if outcome == "kill":
            self._kill()
        if outcome == "refuse":
            raise RemoteError("away", passing=True)
        duplicates = sum(not self._store(each) for each in made[: 1 if outcome == "part" else None])
        if outcome == "die":
            self._kill()
        if outcome in ("lose", "part"):
            raise RemoteError("no answer", passing=True)
        skipped = {"too_large": len(too_long)} if too_long else {}
        return Sent(sum(each.records for each in made), len(made), duplicates, skipped)

    async def close(self) -> None:
        """Let go of nothing."""
        self.closed += 1

    def lines(self) -> list[bytes]:
        """All lines, in the order they came."""
        return [each for m in self.stored for each in m.payload.splitlines(keepends=True)]

    def _store(self, message: Message) -> bool:
        if message.headers[MESSAGE_ID] in self.ids:
            return False
        self.ids.add(message.headers[MESSAGE_ID])
        self.stored.append(message)
        return True

    def _kill(self) -> None:
        if self.disk is not None:
            self.disk.dead = True
        raise KilledError


def quiet() -> tuple[FilteringBoundLogger, CapturingLogger]:
    """A log, and what was said to it."""
    kept = CapturingLogger()
    log: FilteringBoundLogger = structlog.wrap_logger(
        kept, processors=[], wrapper_class=structlog.make_filtering_bound_logger(0)
    )
    return log, kept


def ship(
    directory: Path,
    stream: Stream,
    outcomes: Sequence[str] = (),
    *,
    figures: ShipFigures | None = None,
    clock: Callable[[], float] | None = None,
) -> bool:
    """One life of a process that sends what is there; whether it came to its end."""
    disk = Disk(directory, "nats")
    stream.outcomes, stream.disk = [*reversed(outcomes)], disk
    log, _ = quiet()

    async def live() -> None:
        shipper = Shipper(
            directory,
            stream,
            figures=figures or ShipFigures(),
            log=log,
            once=True,
            positions=disk,
            clock=clock or (lambda: 1.0),
            pause=_no_pause,
        )
        await shipper.run()

    try:
        asyncio.run(live())
    except KilledError:
        disk.unlock()
        return False
    return True


async def _no_pause(_: float) -> None:
    """No time passes in tests."""
