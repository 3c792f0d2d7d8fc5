"""A connection without a socket: what the tests of HTTP are written with."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import structlog

from logopsd.figures.metrics import HTTP_CODES
from logopsd.listeners.http.connection import HttpConnection
from logopsd.listeners.http.messages import Request, Respond, Response, Route, Routes
from logopsd.listeners.http.service import Limits, Service, by_path

PEER = "192.0.2.7"


class MemoryTransport(asyncio.Transport):
    """Keeps what is written, and remembers what was asked of it."""

    def __init__(self, *, can_write_eof: bool = True) -> None:
        super().__init__()
        self.written = bytearray()
        self.writes = 0
        self.reading = True
        self.closed = False
        self.aborted = False
        self.eof_written = False
        self._can_write_eof = can_write_eof

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Give the peer's address."""
        return (PEER, 40000) if name == "peername" else default

    def write(self, data: Any) -> None:
        """Keep it."""
        assert not self.closed
        self.written += data
        self.writes += 1

    def can_write_eof(self) -> bool:
        """Tell whether half closing works; over TLS it does not."""
        return self._can_write_eof

    def write_eof(self) -> None:
        """Remember it."""
        self.eof_written = True

    def close(self) -> None:
        """Remember it."""
        self.closed = True

    def abort(self) -> None:
        """Remember it."""
        self.closed = self.aborted = True

    def is_closing(self) -> bool:
        """Tell whether it was closed."""
        return self.closed

    def pause_reading(self) -> None:
        """Remember it."""
        self.reading = False

    def resume_reading(self) -> None:
        """Remember it."""
        self.reading = True


class Recorder:
    """A log that remembers its events."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.logger = structlog.wrap_logger(None, processors=[self._keep])

    def _keep(self, _: Any, level: str, event: dict[str, Any]) -> str:
        self.events.append({"level": level, **event})
        raise structlog.DropEvent


def echo(request: Request, respond: Respond) -> None:
    """Answer with what was asked: method, path and body."""
    text = f"{request.method} {request.path.decode()} ".encode()
    respond(Response(200, text + request.body, content_type="text/plain"))


class Later:
    """A route that is answered when the test says so."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.bodies: list[bytes] = []
        self.responds: list[Respond] = []

    def __call__(self, request: Request, respond: Respond) -> None:
        """Keep the request."""
        self.requests.append(request)
        self.bodies.append(request.body)
        self.responds.append(respond)

    def answer(self, number: int) -> None:
        """Answer one of the requests with its body."""
        self.responds[number](Response(200, self.bodies[number]))


class Client:
    """The client's end of one connection to a service.

    Attributes:
        now: the time on the clock of the connection, seconds; the test sets it.
    """

    def __init__(
        self,
        routes: Routes | None = None,
        *,
        limits: Limits | None = None,
        has_room: bool = True,
        can_write_eof: bool = True,
    ) -> None:
        self.log = Recorder()
        self.now = 0.0
        self.is_gone = False
        self.service = Service(
            routes=by_path({("POST", "/echo"): Route(echo), ("GET", "/echo"): Route(echo)})
            if routes is None
            else by_path(routes),
            limits=Limits() if limits is None else limits,
            log=self.log.logger,
            responses=dict.fromkeys(HTTP_CODES, 0),
        )
        self.transport = MemoryTransport(can_write_eof=can_write_eof)
        self.connection = HttpConnection(
            self.service,
            on_open=lambda _: has_room,
            on_close=self._closed,
        )
        self.connection.connection_made(self.transport)

    def _closed(self, _: HttpConnection) -> None:
        self.is_gone = True

    def send(self, *pieces: bytes) -> "Client":
        """Send pieces as the socket would bring them, while the connection reads."""
        for piece in pieces:
            if not self.transport.closed:
                self.connection.data_received(piece)
        return self

    def end(self) -> "Client":
        """Close the sending direction."""
        if not self.connection.eof_received():
            self.transport.close()
        return self

    def wait(self, seconds: float) -> "Client":
        """Let time pass; the listener looks at it now and once a second."""
        self._look()
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + 1)
            self._look()
        return self

    def _look(self) -> None:
        if not self.transport.closed:
            self.connection.look_at_time(self.now)

    @property
    def received(self) -> bytes:
        """All bytes that came back."""
        return bytes(self.transport.written)

    @property
    def answers(self) -> list[tuple[int, dict[str, str], bytes]]:
        """Status, headers and body of each answer."""
        return list(parse_answers(self.received))

    @property
    def statuses(self) -> list[int]:
        """The status of each answer."""
        return [status for status, _, _ in self.answers]

    @property
    def is_ended(self) -> bool:
        """Whether the server has ended the connection in its direction."""
        return self.transport.closed or self.transport.eof_written


def parse_answers(data: bytes) -> Iterable[tuple[int, dict[str, str], bytes]]:
    """Read answers one behind the other, strictly as we write them; not those to HEAD."""
    while data:
        head, separator, data = data.partition(b"\r\n\r\n")
        assert separator
        status_line, *lines = head.decode("ascii").split("\r\n")
        version, status, _ = status_line.split(" ", 2)
        assert version == "HTTP/1.1"
        headers = dict(line.split(": ", 1) for line in lines)
        length = int(headers.get("Content-Length", "0"))
        assert len(data) >= length
        yield int(status), headers, data[:length]
        data = data[length:]


def post(body: bytes, *headers: str, path: str = "/echo", version: str = "1.1") -> bytes:
    """Write a request with a body and its length."""
    return head("POST", path, f"Content-Length: {len(body)}", *headers, version=version) + body


def post_chunked(*chunks: bytes, headers: Iterable[str] = (), path: str = "/echo") -> bytes:
    """Write a request whose body comes in chunks."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head("POST", path, "Transfer-Encoding: chunked", *headers) + body + b"0\r\n\r\n"


def get(path: str = "/echo", *headers: str, version: str = "1.1") -> bytes:
    """Write a request without a body."""
    return head("GET", path, *headers, version=version)


def head(method: str, path: str, *headers: str, version: str = "1.1") -> bytes:
    """Write the head of a request."""
    lines = [f"{method} {path} HTTP/{version}", "Host: localhost", *headers]
    return "".join(line + "\r\n" for line in lines).encode("latin-1") + b"\r\n"


def in_loop(test: Callable[[], None]) -> None:
    """Run a test that needs a running event loop, and let what it scheduled run."""

    async def run() -> None:
        test()

    asyncio.run(run())
