"""What the side port serves."""

import json

from logopsd.figures.metrics import Metrics
from logopsd.listeners.routes.live import Live
from logopsd.listeners.routes.page import local_name_check
from logopsd.listeners.routes.side import side_routes
from tests.listeners.http.helpers import Client, Recorder, get, head, post
from tests.listeners.routes.test_live import views


def client(metrics: Metrics) -> Client:
    """Give a client of the side port."""
    return Client(
        side_routes(
            page=metrics.page,
            version="1.2.3",
            pii_encryption=False,
            not_ready=lambda: None,
            sources=lambda now: {"now": now, "sources": []},
            live=Live(views(), Recorder().logger),
            check=local_name_check("127.0.0.1"),
        )
    )


def test_the_metrics_are_served() -> None:
    """A scraper gets the page in plain text."""
    metrics = Metrics()
    metrics.input("udp").received += 7
    ((status, headers, body),) = client(metrics).send(get("/metrics")).answers
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert b'logops_received_total{input="udp"} 7.0\n' in body


def test_the_scraper_chooses_the_format() -> None:
    """The Accept header reaches the page."""
    wanted = "Accept: application/openmetrics-text;version=1.0.0"
    ((_, headers, body),) = client(Metrics()).send(get("/metrics", wanted)).answers
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


def test_the_senders_are_served() -> None:
    """The table of senders is JSON, with the time it is of."""
    ((status, headers, body),) = client(Metrics()).send(get("/sources")).answers
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body)["now"] > 1_700_000_000


def test_health_is_served_beside_them() -> None:
    """The side port is asked for health where the inputs are not reachable."""
    side = client(Metrics())
    assert side.send(get("/healthz"), get("/readyz"), get("/metrics")).statuses == [200] * 3


def test_nothing_else_is_served() -> None:
    """The side port takes no records, and metrics are only read."""
    side = client(Metrics())
    side.send(post(b"{}", path="/v1/logs"), head("DELETE", "/metrics"))
    assert side.statuses == [404, 405]
