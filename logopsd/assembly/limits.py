"""How much room the process has: descriptors, and with them connections; cores."""

import os
import resource
from pathlib import Path
from typing import Literal

from structlog.typing import FilteringBoundLogger

from logopsd.config.settings import MAX_WORKERS

RESERVED = 64
"""Descriptors that connections must leave: files, listening sockets, archives, the log."""


CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""In a container, how many microseconds of CPU in how many it may have (cgroup v2)."""


def cores(quota: Path = CPU_QUOTA) -> int:
    """How many cores this process may use, at least 1: those it may run on, or its quota of CPU."""
    allowed = os.cpu_count() or 1
    try:
        allowed = len(os.sched_getaffinity(0))
        share, period = quota.read_text().split()
        if share != "max":
            allowed = min(allowed, round(int(share) / int(period)))
    except (OSError, ValueError):  # no such limit here, or nobody says
        pass
    return max(1, allowed)


def worker_count(wanted: Literal["auto"] | int) -> int:
    """How many workers there are to be, by LOGOPS_WORKERS."""
    return min(cores(), MAX_WORKERS) if wanted == "auto" else wanted


def raise_descriptors() -> int:
    """Take all the descriptors that the system grants without more rights; how many these are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):  # an odd system; what there was is there still
        return soft
    return hard


def connections(wanted: int, descriptors: int, log: FilteringBoundLogger) -> int:
    """How many connections there may be: as many as are wanted, or there is room for.

    Without this bound, the one too many would take the descriptor that a file of the sink needs.

    Args:
        wanted: of the settings; 0 for no limit.
        descriptors: that the process may have; RLIM_INFINITY for any number.
        log: told where there is less room than was wanted.
    """
    if descriptors == resource.RLIM_INFINITY:
        return wanted
    room = max(1, descriptors - RESERVED)
    if wanted > room:
        log.warning("fewer connections", wanted=wanted, possible=room, hint="raise LimitNOFILE=")
    return min(wanted, room) if wanted else room
