"""What all connections of one HTTP listener share: its routes, limits and state."""

from collections.abc import Mapping

import msgspec
from structlog.typing import FilteringBoundLogger

from logopsd.listeners.http.messages import AnyRoute, Check, Request, Routes
from logopsd.listeners.http.requests import KnownHeads

KIB = 1024
MIB = 1024 * KIB


class Limits(msgspec.Struct, frozen=True):
    """What a client may ask of the daemon.

    Attributes:
        max_connections: open at once; each may cost a descriptor and the memory of a body.
        max_head_bytes: request line and header fields; nginx and Apache stand at 8 KiB and more.
        max_body_bytes: a body, as sent and decompressed.
        max_buffered_bytes: all bodies being collected, so that many slow ones cannot take all
            memory.
        max_discarded_bytes: how much of a refused body is read away to keep the connection.
        max_pipelined: requests waiting for their answers on one connection; above, reading rests.
        idle_seconds: between two requests; longer than the 60 s a proxy keeps its side open.
        head_seconds: from the first byte of a head to its last.
        stall_seconds: in which a body must bring min_progress_bytes, and answers be taken.
        min_progress_bytes: see stall_seconds.
        linger_seconds: how long is read, and thrown away, behind an answer that ends the
            connection, so that the client can read the answer first.
        close_seconds: how long requests under way may take when the listener closes; the daemon
            waits 4 s for all its listeners.
    """

    max_connections: int = 1024
    max_head_bytes: int = 16 * KIB
    max_body_bytes: int = 16 * MIB
    max_buffered_bytes: int = 256 * MIB
    max_discarded_bytes: int = 1 * MIB
    max_pipelined: int = 64
    idle_seconds: float = 75.0
    head_seconds: float = 10.0
    stall_seconds: float = 30.0
    min_progress_bytes: int = 1 * KIB
    linger_seconds: float = 5.0
    close_seconds: float = 3.5


Methods = Mapping[str, AnyRoute]


class Service(msgspec.Struct):
    """What all connections of one listener share.

    Attributes:
        routes: path -> method -> route.
        limits: what a client may ask for.
        log: never given a byte of a request.
        responses: code -> how many; the closed set of codes.
        authorize: refuses who may not send; asked for every POST. None where all may.
        paused: the sink is full; what it would have to store is answered 503.
        draining: no further request is wanted; each answer that can ends its connection.
        buffered_bytes: in bodies being collected.
        known: the heads of requests that are known.
    """

    routes: Mapping[bytes, Methods]
    limits: Limits
    log: FilteringBoundLogger
    responses: dict[int, int]
    authorize: Check | None = None
    paused: bool = False
    draining: bool = False
    buffered_bytes: int = 0
    known: KnownHeads = msgspec.field(default_factory=KnownHeads)

    def replace_routes(self, routes: Routes) -> None:
        """Serve other routes from the next request on."""
        self.routes = by_path(routes)
        self.known.clear()  # whom they were for

    def methods_at(self, request: Request) -> Methods | None:
        """Return what is served at the path of a request, and set that path; None for nothing."""
        methods = self.routes.get(request.target)
        if methods is None:
            request.path = path_of(request.target)
            methods = self.routes.get(request.path)
        return methods


def by_path(routes: Routes) -> dict[bytes, Methods]:
    """Arrange routes for the look-up: by path, then by method, with HEAD beside GET."""
    table: dict[bytes, dict[str, AnyRoute]] = {}
    for (method, path), route in routes.items():
        methods = table.setdefault(path.encode("ascii"), {})
        methods[method] = route
        if method == "GET":
            methods.setdefault("HEAD", route)
    return dict(table.items())


def path_of(target: bytes) -> bytes:
    """Return the path of a request target, without the query.

    The server is left away where the target is a whole URL, as a proxy sends it (RFC 9112
    section 3.2.2).
    """
    path = target.partition(b"?")[0]
    if b"://" in path and not path.startswith(b"/"):
        _, slash, path = path.partition(b"://")[2].partition(b"/")
        path = slash + path
    return path
