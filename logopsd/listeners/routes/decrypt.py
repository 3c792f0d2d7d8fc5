"""POST /debug/decrypt at the side port: opens the tokens of stored lines, for local use.

It is off unless a token for it is set, and serves peers on the loopback alone. Each use is
logged, with how much was revealed and nothing of it. `logopsd decrypt` does the same for files.
"""

import hmac
import ipaddress
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from logopsd.listeners.http.messages import (
    Request,
    Respond,
    Response,
    Route,
    Routes,
    error_response,
)
from logopsd.privacy.reveal import reveal

MAX_BODY_BYTES = 64 * 1024
"""Opening a token takes 10 us and is done in the event loop: some 10 ms for as much as this."""

_SCHEME = "bearer "


def decrypt_routes(
    *, token: str, opener: Callable[[], Callable[[str], str]], log: FilteringBoundLogger
) -> Routes:
    """Return the route.

    Args:
        token: that each request must bring (RFC 6750).
        opener: gives what opens tokens by the keys there are at the moment.
        log: told of each use.
    """

    def check(request: Request) -> Response | None:
        if not _is_local(request.peer):
            return error_response(403, "this is served to the daemon's own machine alone")
        header = request.header(b"authorization")
        given = header[len(_SCHEME) :].strip() if header[: len(_SCHEME)].lower() == _SCHEME else ""
        if not hmac.compare_digest(given.encode("latin-1"), token.encode("latin-1")):
            log.warning("decrypt refused", peer=request.peer)
            challenge = ("WWW-Authenticate", 'Bearer realm="logopsd"')
            return error_response(401, "send `Authorization: Bearer TOKEN`", headers=(challenge,))
        if request.content_length is None:
            return error_response(411, "send a Content-Length")
        if request.content_length > MAX_BODY_BYTES:
            return error_response(413, f"at most {MAX_BODY_BYTES} bytes; use `logopsd decrypt`")
        return None

    def decrypt(request: Request, respond: Respond) -> None:
        lines = list(reveal(request.body.splitlines(), opener()))
        revealed = sum(line.done for line in lines)
        unopened = sum(len(line.failed) for line in lines)
        log.warning("decrypt", peer=request.peer, revealed=revealed, unopened=unopened)
        body = b"".join(line.data + b"\n" for line in lines)
        no_store = ("Cache-Control", "no-store")
        respond(Response(200, body, content_type="application/x-ndjson", headers=(no_store,)))

    return {("POST", "/debug/decrypt"): Route(decrypt, check, codings=())}


def _is_local(peer: str | None) -> bool:
    try:
        return ipaddress.ip_address(peer or "").is_loopback
    except ValueError:
        return False
