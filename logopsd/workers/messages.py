"""What supervisor and worker say to each other, on a pair of sockets that nobody else has.

A message is a line of JSON. The first to a worker, `Hello`, brings sockets and locks along as
descriptors (SCM_RIGHTS, unix(7)). Nothing that is secret is in arguments or environment: settings
go this way too.
"""

from typing import Any, Final

import msgspec

from logopsd.figures.tally import Snapshot

MAX_LINE: Final = 64 * 1024 * 1024
"""Bytes of a message; the longest, a full table of senders, has some 4 MiB."""

MAX_FDS: Final = 250
"""Descriptors that one message brings along; the kernel takes 253 (SCM_MAX_FD)."""


class Hello(msgspec.Struct, tag=True):
    """The first to a worker: all it needs.

    Attributes:
        number: its own, from 1.
        count: of the workers.
        instance: stands in each line of the log, whoever of them writes it.
        settings: of the whole, as the environment would have them.
        sockets: the names of the descriptors that come along, in order.
        locks: the directories whose locks come along behind these.
        watchdog: seconds within which it must say that it is alive.
    """

    number: int
    count: int
    instance: str
    settings: dict[str, str]
    sockets: list[str]
    locks: list[str]
    watchdog: float


class Ask(msgspec.Struct, tag=True):
    """Asks a worker for its figures, or also for its table of senders."""

    sources: bool = False


class Reload(msgspec.Struct, tag=True):
    """Has a worker open its files anew, and take other settings.

    Attributes:
        settings: as of Hello; None keeps those it has.
    """

    settings: dict[str, str] | None = None


class Ready(msgspec.Struct, tag=True):
    """A worker has started, or has done what `Reload` asked."""


class Alive(msgspec.Struct, tag=True):
    """A worker's heartbeat came back."""


class Figures(msgspec.Struct, tag=True):
    """The answer to `Ask`.

    Attributes:
        snapshot: all figures of one moment.
        not_ready: why no records should be sent to it now; None where they may.
        open_files: paths that nobody else may touch.
        sources: the table of senders, where it was asked for.
    """

    snapshot: Snapshot
    not_ready: str | None = None
    open_files: list[str] = []
    sources: dict[str, Any] | None = None


class Last(msgspec.Struct, tag=True):
    """The last of a worker that ends in order.

    Attributes:
        snapshot: all figures; nothing is in flight any more.
        seen: which entries of journals it has taken; None where some may not be stored.
    """

    snapshot: Snapshot
    seen: dict[str, list[list[int]]] | None = None


ToWorker = Hello | Ask | Reload
FromWorker = Ready | Alive | Figures | Last

to_worker: Final = msgspec.json.Decoder(ToWorker)
from_worker: Final = msgspec.json.Decoder(FromWorker)


def line(message: ToWorker | FromWorker) -> bytes:
    """Return the bytes of a message; JSON has no line end in it."""
    return msgspec.json.encode(message) + b"\n"
