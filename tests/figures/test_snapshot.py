"""The figures of one moment as values."""

from logopsd.figures.metrics import Metrics
from logopsd.figures.snapshot import snapshot


def test_it_says_what_the_metrics_say() -> None:
    """Of each input that is on, with what its account lacks; hooks have run before."""
    metrics = Metrics()
    udp = metrics.input("udp")
    udp.received, udp.accepted, udp.inflight, udp.connections = 9, 4, 2, 1
    udp.drop("error", 3)
    metrics.before_scrape(lambda: metrics.kernel_dropped(5))
    found = snapshot(metrics)
    assert found["kernel_drops"] == 5
    figures = found["inputs"]["udp"]
    assert (figures["received"], figures["dropped"], figures["inflight"]) == (9, 3, 2)
    assert figures["dropped_by"] == {"error": 3}
    assert (figures["unaccounted"], figures["connections"]) == (0, 1)
    udp.received += 1
    assert snapshot(metrics)["inputs"]["udp"]["unaccounted"] == 1
    assert found["sink"] == {
        "stalled": False,
        "pending_bytes": 0,
        "written_bytes": 0,
        "free_bytes": None,
    }
