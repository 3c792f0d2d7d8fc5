"""A stream connection whose continuation lines are joined to their records."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from logopsd.framing.multiline import MultilineJoiner
from logopsd.listeners.stream_connection import Framer, StreamConnection
from logopsd.records import Frames

if TYPE_CHECKING:
    from logopsd.listeners.stream import StreamListener


class MultilineConnection(StreamConnection):
    """A StreamConnection whose frames go through a joiner before they are handed down.

    Args:
        listener: whose it is.
        make_framer: gives a framer.
        make_joiner: gives a joiner.
        take_frames: takes the frames of one read and their peer.
    """

    def __init__(
        self,
        listener: "StreamListener",
        *,
        make_framer: Callable[[], Framer],
        make_joiner: Callable[[], MultilineJoiner],
        take_frames: Callable[[Frames, str], object],
    ) -> None:
        super().__init__(listener, make_framer=make_framer, take_frames=take_frames)
        self._loop = asyncio.get_running_loop()
        self._joiner = make_joiner()
        self._timer: asyncio.TimerHandle | None = None

    def take_rest(self) -> None:
        """Hand down the record held, and what was not whole."""
        if self._timer is not None:
            self._timer.cancel()
        super().take_rest()
        super()._hand_down(self._joiner.flush())

    def _hand_down(self, frames: Frames) -> None:
        super()._hand_down(self._joiner.add(frames, self._loop.time()))
        self._watch()

    def _watch(self) -> None:
        """Have one timer while a record is held; whether it is due is looked at then."""
        if self._timer is None and self._joiner.due is not None and not self._finished:
            self._timer = self._loop.call_at(self._joiner.due, self._expire)

    def _expire(self) -> None:
        self._timer = None
        now = self._loop.time()
        if self._listener.paused:
            # The lines it waits for may lie in the kernel: we have not looked.
            self._joiner.extend(now)
        else:
            super()._hand_down(self._joiner.expire(now))
        self._watch()
