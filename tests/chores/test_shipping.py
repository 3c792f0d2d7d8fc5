"""Shipping beside the data: what fails in it disturbs nobody."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from logopsd.chores import shipping
from logopsd.chores.shipping import Shipping
from logopsd.errors import LogopsError
from logopsd.figures.shipping import ShipFigures
from logopsd.shipping.shipper import Shipper
from tests.shipping.helpers import Stream, line, quiet


def test_it_sends_in_a_thread_and_ends_when_asked(tmp_path: Path) -> None:
    """With the position saved."""
    (tmp_path / "20261123.ndjson").write_bytes(line(0))
    stream, sent, (log, _) = Stream(), threading.Event(), quiet()

    def make() -> Shipper:
        async def pause(_: float) -> None:
            sent.set()
            await asyncio.sleep(0)

        return Shipper(tmp_path, stream, figures=ShipFigures(), log=log, pause=pause)

    thread = Shipping(make, log)
    thread.start()
    assert sent.wait(10)
    thread.stop()
    thread.join(10)

    assert stream.lines() == [line(0)]
    assert stream.closed == 1


@pytest.mark.parametrize(
    ("error", "event"),
    [(LogopsError("no file"), "shipping stands still"), (KeyError("x"), "shipping failed")],
)
def test_what_fails_is_logged_and_tried_again(
    error: Exception, event: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For as long as the daemon lives."""
    monkeypatch.setattr(shipping, "RESTART_SECONDS", 0.0)
    tried: list[int] = []
    log, kept = quiet()

    def fail() -> Shipper:
        tried.append(1)
        if len(tried) == 3:
            thread.stop()
        raise error

    thread = Shipping(fail, log)
    thread.start()
    thread.join(10)

    assert len(tried) == 3
    assert all(call.kwargs["event"] == event for call in kept.calls)


def test_one_that_was_never_started_has_nothing_to_end() -> None:
    """The daemon could not start."""
    never: Callable[[], Shipper] = pytest.fail
    thread = Shipping(never, quiet()[0])
    thread.stop()

    thread.join(1)
