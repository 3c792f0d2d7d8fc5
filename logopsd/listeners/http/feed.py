"""Answers that go on: a route writes to the client for as long as both of them like.

Such an answer has no length; its end is that of its connection (RFC 9112 section 6.3, the last of
the rules), which HTTP/1.0 understands as well. It is written only as fast as the client takes it:
who writes looks at `is_ready` first, and leaves out what a slow client would have missed anyway.
"""

import asyncio
from typing import Protocol

from logopsd.listeners.http.messages import Response


class Feed(Protocol):
    """Writes an answer that goes on."""

    def begin(self, outlet: "Outlet") -> None:
        """The head has been written; from now on the client can be written to."""

    def end(self, outlet: "Outlet") -> None:
        """Nothing more can be written: the client is gone, or the daemon is ending. Once."""


class Outlet:
    """The client's end of such an answer.

    Args:
        transport: of the connection.
        feed: writes to it.

    Attributes:
        is_ready: whether the client has taken most of what was written.
    """

    def __init__(self, transport: asyncio.WriteTransport, feed: Feed) -> None:
        self.is_ready = True
        self._transport = transport
        self._feed: Feed | None = feed

    def begin(self) -> None:
        """Have the feed begin."""
        assert self._feed is not None
        self._feed.begin(self)

    def write(self, data: bytes) -> None:
        """Send bytes; they are kept in memory until the client takes them."""
        if self._feed is not None:
            self._transport.write(data)

    def end(self) -> None:
        """End the answer and its connection, from either side; what was written still goes out."""
        feed, self._feed = self._feed, None
        if feed is not None:
            feed.end(self)
            self._transport.close()


def feed_response(
    feed: Feed, *, content_type: str, headers: tuple[tuple[str, str], ...] = ()
) -> Response:
    """Answer with what a feed writes; HEAD is answered with the same head, and begins nothing."""
    return Response(200, content_type=content_type, headers=headers, close=True, feed=feed)
