"""Bytes of a connection into requests: the parser, and what it must not let through.

llhttp refuses by itself what would let two readers of one stream see different requests: both
Content-Length and Transfer-Encoding, a length that is no number, a bad chunk size, a folded
header, a bare LF (RFC 9112 section 11.2). What it lets through and we do not is checked here.
"""

from enum import Enum, auto
from typing import Final, Protocol

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpRequestParser

from logopsd.listeners.http.messages import Request, Response, error_response

HEADER_OVERHEAD_BYTES = 4
"""Colon, blank and line end of one header field, so that many empty ones count too."""

MAX_KNOWN_HEADS = 256
"""Heads kept to be known again: of each sender one for each length its bodies have."""

MAX_KNOWN_HEAD_BYTES = 1024
"""Of such a head. Those of agents have 100 to 400; all that are kept are at most a few MiB."""

UNREPEATABLE: Final = frozenset((b"expect", b"upgrade"))
"""What no head has that is known again: the body waits for an answer, or the parser for us."""

_HEAD_END: Final = b"\r\n\r\n"

TLS_HANDSHAKE = b"\x16\x03"
"""How a TLS ClientHello begins (RFC 8446 section 5.1)."""


class Stage(Enum):
    """Where in the stream of requests a connection is."""

    BETWEEN = auto()
    HEAD = auto()
    BODY = auto()
    OVER = auto()


class RequestEvents(Protocol):
    """Hears what the reader found. What it raises is a bug and ends the connection."""

    def request_begins(self, request: Request) -> None:
        """A head is complete and sound."""

    def request_arrives(self, request: Request) -> None:
        """A request is complete, with its body: its head was known."""

    def body_arrives(self, data: bytes) -> None:
        """The next piece of the body, as sent."""

    def request_ends(self) -> None:
        """The body is complete."""

    def malformed(self, response: Response) -> None:
        """What came is no request, or one that must not be read; nothing can follow it."""


class _Stopped(Exception):  # noqa: N818  it is how the parser is told to stop, not a fault
    """Thrown through the parser, which knows no other way to stop."""


class KnownHeads(dict[bytes, Request]):
    """Heads that were read, as sent -> what was read: a sender sends the same one again and again.

    They are those that leave no question open: a sound request over HTTP/1.1 that is served and
    not the last of its connection, with a body of the length it tells, or with none.
    """

    def remember(self, head: bytes, request: Request) -> None:
        """Keep a head; where there are too many, begin anew."""
        if request.route is None or not request.keep_alive or request.http_1_0 or request.chunked:
            return
        if len(head) > MAX_KNOWN_HEAD_BYTES or not UNREPEATABLE.isdisjoint(request.headers):
            return
        if len(self) >= MAX_KNOWN_HEADS:
            self.clear()
        self[head] = request.again(None, b"")


