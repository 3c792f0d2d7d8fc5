"""What an HTTP connection may wait for, and for how long."""

import math
from enum import Enum, auto

from logopsd.listeners.http.service import Limits


class Wait(Enum):
    """What a connection waits for; each has its time.

    REQUEST: the next one, with nothing under way. HEAD: the rest of one. BODY: the rest of one.
    ANSWER: a route of ours. TAKING: the client, to take what was written. END: the client, to
    close its side behind the last answer.
    """

    REQUEST = auto()
    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    TAKING = auto()
    END = auto()


def seconds_for(wait: Wait, limits: Limits) -> float:
    """Return how long a connection may wait for something; infinite where it waits for us."""
    if wait is Wait.ANSWER:
        return math.inf
    if wait is Wait.REQUEST:
        return limits.idle_seconds
    if wait is Wait.HEAD:
        return limits.head_seconds
    return limits.linger_seconds if wait is Wait.END else limits.stall_seconds
