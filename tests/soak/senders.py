"""Senders that number what they send, and know what the daemon has taken from them.

A session is a connection or a request from beginning to end. One that ended well was taken whole:
a stream is read to its end before the daemon closes it, RELP and HTTP say so. Datagrams are sent
without an answer; what became of them stands in the account.
"""

import contextlib
import gzip
import http.client
import json
import os
import random
import socket
import ssl
import threading
from abc import abstractmethod
from collections.abc import Callable

from tests.e2e.harness import Daemon
from tests.e2e.relp_client import RelpClient

PATIENCE_SECONDS = 60.0  # beyond any stall that is injected
SESSION_RECORDS = 400
PAUSE_SECONDS = 0.25  # between two sessions: some 1,500 records a second and sender at most
STAMP = b"2026-11-23T10:00:00.5Z"


def line(app: str, number: int) -> bytes:
    """Make an RFC 5424 message, between 80 and 380 bytes, with an address to mask."""
    filler = b"x" * (number % 300)
    return b"<134>1 %b host.example %b 7 - - n=%d from 192.0.2.7 %b" % (
        STAMP,
        app.encode(),
        number,
        filler,
    )


class Sender(threading.Thread):
    """Sends sessions until it is told to stop.

    Args:
        name: stands in `app` of its records.
        daemon: to be sent to.

    Attributes:
        sent: numbers below it were taken, or sent without an answer.
        failures: what went wrong, other than a refusal for the moment.
    """

    def __init__(self, name: str, daemon: Daemon) -> None:
        super().__init__(name=name, daemon=True)
        self.to = daemon
        self.sent = 0
        self.failures: list[str] = []
        self._ending = threading.Event()

    def run(self) -> None:
        """Send until told to stop; a failure ends it, and is told."""
        try:
            while not self._ending.wait(PAUSE_SECONDS):
                numbers = range(self.sent, self.sent + SESSION_RECORDS)
                if self.session(numbers):
                    self.sent = numbers.stop
        except Exception as error:
            self.failures.append(f"{type(error).__name__}: {error}")

    def stop(self) -> None:
        """End behind the session under way."""
        self._ending.set()

    @abstractmethod
    def session(self, numbers: range) -> bool:
        """Send these; whether they were taken. If not, the same are sent again."""


class Stream(Sender):
    """TCP, TLS or a Unix stream, framed by lines or by octet counts."""

    def __init__(
        self, name: str, daemon: Daemon, connect: Callable[[], socket.socket], *, counted: bool
    ) -> None:
        super().__init__(name, daemon)
        self._connect = connect
        self._counted = counted

    def session(self, numbers: range) -> bool:
        """Connect, send, and wait for the daemon to have read it all."""
        with self._connect() as sock:
            for start in range(numbers.start, numbers.stop, 50):
                part = [line(self.name, n) for n in range(start, start + 50)]
                if self._counted:
                    sock.sendall(b"".join(b"%d %b" % (len(each), each) for each in part))
                else:
                    sock.sendall(b"".join(each + b"\n" for each in part))
            if isinstance(sock, ssl.SSLSocket):
                sock.unwrap().close()
                return True
            sock.shutdown(socket.SHUT_WR)
            return sock.recv(1) == b""


class Datagrams(Sender):
    """UDP or a Unix datagram socket."""

    def __init__(self, name: str, daemon: Daemon, connect: Callable[[], socket.socket]) -> None:
        super().__init__(name, daemon)
        self._connect = connect

    def session(self, numbers: range) -> bool:
        """Send; nobody answers."""
        with self._connect() as sock:
            for number in numbers:
                sock.send(line(self.name, number))
        return True


class Relp(Sender):
    """RELP, a few hundred messages a session."""

    def session(self, numbers: range) -> bool:
        """Open, send, and close once all is answered."""
        with RelpClient(self.to.address("relp"), PATIENCE_SECONDS) as client:
            for number in numbers:
                client.send(line(self.name, number))
            client.close()
        return True


class Http(Sender):
    """Requests with a batch each, of one form.

    Args:
        path: where they go.
        content_type: of the body.
        encode: makes the body.
    """

    def __init__(
        self,
        name: str,
        daemon: Daemon,
        encode: Callable[[str, range], bytes],
        *,
        path: str = "/v1/logs",
        content_type: str = "application/json",
        packed: bool = False,
    ) -> None:
        super().__init__(name, daemon)
        self._encode = encode
        self._path = path
        self._headers = {"Content-Type": content_type}
        self._packed = packed
        if packed:
            self._headers["Content-Encoding"] = "gzip"

    def session(self, numbers: range) -> bool:
        """Ask, and send the same again where the answer is "not now"."""
        body = self._encode(self.name, numbers)
        if self._packed:
            body = gzip.compress(body, 1)
        connection = http.client.HTTPConnection(*self.to.address("http"), timeout=PATIENCE_SECONDS)
        with contextlib.closing(connection):
            connection.request("POST", self._path, body, self._headers)
            answer = connection.getresponse()
            text = answer.read()
        if answer.status == 503:
            return False
        if not 200 <= answer.status < 300:
            raise AssertionError(f"{self._path} answered {answer.status}: {text[:200]!r}")
        return True


def as_json(app: str, numbers: range) -> bytes:
    """Make a JSON list."""
    return json.dumps([_document(app, n) for n in numbers]).encode()


def as_ndjson(app: str, numbers: range) -> bytes:
    """Make a JSON object a line."""
    return b"".join(json.dumps(_document(app, n)).encode() + b"\n" for n in numbers)


def as_lines(app: str, numbers: range) -> bytes:
    """Make syslog lines."""
    return b"\n".join(line(app, n) for n in numbers)


def as_journal(app: str, numbers: range) -> bytes:
    """Make entries of the Journal Export Format, each with a cursor of its own."""
    return b"".join(
        b"__CURSOR=s=%b;i=%d\n__REALTIME_TIMESTAMP=1790000000000000\nPRIORITY=6\n"
        b"SYSLOG_IDENTIFIER=%b\nMESSAGE=n=%d journal\n\n" % (app.encode(), n, app.encode(), n)
        for n in numbers
    )


def _document(app: str, number: int) -> dict[str, object]:
    return {
        "level": "info",
        "app": app,
        "msg": f"n={number} from 192.0.2.7",
        "user_email": "jan@example.com",
        "order": {"id": number},
    }


class Rude(Sender):
    """Sends what is no log at all, and leaves without a word; nothing of it is numbered."""

    def __init__(self, name: str, daemon: Daemon, seed: int) -> None:
        super().__init__(name, daemon)
        self._rng = random.Random(seed)

    def session(self, numbers: range) -> bool:
        """One misdeed."""
        rng = self._rng
        target = rng.choice(["tcp", "http", "relp", "metrics"])
        data = rng.choice(
            [
                rng.randbytes(5000),
                b"999999999 <13>promised",
                b"x" * 300_000 + b"\n",
                b"POST /v1/logs HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 10_000,
                b"POST /v1/logs HTTP/1.1\r\nContent-Type: application/json\r\n"
                b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nxxxxx",
                b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 5,
                b"\x16\x03\x01\x02\x00\x01\x00",
                b"1 open 999999 " + b"x" * 5000,
                b"",
            ]
        )
        with contextlib.suppress(OSError), socket.create_connection(self.to.address(target)) as s:
            s.settimeout(1.0)
            if rng.random() < 0.5:  # leave by a reset
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            s.sendall(data)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for size in (0, 1, 65507):
                sock.sendto(os.urandom(size), self.to.address("udp"))
        return False
