"""How much room the process has: descriptors, and with them connections."""

import resource

from structlog.typing import FilteringBoundLogger

RESERVED = 64
"""Descriptors that connections must leave: files, listening sockets, archives, the log."""


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
