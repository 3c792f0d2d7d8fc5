"""Makes the side port: metrics and health, and by choice what opens tokens."""

import socket

from structlog.typing import FilteringBoundLogger

from logopsd.assembly.privacy import openers
from logopsd.config import Settings
from logopsd.listeners.http.listener import HttpListener
from logopsd.listeners.http.messages import Routes


def side_port(
    settings: Settings,
    log: FilteringBoundLogger,
    routes: Routes,
    port: int,
    sock: socket.socket | None,
) -> HttpListener:
    """Make the listener.

    Args:
        settings: say on which address.
        log: the daemon's own.
        routes: what it serves.
        port: 0 lets the kernel choose.
        sock: an inherited socket instead.
    """
    return HttpListener(
        name="metrics",
        host=settings.metrics_bind,
        port=port,
        sock=sock,
        setting="LOGOPS_METRICS_PORT",
        bind_setting="LOGOPS_METRICS_BIND",
        routes=routes,
        log=log,
    )


def opening_routes(settings: Settings, log: FilteringBoundLogger) -> Routes:
    """Make the route that opens tokens; none where no token for it is set."""
    if settings.debug_decrypt_token is None:
        return {}
    from logopsd.listeners.routes.decrypt import decrypt_routes  # it brings `cryptography`

    return decrypt_routes(
        token=settings.debug_decrypt_token,
        opener=lambda: openers(settings).tokens.decrypt,
        log=log,
    )
