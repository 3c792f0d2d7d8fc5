"""GET /healthz and /readyz: is the daemon alive, and should records be sent to it now."""

from collections.abc import Callable

from logopsd.listeners.http.messages import Request, Respond, Route, Routes, json_response


def health_routes(
    *, version: str, pii_encryption: bool, not_ready: Callable[[], str | None]
) -> Routes:
    """Return the routes that both ports serve.

    Args:
        version: of the daemon.
        pii_encryption: whether it encrypts.
        not_ready: says why records should not be sent now; None where they may.
    """
    healthy = json_response(
        200, {"status": "ok", "version": version, "pii_encryption": pii_encryption}
    )
    ready = json_response(200, {"status": "ready"})

    def healthz(_: Request, respond: Respond) -> None:
        respond(healthy)

    def readyz(_: Request, respond: Respond) -> None:
        reason = not_ready()
        if reason is None:
            respond(ready)
        else:
            respond(json_response(503, {"status": "not ready", "reason": reason}))

    return {("GET", "/healthz"): Route(healthz), ("GET", "/readyz"): Route(readyz)}
