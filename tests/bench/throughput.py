"""How fast a program takes what is sent as fast as it can, and what a record costs it."""

import time
from collections.abc import Callable

from tests.bench.rivals import Rival

Values = dict[str, float]
Send = Callable[[Rival, float], int]
"""Sends for some seconds; returns how many records were sent."""

WARM_UP_SECONDS = 0.3  # fills the caches of the parsers
PATIENCE_SECONDS = 120.0
POLL_SECONDS = 0.02


def measure(rival: Rival, send: Send, seconds: float) -> Values:
    """Send for some time, and wait until all is in the file.

    Returns:
        `rate`: records/s from the first byte sent until the last record was written; `cpu`: CPU
        seconds a million records; `rss`: peak MiB; `sender`: the share of its core that the
        sender used: near 1 it was the limit, and not the program.
    """
    before = send(rival, WARM_UP_SECONDS)
    wait_stored(rival, before)
    cpu, begin, own = rival.cpu(), time.time(), time.process_time()
    sent = send(rival, seconds)
    sender = (time.process_time() - own) / (time.time() - begin)
    wait_stored(rival, before + sent)
    return {
        "rate": sent / (rival.written_at() - begin),
        "cpu": (rival.cpu() - cpu) / sent * 1e6,
        "rss": rival.rss(),
        "sender": sender,
    }


def wait_stored(rival: Rival, count: int) -> None:
    """Wait until so many records are stored in all."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (stored := rival.stored()) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{stored} of {count} records after {PATIENCE_SECONDS:g} s")
        time.sleep(POLL_SECONDS)
