"""What a route sees of HTTP: Request, Response, and the kinds of Route.

A route never sees a socket. It is handed a request and a `respond`, which it calls exactly once,
at once or later: when the sink says that the records are stored.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import msgspec

from logopsd.listeners.http.inflate import CODINGS

if TYPE_CHECKING:
    from logopsd.listeners.http.feed import Feed

JSON = "application/json"

NO_CONTENT = 204

NO_CONNECTION_HEADER = b""
CONNECTION_CLOSE = b"Connection: close\r\n"
CONNECTION_KEEP_ALIVE = b"Connection: keep-alive\r\n"


class Request(msgspec.Struct, eq=False):
    """The head of a request, and its body once that is complete.

    Attributes:
        method: as sent, `POST`.
        target: as sent, `/v1/logs?x=1`.
        headers: names in lower case; a name that was repeated has its values joined by `, `.
        http_1_0: whether the client speaks HTTP/1.0.
        keep_alive: whether the client wants to go on after the answer.
        peer: the sender's address.
        body: complete and decompressed while the handler runs, and empty behind it; empty where
            a StreamRoute takes it.
        path: the target without its query.
        content_length: of the body, in bytes as sent; None where there is none or it is chunked.
        chunked: whether the body comes in chunks.
        route: who serves it, once that is known; nothing in the head stands against it then, but
            for what the route's own check says.
    """

    method: str
    target: bytes
    headers: Mapping[bytes, bytes]
    http_1_0: bool = False
    keep_alive: bool = True
    peer: str | None = None
    body: bytes = b""
    path: bytes = b""
    content_length: int | None = None
    chunked: bool = False
    route: "Route | StreamRoute | None" = None

    def __post_init__(self) -> None:
        """Read from the head what all ask for."""
        self.path = self.target
        length = self.headers.get(b"content-length")
        self.content_length = None if length is None else int(length)
        self.chunked = b"transfer-encoding" in self.headers

    def again(self, peer: str | None, body: bytes) -> "Request":
        """Return the same request with another body, from a client whose head is the same."""
        request: Request = self.__copy__()  # type: ignore[attr-defined]  # a third of copy's cost
        request.peer = peer
        request.body = body
        return request

    def header(self, name: bytes) -> str:
        """Return the value of a header by its name in lower case; empty where it is missing."""
        return self.headers.get(name, b"").decode("latin-1")


class Response(msgspec.Struct, frozen=True):
    """An answer.

    Attributes:
        status: the code.
        body: of `content_type`.
        content_type: where there is a body.
        headers: what else to send, names and values; ASCII without line ends, from us.
        close: whether the connection must end with it.
        feed: writes the body, which then ends with the connection; see feed.feed_response.
    """

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    close: bool = False
    feed: "Feed | None" = None

    def encode(self, connection: bytes = NO_CONNECTION_HEADER, *, head_only: bool = False) -> bytes:
        """Return the bytes of the answer.

        Args:
            connection: a Connection header line, or nothing.
            head_only: leave the body away but tell its length, as HEAD asks for.
        """
        body, status = self.body, self.status
        # What has no body has no length (RFC 9110 section 8.6), and what goes on has none yet.
        if status == NO_CONTENT or self.feed is not None:
            return _head(status, self.content_type, self.headers, connection, None)
        head = _head(status, self.content_type, self.headers, connection, len(body))
        return head if head_only else head + body


def phrase_of(status: int) -> str:
    """Return the words beside a status code, RFC 9110 section 15; Python's differ by version."""
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return "Content Too Large"
    return HTTPStatus(status).phrase


@lru_cache(maxsize=256)  # answers are mostly of the same few lengths
def _head(
    status: int,
    content_type: str,
    headers: tuple[tuple[str, str], ...],
    connection: bytes,
    length: int | None,
) -> bytes:
    lines = [f"HTTP/1.1 {status} {phrase_of(status)}"]
    if status != NO_CONTENT:
        lines.append(f"Content-Type: {content_type}")
    lines.extend(f"{name}: {value}" for name, value in headers)
    head = "".join(line + "\r\n" for line in lines).encode("latin-1") + connection
    return head + (b"\r\n" if length is None else b"Content-Length: %d\r\n\r\n" % length)


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
"""Goes before the answer where the client waits to be told to send the body, RFC 9110 10.1.1."""


def json_response(
    status: int, content: object, *, headers: tuple[tuple[str, str], ...] = ()
) -> Response:
    """Answer with an object as JSON."""
    return Response(status, msgspec.json.encode(content), headers=headers)


def error_response(
    status: int,
    detail: str,
    *,
    headers: tuple[tuple[str, str], ...] = (),
    close: bool = False,
) -> Response:
    """Answer with what is wrong, and where or what to do about it.

    Args:
        status: 4xx or 5xx.
        detail: one sentence; never quotes the request.
        headers: what else to send.
        close: whether the connection must end with it.
    """
    body = msgspec.json.encode({"error": phrase_of(status), "detail": detail})
    return Response(status, body, headers=headers, close=close)


Respond = Callable[[Response], None]
"""Called exactly once for each request, in the event loop."""

Check = Callable[[Request], Response | None]
"""Looks at the head, and at whatever else it likes, before the body is read: gives the refusal;
None to go on. It is asked for each request, as who sends it and what is full may change."""


class BodyConsumer(Protocol):
    """Takes the body of a request piece by piece; `respond` may be called at any of them."""

    @property
    def held_bytes(self) -> int:
        """How much of the body it holds in memory, as it cannot be handed on yet."""

    def data(self, data: bytes) -> None:
        """Take the next piece, decompressed."""

    def end(self) -> None:
        """The body is complete."""

    def abort(self) -> None:
        """The body will never be complete: the client is gone, or was refused."""


class Route(msgspec.Struct, frozen=True):
    """A route that wants the body whole, at most as long as the listener's limit.

    Attributes:
        handler: is handed the request with its body.
        check: refuses before the body is read; asked for each request.
        codings: the content codings the body may have.
    """

    handler: Callable[[Request, Respond], None]
    check: Check | None = None
    codings: tuple[str, ...] = CODINGS


class StreamRoute(msgspec.Struct, frozen=True):
    """A route that takes the body as it comes; it is read only as fast as the sink takes it.

    Attributes:
        begin: is handed the request's head, and gives who takes the body.
        check: refuses before the body is read; asked for each request.
        max_body_bytes: how much may come, before and after decompression; None for no limit.
        patient: whether the body may pause for as long as it likes, as a journal that is
            followed does; and it is kept waiting, not refused, while the sink is full.
        codings: the content codings the body may have.
    """

    begin: Callable[[Request, Respond], BodyConsumer]
    check: Check | None = None
    max_body_bytes: int | None = None
    patient: bool = False
    codings: tuple[str, ...] = CODINGS


class Choice(msgspec.Struct, frozen=True):
    """A place where the head of the request says which route serves it.

    Attributes:
        choose: is handed the request's head, and gives the route.
    """

    choose: Callable[[Request], Route | StreamRoute]


AnyRoute = Route | StreamRoute | Choice

Routes = Mapping[tuple[str, str], AnyRoute]
"""(method, path) -> route. HEAD is answered by the route of GET."""
