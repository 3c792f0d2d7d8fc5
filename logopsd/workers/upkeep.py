"""What the supervisor does beside the workers, again and again, as long as it lives."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from structlog.typing import FilteringBoundLogger

from logopsd.chores.aside import aside
from logopsd.chores.housekeeping import Housekeeping, Rounds
from logopsd.chores.tasks import SOURCES_SECONDS
from logopsd.daemon import ACCOUNT_SECONDS, SAVE_SECONDS
from logopsd.figures.account import Account
from logopsd.figures.metrics import Metrics
from logopsd.systemd import Notifier
from logopsd.workers.directories import Directories
from logopsd.workers.whole import Whole

ASK_SECONDS: Final = 1.0
"""Between two times that all workers are asked: what the death of one makes unknown."""


async def ask(
    whole: Whole, notify: Notifier, state: Callable[[], str], is_watched: Callable[[], bool]
) -> None:
    """Keep the figures fresh, and show in `systemctl status` where the state changes.

    The tables of senders may be long, and are asked for only while the page shows them.
    """
    told = state()
    while True:
        await asyncio.sleep(ASK_SECONDS)
        await whole.refresh(sources=is_watched())
        if (now := state()) != told:
            notify.status(now)
        told = now


async def keep_account(account: Account, whole: Whole, directories: Directories) -> None:
    """Write the account at UTC midnight, and keep the figures of the day until then."""
    while True:
        await save_account(account)
        directories.look()
        midnight = account.seconds_until_midnight(time.time())
        await asyncio.sleep(min(ACCOUNT_SECONDS, midnight))
        await whole.refresh()
        account.tick(time.time())


async def save_account(account: Account, *, clean: bool = False) -> None:
    """Keep the figures of the day, if the disk takes them: it may be full, and is told of."""
    state = account.saved(clean=clean)
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(SAVE_SECONDS):
            await aside(partial(account.save, state))


async def watch_sources(whole: Whole, log: FilteringBoundLogger) -> None:
    """Say once of each sender that it fell silent."""
    while True:
        await asyncio.sleep(SOURCES_SECONDS)
        await whole.find_silent(log)


async def keep_house(
    figures: Metrics, log: FilteringBoundLogger, interval: int, current: Callable[[], Rounds]
) -> None:
    """Sweep at start and then every interval, in seconds; 0 means at start only."""
    figures.housekeep_last_success = 0.0 if interval else None

    def succeeded(when: float) -> None:
        figures.housekeep_last_success = when if interval else None

    await Housekeeping(log, interval=interval, succeeded=succeeded).run(current)


async def feed_watchdog(notify: Notifier, interval: float) -> None:
    """Feed systemd's watchdog; a worker that does not feed ours is killed by the crew."""
    while True:
        notify.watchdog()
        await asyncio.sleep(interval / 2)
