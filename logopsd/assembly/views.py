"""What the page on the side port shows, as callables over the parts that know it."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import logopsd
from logopsd.chores.aside import Aside
from logopsd.chores.housekeeping import SPLIT
from logopsd.config import Settings
from logopsd.figures.metrics import Metrics
from logopsd.figures.snapshot import snapshot
from logopsd.listeners.routes.live import Views
from logopsd.stored.newest import Marks, Newest, newest
from logopsd.stored.sizes import archive_sizes, sizes

MAX_SOURCES: Final = 50
"""Senders that the page names, those heard last; `/sources` has all."""


def views(
    settings: Callable[[], Settings],
    metrics: Metrics,
    sources: Callable[[float], Mapping[str, Any]],
    not_ready: Callable[[], str | None],
) -> Views:
    """Return what is shown.

    Args:
        settings: gives those in force; they may change while the daemon runs.
        metrics: all figures.
        sources: takes the time; gives the table of senders, MAX_SOURCES of them.
        not_ready: says why records should not be sent now; None where they may.
    """
    reading = Aside()

    async def files() -> Mapping[str, Any]:
        return await reading.run(partial(_files, settings()))

    async def look(marks: Marks | None) -> Newest:
        return await reading.run(partial(newest, settings().sink_dir, marks))

    return Views(
        version=logopsd.__version__,
        started=round(time.time(), 3),
        state=not_ready,
        figures=partial(snapshot, metrics),
        sources=sources,
        retention=lambda: _retention(settings(), metrics.housekeep_last_success),
        files=files,
        newest=look if settings().sink_file else None,
    )


def _files(settings: Settings) -> dict[str, Any]:
    """The sizes of what is stored; blocks, as a disk may."""
    found: dict[str, Any] = {}
    if settings.sink_file:
        found["files"] = _folder(settings.sink_dir, sizes)
    if settings.sink_split is not None:
        found["split"] = _folder(settings.sink_dir / SPLIT, sizes)
    if settings.archive_mode == "zip":
        found["archives"] = _folder(settings.archive_dir, archive_sizes)
    return found


def _folder(path: Path, look: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    return {"directory": str(path), **look(path)}


def _retention(settings: Settings, last_success: float | None) -> dict[str, Any]:
    return {
        "days": settings.retention_days,
        "mode": settings.archive_mode,
        "archive_days": settings.archive_retention_days,
        "max_bytes": settings.retention_max_bytes,
        "autorun": settings.housekeep_autorun,
        "interval": settings.housekeep_interval_sec,
        "last_success": last_success,
    }
