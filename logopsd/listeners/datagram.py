"""Datagrams, a frame each: UDP (RFC 5426) and Unix datagram sockets.

asyncio's own datagram transport reads one a wake-up and knows no drops; here one wake-up of the
loop reads all there are, up to a bound, and hands them down in one call; `turns` says when.
"""

import asyncio
import errno
import os
import socket
import time
from collections.abc import Callable
from itertools import compress

from structlog.typing import FilteringBoundLogger

from logopsd.figures.metrics import InputMetrics
from logopsd.listeners import sockets
from logopsd.listeners.access import Access
from logopsd.listeners.datagram_reader import DatagramReader, make_reader
from logopsd.listeners.throttle import ThrottledWarnings
from logopsd.listeners.turns import Turns
from logopsd.records import Frames

DATAGRAMS_A_WAKE_UP = 512
"""A batch of these costs the loop a few milliseconds; the other inputs wait no longer."""

LAST_WAKE_UPS = 64
"""Bound of the read-out at the end: a buffer of 16 MiB holds 22,000 small datagrams, 43 reads."""

DROPS_INTERVAL = 1.0
"""How often the kernel is asked for its drops, seconds."""

UDP_MAX = 65536
"""No UDP datagram is longer, bytes: none can be cut by the read."""


class DatagramListener:
    """Reads datagrams from one socket and hands them down, a batch a wake-up.

    Args:
        input: one of records.INPUTS.
        take_frames: takes the frames of one wake-up and the peer of each.
        metrics: the figures of the input; counts here what never reaches `take_frames`.
        log: the daemon's own log.
        host: address or name to bind to.
        port: 0 lets the kernel choose.
        path: a Unix socket instead of host and port.
        sock: an inherited, bound socket instead of either.
        max_message: the most bytes of a message; a longer one is cut there.
        receive_buffer: bytes to ask the kernel for.
        count_kernel_drops: told how many datagrams the kernel has dropped since it was last told.
        access: who may send; None for everyone.
        setting: the name of the setting that holds the port or path, for the text of errors.
        bind_setting: the same for the host.

    Attributes:
        input: as given.
        addresses: where it listens, as URLs, once started.
    """

    def __init__(
        self,
        *,
        input: str,
        take_frames: Callable[[Frames, list[str]], object],
        metrics: InputMetrics,
        log: FilteringBoundLogger,
        host: str = "127.0.0.1",
        port: int = 0,
        path: str | None = None,
        sock: socket.socket | None = None,
        max_message: int = 256 * 1024,
        receive_buffer: int = sockets.RECEIVE_BUFFER,
        count_kernel_drops: Callable[[int], object] | None = None,
        access: Access | None = None,
        setting: str | None = None,
        bind_setting: str = "LOGOPS_BIND",
    ) -> None:
        self.input = input
        self.addresses: list[str] = []
        self._take_frames = take_frames
        self._metrics = metrics
        self._log = log
        self._host = host
        self._port = port
        self._path = path
        self._sock = sock
        self._max_message = max_message
        self._receive_buffer = receive_buffer
        self._count_kernel_drops = count_kernel_drops
        self._setting = setting or f"LOGOPS_{input.upper()}_PORT"
        self._bind_setting = bind_setting
        self._warnings = ThrottledWarnings(log, time.monotonic, input=input)
        self._access = Access() if access is None else access
        self._paused = False
        self._kept = False
        self._reader: DatagramReader | None = None
        self._turns: Turns | None = None
        self._drops_seen = 0
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Bind and begin to read.

        Raises:
            ListenError: the address cannot be had; the text names the mend.
        """
        if self._sock is None:
            self._sock = await self._bind()
        sock = self._sock
        sock.setblocking(False)
        size = UDP_MAX
        if sock.family == socket.AF_UNIX:
            # One byte more tells a longer message from one that just fits.
            size = max(UDP_MAX, self._max_message + 1)
        self._reader = make_reader(sock, size)
        scheme = "unixgram" if sock.family == socket.AF_UNIX else self.input
        self.addresses = [sockets.address_of(scheme, sock)]
        self._ask_for_room(sock)
        # The queue of a Unix socket is counted in datagrams, often no more than ten of them.
        room = 0 if sock.family == socket.AF_UNIX else sockets.receive_buffer(sock)
        self._turns = Turns(sock.fileno(), self._read, room)
        self._turns.start()
        self._watch_drops()

    def pause(self) -> None:
        """Go on reading, into nothing: a sender of datagrams cannot be told, only counted."""
        self._paused = True

    def resume(self) -> None:
        """Hand down again what comes."""
        self._paused = False

    def keep(self, store: Callable[[str, socket.socket], object]) -> None:
        """Have the socket, once started, kept by somebody who outlives the daemon.

        What comes after the end then waits in the kernel, and the path of a Unix socket stays.
        """
        if self._sock is not None:
            store(self.input, self._sock)
            self._kept = True

    def kernel_drops(self) -> int:
        """How many datagrams the kernel dropped for want of room since the socket was opened."""
        return 0 if self._sock is None else sockets.kernel_drops(self._sock)

    def poll(self) -> None:
        """Bring the count of the kernel's drops up to date; is also done each second."""
        if self._sock is None or self._count_kernel_drops is None:
            return
        now = self.kernel_drops()
        if count := (now - self._drops_seen) & 0xFFFFFFFF:
            self._drops_seen = now
            self._count_kernel_drops(count)

    def stop_accepting(self) -> None:
        """Read out what the kernel has queued, hand it down, and close the socket."""
        sock = self._sock
        if sock is None:
            return
        if self._turns is not None:
            self._turns.stop()
        if self._timer is not None:
            self._timer.cancel()
        for _ in range(LAST_WAKE_UPS):
            if self._read() < DATAGRAMS_A_WAKE_UP:
                break
        self.poll()
        self._sock = self._reader = None
        sock.close()
        if self._path is not None and not self._kept:
            sockets.unlink(self._path)

    async def close(self) -> None:
        """Do the same as `stop_accepting`, if that was not done: there are no peers to close."""
        self.stop_accepting()

    async def _bind(self) -> socket.socket:
        kind = socket.SOCK_DGRAM
        if self._path is not None:
            return sockets.bind_path(kind, self._path, setting=self._setting)
        return await sockets.bind(
            kind,
            self._host,
            self._port,
            setting=self._setting,
            bind_setting=self._bind_setting,
        )

    def _ask_for_room(self, sock: socket.socket) -> None:
        asked = self._receive_buffer
        granted = sockets.set_receive_buffer(sock, asked)
        if granted >= asked:
            self._log.info("receive buffer", input=self.input, asked=asked, granted=granted)
        else:
            hint = f"raise it with: sysctl -w net.core.rmem_max={asked}"
            self._log.warning(
                "receive buffer", input=self.input, asked=asked, granted=granted, hint=hint
            )

    def _watch_drops(self) -> None:
        self.poll()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(DROPS_INTERVAL, self._watch_drops)

    def _read(self) -> int:
        """Take what the kernel holds, up to the bound of a wake-up; how many there were."""
        assert self._reader is not None
        frames, peers, error = self._reader.read(DATAGRAMS_A_WAKE_UP)
        if error not in (0, errno.EAGAIN):  # such as ENOMEM; what was read so far is good
            self._warnings.warn("cannot receive", error=os.strerror(error))
        if frames:
            self._hand_down(frames, peers)
        return len(frames)

    def _hand_down(self, frames: list[bytes], peers: list[str]) -> None:
        if self._paused:
            self._metrics.received += len(frames)
            self._metrics.drop("backpressure", len(frames))
            return
        if self._access.restricted:
            frames, peers = self._of_allowed(frames, peers)
        if not all(frames):
            frames, peers = self._without_empty(frames, peers)
        if frames:
            self._take_frames(self._cut(frames), peers)

    def _of_allowed(self, frames: list[bytes], peers: list[str]) -> tuple[list[bytes], list[str]]:
        allowed = [self._access.allows(peer) for peer in peers]
        if refused := allowed.count(False):
            self._metrics.received += refused
            self._metrics.drop("refused", refused)
            self._warnings.warn(
                "datagrams refused",
                peer=peers[allowed.index(False)],
                hint="add it to LOGOPS_ALLOW_FROM if it may send",
            )
        return list(compress(frames, allowed)), list(compress(peers, allowed))

    def _without_empty(
        self, frames: list[bytes], peers: list[str]
    ) -> tuple[list[bytes], list[str]]:
        peers = [peer for frame, peer in zip(frames, peers, strict=True) if frame]
        empty = len(frames) - len(peers)
        self._metrics.received += empty
        self._metrics.drop("empty", empty)
        return [frame for frame in frames if frame], peers

    def _cut(self, frames: list[bytes]) -> Frames:
        """Cut what is too long; of a Unix datagram it is known only that it was longer."""
        limit = self._max_message
        if len(max(frames, key=len)) <= limit:
            return Frames(frames)
        cut = {i: len(frame) for i, frame in enumerate(frames) if len(frame) > limit}
        return Frames([frame[:limit] for frame in frames], cut)
