"""When a socket of datagrams is read: at once while few come, in turns while they flow.

To wake up, to go down the layers with a batch and to come back with its receipt costs some 300 us,
whatever is in it. Where every few datagrams wake the loop, that is most of what they cost.
"""

import asyncio
from collections.abc import Callable

TURN = 0.005
"""From one read of a flow to the next, seconds. At 40,000 datagrams/s each costs 10 us, beside 15
where each few wake the loop, and at 20,000/s 14 beside 24; nobody sees 5 ms in a file."""

ENOUGH = 256
"""Datagrams that are worth a batch: while each read brings so many, the next one follows at once,
so that no turn is a rest while more come than can be had."""

ROOM = 4 << 20
"""Bytes of the receive buffer below which nothing waits in it. It holds twice as many, and a small
datagram takes up to 1,300: at 200,000/s a TURN brings a sixth of them. With 1 MiB datagrams of
8 KiB overflowed it at 40,000/s, with 4 MiB none was lost."""


class Turns:
    """Reads a socket when there is something, or in turns.

    Datagrams flow from two reads within a TURN on, until a read brings one datagram or none: a
    lone datagram is read at once.

    Args:
        fd: of the socket.
        read: reads what there is, up to a bound; returns how many datagrams there were.
        room: bytes of the socket's receive buffer; with less than ROOM there are no turns.
    """

    def __init__(self, fd: int, read: Callable[[], int], room: int) -> None:
        self._fd = fd
        self._read = read
        self._room = room
        self._loop = asyncio.get_running_loop()
        self._last = -TURN
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    def start(self) -> None:
        """Begin to read."""
        wake_up = self._wake_up if self._room >= ROOM else self._read
        self._loop.add_reader(self._fd, wake_up)

    def stop(self) -> None:
        """Read no more; what the kernel holds stays there."""
        self._stopped = True
        self._loop.remove_reader(self._fd)
        if self._timer is not None:
            self._timer.cancel()

    def _wake_up(self) -> None:
        begin = self._loop.time()
        flows = begin - self._last < TURN
        self._last = begin
        self._read()
        if flows and not self._stopped:
            self._loop.remove_reader(self._fd)
            self._timer = self._loop.call_at(begin + TURN, self._turn)

    def _turn(self) -> None:
        begin = self._loop.time()
        count = 0
        try:
            count = self._read()
        finally:  # a read that fails costs what it read, and not the input
            if not self._stopped:
                self._go_on(begin, count)

    def _go_on(self, begin: float, count: int) -> None:
        if count <= 1:
            self._last = begin
            self._loop.add_reader(self._fd, self._wake_up)
        else:
            rest = TURN if count < ENOUGH else 0
            self._timer = self._loop.call_at(begin + rest, self._turn)
