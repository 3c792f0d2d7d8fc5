"""What runs beside the data, again and again, as long as the daemon does."""

import asyncio
import time

from structlog.typing import FilteringBoundLogger

from logopsd.chores.heartbeat import Heartbeat
from logopsd.figures.metrics import Metrics
from logopsd.figures.sources import Sources
from logopsd.pipeline import Pipeline
from logopsd.systemd import Notifier

NOTICE_SECONDS = 1.0
"""How soon it is written that records of a peer are suppressed, or are so no more."""

SUMMARY_SECONDS = 60.0
"""Between two `ingest` lines of the daemon's own log."""

BEATS = 4
"""How often in an interval of the watchdog it is looked whether the heartbeat is back."""

SOURCES_SECONDS = 60.0
"""Between two looks at who has fallen silent."""

SOURCES_NAMED = 20
"""Senders that one line of the log names by their number; when a relay dies, all do at once."""


async def write_notices(pipeline: Pipeline) -> None:
    """Write whose records are being suppressed, for whoever reads only the data."""
    while True:
        await asyncio.sleep(NOTICE_SECONDS)
        pipeline.write_notices()


async def feed_watchdog(
    notify: Notifier, heartbeat: Heartbeat, interval: float, log: FilteringBoundLogger
) -> None:
    """Feed systemd's watchdog while a heartbeat passes through pipeline and sink.

    Args:
        notify: speaks to systemd.
        heartbeat: tells whether all is alive.
        interval: between two feedings, seconds.
        log: told when the heartbeat is lost.
    """
    missed = 0
    while True:
        if heartbeat.alive():
            notify.watchdog()
            missed = 0
        else:
            missed += 1
            if missed == BEATS:
                log.error("heartbeat lost", hint="systemd will restart the daemon")
                notify.status("the heartbeat does not come back, a bug; see the log")
        await asyncio.sleep(interval / BEATS)


async def watch_sources(sources: Sources, log: FilteringBoundLogger) -> None:
    """Say once of each sender that it fell silent.

    By its number in the table, and not by its address, which is personal data.
    """
    while True:
        await asyncio.sleep(SOURCES_SECONDS)
        fallen = sources.check(time.time())
        if fallen:
            log.warning(
                "senders fell silent",
                count=len(fallen),
                sources=[source.id for source in fallen[:SOURCES_NAMED]],
                hint="logopsd status --sources",
            )


async def sum_up(metrics: Metrics, log: FilteringBoundLogger) -> None:
    """Log what came in during the last minute, for each input that stored anything."""
    seen = dict.fromkeys(metrics.inputs, (0, 0, 0))
    while True:
        await asyncio.sleep(SUMMARY_SECONDS)
        for name, before in seen.items():
            figures = metrics.input(name)
            seen[name] = (figures.accepted, figures.missing_ts, figures.missing_level)
            accepted, missing_ts, missing_level = map(int.__sub__, seen[name], before)
            if accepted:
                log.info(
                    "ingest",
                    input=name,
                    accepted=accepted,
                    missing_ts=missing_ts,
                    missing_level=missing_level,
                )
