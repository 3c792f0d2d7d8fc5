"""Senders that cost little beside what they measure: prebuilt bytes, plain sockets."""

import itertools
import select
import socket
import time
from collections.abc import Sequence

from tests.bench.payloads import Payload

Address = tuple[str, int]

TICK_SECONDS = 0.001  # a burst of datagrams each millisecond, as a paced relay would send
UDP_SEGMENT = 103  # linux/udp.h; Python has no name for it
DATAGRAMS_A_SEND = 25  # a burst of 5 KB; more are hardly cheaper, and would be less even
RETRY_SECONDS = 0.05  # after a 503: shorter than its Retry-After, as a benchmark is in a hurry


def send_tcp(address: Address, payload: Payload, seconds: float) -> int:
    """Send for some time on one connection, as fast as it is read; return the records sent."""
    sent, end = 0, time.monotonic() + seconds
    with socket.create_connection(address) as sock:
        for part in itertools.cycle(payload.parts):
            sock.sendall(part)
            sent += payload.records
            if time.monotonic() > end:
                return sent
    return sent


class DatagramSender:
    """Sends datagrams of one size at an even rate, far faster than anyone takes them.

    The kernel cuts each send into its datagrams (UDP_SEGMENT of udp(7), Linux 4.18): over a
    million a second from one core of Python, where a call for each makes a quarter of that.

    Args:
        address: to send to.
        datagrams: sent in turn; all of one length.
    """

    def __init__(self, address: Address, datagrams: Sequence[bytes]) -> None:
        (size,) = set(map(len, datagrams))
        starts = range(0, len(datagrams) - DATAGRAMS_A_SEND + 1, DATAGRAMS_A_SEND)
        self._sends = [b"".join(datagrams[at : at + DATAGRAMS_A_SEND]) for at in starts]
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
        self._sock.connect(address)

    def send(self, rate: float, seconds: float) -> int:
        """Send for some time at a rate a second; return how many were sent.

        Where the sender cannot keep up it sends fewer: divide what is returned by the seconds.
        """
        send, source = self._sock.send, itertools.cycle(self._sends)
        begin, sent = time.monotonic(), 0
        while (passed := time.monotonic() - begin) < seconds:
            due = int(passed * rate / DATAGRAMS_A_SEND) - sent
            # Late by more than a few ticks: a burst to catch up would measure the buffer alone.
            burst = min(due, max(1, int(4 * TICK_SECONDS * rate / DATAGRAMS_A_SEND)))
            for datagrams in itertools.islice(source, burst):
                send(datagrams)
            sent += burst
            if due <= burst:
                time.sleep(TICK_SECONDS)
        return sent * DATAGRAMS_A_SEND

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()


class HttpConnection:
    """One keep-alive connection with one request under way."""

    def __init__(self, address: Address) -> None:
        self.sock = socket.create_connection(address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answer = bytearray()

    def answered(self) -> int:
        """Read what is there; return the status once the answer is whole, else 0."""
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError("the daemon hung up")
        answer = self._answer
        answer += data
        end = answer.find(b"\r\n\r\n")
        if end < 0:
            return 0
        start = answer.lower().index(b"content-length:") + len(b"content-length:")
        if len(answer) < end + 4 + int(answer[start : answer.index(b"\r\n", start)]):
            return 0
        status = int(answer[9:12])
        answer.clear()
        return status


def send_http(
    address: Address, bodies: Sequence[bytes], records: int, connections: int, seconds: float
) -> int:
    """POST over keep-alive connections for some time; return the records answered with 200.

    Args:
        address: of the daemon.
        bodies: of application/json, sent in turn.
        records: in each body.
        connections: open at the same time, each with one request under way.
        seconds: after which no new request is sent.
    """
    requests = itertools.cycle(
        b"POST /v1/logs HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        for body in bodies
    )
    accepted, end, poll = 0, time.monotonic() + seconds, select.epoll()
    peers = {
        peer.sock.fileno(): peer for peer in (HttpConnection(address) for _ in range(connections))
    }
    try:
        for fileno, peer in peers.items():
            poll.register(fileno, select.EPOLLIN)
            peer.sock.sendall(next(requests))
        busy = set(peers)
        while busy:
            for fileno, _ in poll.poll():
                status = peers[fileno].answered()
                if not status:
                    continue
                if status == 200:
                    accepted += records
                elif status == 503:
                    time.sleep(RETRY_SECONDS)
                else:
                    raise ConnectionError(f"the daemon answered {status}")
                if time.monotonic() > end:
                    busy.discard(fileno)
                else:
                    peers[fileno].sock.sendall(next(requests))
    finally:
        poll.close()
        for peer in peers.values():
            peer.sock.close()
    return accepted
