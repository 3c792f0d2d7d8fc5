"""How long a lone message takes from its last byte to its line in the file."""

import os
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.bench import payloads, senders, throughput
from tests.bench.rivals import RECORDS, Rival
from tests.bench.throughput import Values

MESSAGES_A_SECOND = 250  # of what a round is asked to take; it takes some three times as long
PAUSE_SECONDS = 0.01  # between one message in the file and the next
LOOK_SECONDS = 5e-5  # between two looks at a file that has not grown
SETTLE_SECONDS = 1.0  # after the flood that finds the rate, for the disk to be done with it
PATIENCE_SECONDS = 30.0
READ_BYTES = 1 << 20


class Tail:
    """Reads what comes new into the files of a folder, the newest of them only."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(max(folder.glob(RECORDS)), os.O_RDONLY)
        os.lseek(self._file, 0, os.SEEK_END)
        self._end = b""

    def finds(self, token: bytes) -> bool:
        """Read on, or rest where there is nothing; return whether the token came."""
        read = os.read(self._file, READ_BYTES)
        if not read:
            time.sleep(LOOK_SECONDS)
        data = self._end + read
        self._end = data[-len(token) :]
        return token in data

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class Load:
    """Sends lines at an even rate on a connection of its own, and never waits.

    Args:
        sock: connected, not blocking.
        payload: what is sent, again and again.
        rate: lines a second; 0 sends nothing.
    """

    def __init__(self, sock: socket.socket, payload: payloads.Payload, rate: float) -> None:
        self._sock = sock
        self._parts = payload.parts
        self._rate = rate / payload.records  # parts a second
        self._begin = time.monotonic()
        self._sent = 0
        self._rest = memoryview(b"")

    def send_due(self) -> None:
        """Send what is due, as far as the kernel takes it."""
        if not self._rest and self._sent < (time.monotonic() - self._begin) * self._rate:
            self._rest = memoryview(self._parts[self._sent % len(self._parts)])
            self._sent += 1
        if self._rest:
            try:
                self._rest = self._rest[self._sock.send(self._rest) :]
            except BlockingIOError:
                pass

    def finish(self) -> None:
        """Send the rest of a line that was begun."""
        self._sock.setblocking(True)
        self._sock.sendall(self._rest)


def idle(rival: Rival, seconds: float) -> Values:
    """Measure with nothing else under way."""
    _warm_up(rival)
    return measure(rival, 0.0, int(MESSAGES_A_SECOND * seconds))


def half_load(rival: Rival, seconds: float) -> Values:
    """Measure while another connection sends at half of the rate that is possible."""
    lines = payloads.rfc3164()
    rate = throughput.measure(
        rival, lambda to, time: senders.send_tcp(to.addresses["tcp"], lines, time), seconds
    )["rate"]
    time.sleep(SETTLE_SECONDS)
    return measure(rival, rate / 2, int(MESSAGES_A_SECOND * seconds))


def _warm_up(rival: Rival) -> None:
    with socket.create_connection(rival.addresses["tcp"]) as sock:
        sock.sendall(payloads.rfc3164().parts[0])
    throughput.wait_stored(rival, 1)


def measure(rival: Rival, rate: float, count: int) -> Values:
    """Send so many lone messages over TCP, each once the one before is in the file.

    The time runs from before the call that sends a message to when it is read in the file.

    Returns:
        `p50`, `p99` and `max` in milliseconds; `load`: lines a second beside them.
    """
    with ExitStack() as stack:
        probe, other = (
            stack.enter_context(socket.create_connection(rival.addresses["tcp"])) for _ in range(2)
        )
        other.setblocking(False)
        tail = Tail(rival.folder)
        stack.callback(tail.close)
        load = Load(other, payloads.rfc3164(), rate)
        took = sorted(_messages(probe, load, tail, count))
        load.finish()
    p99 = statistics.quantiles(took, n=100)[98]
    return {"p50": statistics.median(took), "p99": p99, "max": took[-1], "load": rate}


def _messages(probe: socket.socket, load: Load, tail: Tail, count: int) -> Iterator[float]:
    """Yield the milliseconds of each message."""
    for number in range(count):
        token = b"probe-%08d-" % number
        due = time.monotonic() + PAUSE_SECONDS
        while time.monotonic() < due:
            load.send_due()
            tail.finds(token)
        begin = time.monotonic()
        probe.send(b"<13>Nov 23 12:00:00 host1 app1[7]: sent as %s\n" % token)
        while not tail.finds(token):
            load.send_due()
            if time.monotonic() - begin > PATIENCE_SECONDS:
                raise RuntimeError(f"a lone message is not in the file after {PATIENCE_SECONDS} s")
        yield (time.monotonic() - begin) * 1e3
