"""GET /healthz and /readyz."""

import json

from logopsd.listeners.routes.health import health_routes
from tests.listeners.http.helpers import Client, get

REASONS: list[str] = []


def client() -> Client:
    """Give a client of the routes; not ready where REASONS has something in it."""
    return Client(
        health_routes(
            version="1.2.3",
            pii_encryption=True,
            not_ready=lambda: REASONS[0] if REASONS else None,
        )
    )


def test_health_tells_version_and_encryption() -> None:
    """A daemon that answers is alive, and says what it is."""
    ((status, headers, body),) = client().send(get("/healthz")).answers
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body) == {"status": "ok", "version": "1.2.3", "pii_encryption": True}


def test_readiness_follows_the_reason() -> None:
    """A load balancer sends records elsewhere while the daemon says why."""
    probe = client()
    assert json.loads(probe.send(get("/readyz")).answers[0][2]) == {"status": "ready"}
    REASONS.append("the sink is full")
    try:
        status, _, body = probe.send(get("/readyz")).answers[1]
    finally:
        REASONS.clear()
    assert status == 503
    assert json.loads(body) == {"status": "not ready", "reason": "the sink is full"}
    assert probe.send(get("/readyz")).statuses == [200, 503, 200]
