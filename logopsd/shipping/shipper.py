"""Sends what is unsent, one range after the other, and saves how far it got.

One range is in flight at a time: nothing grows in memory while the target is away, and what is
sent again after a failure cannot get behind what came later in the file.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from structlog.typing import FilteringBoundLogger

from logopsd.errors import RemoteError
from logopsd.figures.shipping import ShipFigures
from logopsd.shipping.backoff import Backoff
from logopsd.shipping.cut import Cut
from logopsd.shipping.folder import Folder, Followed
from logopsd.shipping.positions import PositionFile, Positions
from logopsd.shipping.target import Sent, Target

POLL_SECONDS: Final = 0.25
"""Between two looks for what is new; a record is sent about so long after it was stored."""

SAVE_SECONDS: Final = 1.0
"""Between two times the position is saved while full ranges are sent; what a kill makes us send
again."""

STOP_SECONDS: Final = 6.0
"""For the range in flight to be acknowledged, once the end is asked for."""

REMIND_SECONDS: Final = 60.0
"""Between two log lines of a failure that goes on."""

ONCE_SECONDS: Final = 60.0
"""How long `once` tries, before it says that it cannot."""

Progress = Callable[[int, int], None]


class _Arrived(msgspec.Struct):
    received: str = ""


class _EndingError(Exception):
    """The end was asked for while a range could not be sent."""


class Shipper:
    """Sends the files of one folder to one target.

    Args:
        directory: of the sink.
        target: takes the ranges.
        figures: counts.
        log: told of trouble, and when it is over.
        once: send what is there, then end; a failure that does not pass by itself ends it.
        progress: called with bytes sent and bytes there are, where it is `once`.
        clock: seconds, monotonic.
        positions: the file of them; beside the data where None.
        pause: waits so many seconds, or until the end is asked for; its own where None.
    """

    def __init__(
        self,
        directory: Path,
        target: Target,
        *,
        figures: ShipFigures,
        log: FilteringBoundLogger,
        once: bool = False,
        progress: Progress | None = None,
        clock: Callable[[], float] = time.monotonic,
        positions: PositionFile | None = None,
        pause: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self._target = target
        self._figures = figures
        self._log = log
        self._once = once
        self._progress = progress
        self._clock = clock
        self._file = positions or PositionFile(directory, target.kind)
        self._pause = pause or self._wait
        self._directory = directory
        self._backoff = Backoff(random.random)
        self._ending = asyncio.Event()
        self._positions = Positions()
        self._saved_at = clock()
        self._told = ""
        self._told_at = 0.0
        self._failing_since = 0.0

    def stop(self) -> None:
        """End after the range that is in flight; from within the event loop."""
        self._ending.set()

    async def run(self) -> None:
        """Send until `stop`, or once what is there; then close the target.

        Raises:
            LogopsError: another process ships the folder, or it cannot hold positions.
            RemoteError: only with `once`: the target does not take it, and will not.
        """
        self._file.lock()
        try:
            self._positions = self._load()
            await self._ship(Folder(self._directory, self._positions))
        finally:
            await self._target.close()
            self._file.unlock()

    async def _ship(self, folder: Folder) -> None:
        self._figures.lag_bytes = folder.unsent
        try:
            if self._once:
                await self._pass(folder)
            else:
                await self._follow(folder)
        except _EndingError:
            pass
        finally:
            self._save()
            folder.close()

    def _load(self) -> Positions:
        positions = self._file.load()
        if positions is None:
            if self._file.path.exists():
                self._log.warning(
                    "positions are damaged, all is sent again", file=self._file.path.name
                )
            positions = Positions()
        if not self._once:
            positions.follows = True
        self._file.save(positions)  # who cannot save it must not begin
        return positions

    async def _follow(self, folder: Folder) -> None:
        while not self._ending.is_set():
            moved = await self._pass(folder)
            if not moved:
                self._figures.oldest = None
                await self._pause(POLL_SECONDS)

    async def _pass(self, folder: Folder) -> bool:
        """Send what is there now; whether there was anything."""
        total, done = (folder.unsent(), 0) if self._progress else (0, 0)
        moved = False
        for followed in folder.refresh():
            end = followed.size  # what comes meanwhile waits for the next pass: others are due
            while followed.position.offset < end and (cut := followed.next()) is not None:
                if self._ending.is_set():
                    raise _EndingError
                await self._send(cut, followed, folder)
                moved = True
                done += cut.end - cut.start
                if self._progress:
                    self._progress(done, max(total, done))
        if moved:
            self._save()
        return moved

    async def _send(self, cut: Cut, followed: Followed, folder: Folder) -> None:
        self._figures.oldest = _arrival(cut.data)
        if not cut.full:
            followed.plan(cut)
            folder.note(followed)
            self._save()
        if cut.data:
            self._count(cut, await self._delivered(cut))
        else:
            self._count(cut, Sent(0, 0, skipped={"too_large": 1}))
        followed.sent(cut)
        folder.note(followed)
        if self._clock() >= self._saved_at + SAVE_SECONDS:
            self._save()

    async def _delivered(self, cut: Cut) -> Sent:
        """Send a range until it is taken."""
        while True:
            try:
                sent = await self._attempt(cut)
            except RemoteError as error:
                self._figures.failures += 1
                self._figures.connected = False
                self._tell(error)
                if self._once and not (error.passing and self._is_patient()):
                    raise
                await self._pause(self._backoff.wait(error.after))
                if self._ending.is_set():
                    raise _EndingError from None
            else:
                self._well()
                return sent

    async def _attempt(self, cut: Cut) -> Sent:
        """Send a range; where the end is asked for meanwhile, wait for it a little more."""
        sending = asyncio.ensure_future(self._target.send(cut, self._positions.source))
        ending = asyncio.ensure_future(self._ending.wait())
        try:
            await asyncio.wait({sending, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                await asyncio.wait({sending}, timeout=STOP_SECONDS)
            if not sending.done():
                raise _EndingError
            return sending.result()
        finally:
            sending.cancel()
            ending.cancel()
            await asyncio.gather(sending, ending, return_exceptions=True)

    def _count(self, cut: Cut, sent: Sent) -> None:
        figures = self._figures
        figures.records += sent.records
        figures.bytes += cut.end - cut.start
        figures.publishes += sent.publishes
        figures.duplicates += sent.duplicates
        for reason, count in sent.skipped.items():
            figures.skipped[reason] += count
        if sent.skipped:
            self._log.error(
                "not shipped",
                **sent.skipped,
                file=cut.file,
                start=cut.start,
                end=cut.end,
                hint="the target does not take these records; they are stored in the file",
            )

    def _tell(self, error: RemoteError) -> None:
        """Log a failure when it begins or changes, and then once a minute."""
        text, now = str(error), self._clock()
        self._failing_since = self._failing_since or now
        if text != self._told or now >= self._told_at + REMIND_SECONDS:
            self._log.warning("shipping waits", problem=text)
            self._told, self._told_at = text, now

    def _is_patient(self) -> bool:
        return self._clock() < self._failing_since + ONCE_SECONDS

    def _well(self) -> None:
        self._backoff.reset()
        self._figures.connected = True
        self._failing_since = 0.0
        if self._told:
            self._log.info("shipping goes on")
            self._told = ""

    def _save(self) -> None:
        """Save the positions; a disk that is full makes us send some again, no more."""
        self._saved_at = self._clock()
        try:
            self._file.save(self._positions)
        except OSError as error:
            self._log.error("position not saved", problem=error.strerror)

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        except TimeoutError:
            pass


_ARRIVED = msgspec.json.Decoder(_Arrived)


def _arrival(data: bytes) -> float | None:
    """When the first record of a range arrived; None where that cannot be told."""
    try:
        received = _ARRIVED.decode(data[: data.find(b"\n")]).received
        return datetime.fromisoformat(received).timestamp()
    except (msgspec.MsgspecError, ValueError):
        return None