class RequestReader:
    """Reads the requests of one connection, one behind the other.

    Args:
        events: is told what was found.
        peer: the sender's address, for the requests.
        max_head_bytes: how long a head may be.
        known: the heads that its listener knows.

    Attributes:
        stage: where in the stream we are; OVER once nothing more is read.
        begun: how many requests have begun.
    """

    def __init__(
        self,
        events: RequestEvents,
        *,
        peer: str | None,
        max_head_bytes: int,
        known: KnownHeads,
    ) -> None:
        self._events = events
        self._known = known
        self._peer = peer
        self._max_head_bytes = max_head_bytes
        self._parser = HttpRequestParser(self)
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._request: Request | None = None  # the last one, as long as it has no body
        self._upgrade = False
        self._moved = False
        self._head_bytes = 0
        self._barren_bytes = 0  # read since the last piece of a request came to its end
        self.stage = Stage.BETWEEN
        self.begun = 0

    def receive_data(self, data: bytes) -> None:
        """Read what has arrived, and tell what was found in it."""
        self._moved = False
        start = self._take_known(data) if self.stage is Stage.BETWEEN else 0
        if self._moved and start == len(data):
            self._barren_bytes = 0
            return
        rest = memoryview(data)[start:]
        while rest and self.stage is not Stage.OVER:
            rest = self._feed(rest)
        if self._moved:
            self._barren_bytes = 0
        elif self.stage is not Stage.OVER:
            self._barren_bytes += len(data)
            if self._barren_bytes > self._max_head_bytes:
                self._refuse_barren()

    def stop(self) -> None:
        """Read nothing more."""
        self.stage = Stage.OVER

    def _take_known(self, data: bytes) -> int:
        """Take the requests that came whole, with a head that is known; return their length.

        The parser, which stands between two requests, sees nothing of them.
        """
        start, size = 0, len(data)
        while start < size and self.stage is Stage.BETWEEN:
            head_end = data.find(_HEAD_END, start)
            if head_end < 0:
                break
            body = head_end + len(_HEAD_END)
            head = data[start:body]
            known = self._known.get(head)
            if known is None:
                return self._learn(head, start)
            end = body + (known.content_length or 0)
            if end > size:
                break
            self._moved = True
            self.begun += 1
            self._events.request_arrives(known.again(self._peer, data[body:end]))
            start = end
        return start

    def _learn(self, head: bytes, start: int) -> int:
        """Have the parser read a head alone, and remember what it read; return where it ends."""
        begun, parser = self.begun, self._parser
        rest = self._feed(memoryview(head))
        request = self._request
        # Once and no more, to its end and no farther: a body, or a second one, would show.
        if request is not None and not rest and self.begun == begun + 1 and self._parser is parser:
            self._known.remember(head, request)
        return start + len(head) - len(rest)

    def _feed(self, data: memoryview) -> memoryview:
        """Hand bytes to the parser; return those it must be handed again."""
        try:
            self._parser.feed_data(data)
            return data[:0]
        except HttpParserUpgrade as upgrade:
            offset: int = upgrade.args[0]
        except HttpParserCallbackError as error:
            if not isinstance(error.__context__, _Stopped):
                raise error.__context__ or error from None
            return data[:0]
        except HttpParserError as error:
            # The reasons of llhttp are fixed texts, and never hold what was sent.
            detail = f"this is not valid HTTP/1.1: {error}"
            if self.begun <= 1 and data[: len(TLS_HANDSHAKE)] == TLS_HANDSHAKE:
                detail = "this is a TLS handshake, and the port speaks plain HTTP"
            self._refuse(400, detail)
            return data[:0]
        # Not while the exception is handled: it would become the context of the next one.
        self._go_on_without_upgrade()
        return data[offset:]

    def _refuse_barren(self) -> None:
        """Refuse what brings no request and no body on: a head, trailers, the line of a chunk.

        The parser keeps an unfinished header field, so it must not grow without end. The read
        that brought the begin of the head does not count, as much may have stood before it.
        """
        if self.stage is Stage.BODY:
            self._refuse(400, "the trailers or chunk extensions of the body are too long")
        else:
            self._refuse_long_head()

    def _refuse_long_head(self) -> None:
        self._refuse(431, f"the head of the request is longer than {self._max_head_bytes} bytes")

    def _refuse(self, status: int, detail: str) -> None:
        self.stage = Stage.OVER
        self._events.malformed(error_response(status, detail, close=True))

    def _go_on_without_upgrade(self) -> None:
        """Read the same request again as if it had not asked for another protocol.

        RFC 9110 section 7.8: a server may ignore Upgrade, and Java's client sends `h2c` with
        every first request. The parser however stops in front of the body.
        """
        parser = self._parser
        version = parser.get_http_version().encode()
        head = [b"%b %b HTTP/%b\r\n" % (parser.get_method(), self._target, version)]
        head += [b"%b: %b\r\n" % field for field in self._headers.items() if field[0] != b"upgrade"]
        self._upgrade = False
        self.begun -= 1
        self._parser = HttpRequestParser(self)
        self._feed(memoryview(b"".join(head) + b"\r\n"))

    # What httptools calls.

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.stage = Stage.HEAD
        self.begun += 1
        self._moved = True
        self._request = None
        self._target = b""
        self._headers = {}
        self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        self._target += url
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header field; those behind the body are of no use to us."""
        if self.stage is not Stage.HEAD:
            return
        self._count_head(len(name) + len(value) + HEADER_OVERHEAD_BYTES)
        name = name.lower()
        headers = self._headers
        # RFC 9110 section 5.3: fields of one name are one list.
        headers[name] = b"%b, %b" % (headers[name], value) if name in headers else value

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self._max_head_bytes:
            self._refuse_long_head()
            raise _Stopped

    def on_headers_complete(self) -> None:
        """Check the head, and tell of it."""
        self._moved = True
        parser = self._parser
        method = parser.get_method()
        if parser.should_upgrade() and method != b"CONNECT":
            self._upgrade = True
            return
        self.stage = Stage.BODY
        headers = self._headers
        http_1_0 = False
        keep_alive = parser.should_keep_alive()
        # llhttp takes the second for the first; where neither stands, it can only be HTTP/1.1.
        if not keep_alive or b"connection" in headers or b"proxy-connection" in headers:
            version = parser.get_http_version()
            http_1_0 = version == "1.0"
            if version not in ("1.0", "1.1"):
                self._refuse(505, "this server speaks HTTP/1.1 and HTTP/1.0")
        request = Request(
            method.decode(),
            self._target,
            headers,
            http_1_0=http_1_0,
            keep_alive=keep_alive,
            peer=self._peer,
        )
        if self._is_sound(request):
            self._request = request
            self._events.request_begins(request)
        if self.stage is Stage.OVER:
            raise _Stopped

    def _is_sound(self, request: Request) -> bool:
        """Refuse a head that two servers could read in two ways."""
        headers = request.headers
        if self.stage is Stage.OVER:
            pass
        elif request.method == "CONNECT":
            self._refuse(501, "CONNECT is not served here")
        elif request.chunked and request.http_1_0:
            self._refuse(400, "HTTP/1.0 knows no Transfer-Encoding")
        elif request.chunked and headers[b"transfer-encoding"].strip().lower() != b"chunked":
            self._refuse(501, "the only Transfer-Encoding served is chunked")
        elif not request.http_1_0 and headers.get(b"host", b",").find(b",") >= 0:
            self._refuse(400, "an HTTP/1.1 request needs exactly one Host header")
        return self.stage is not Stage.OVER

    def on_body(self, data: bytes) -> None:
        """Hand on a piece of the body."""
        self._moved = True
        self._request = None
        self._events.body_arrives(data)
        if self.stage is Stage.OVER:
            raise _Stopped

    def on_message_complete(self) -> None:
        """Tell that the request is complete."""
        if self._upgrade:
            return
        self._moved = True
        self.stage = Stage.BETWEEN
        self._events.request_ends()
        if self.stage is Stage.OVER:
            raise _Stopped
