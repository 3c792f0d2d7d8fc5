"""Keeps what was seen of journals over a restart, in a file beside those of the sink.

It is written when the daemon ends well, and only then: after a crash an older state is read, and
what was stored since then and is sent again is stored twice. It never says of an entry that it
was seen if it was not stored.
"""

import json
import os
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from logopsd.parsing.cursors import SeenCursors

NAME = ".journal-seen.json"
"""In the directory of the sink; no shipper that follows `*.ndjson` takes it for data."""

MAX_BYTES = 16 * 1024 * 1024
"""A file that is longer is none of ours: the most runs there may be take some 8 MiB."""


def load(seen: SeenCursors, directory: Path, log: FilteringBoundLogger) -> None:
    """Take up what was kept, where there is anything; a file that cannot be read is said once."""
    try:
        with (directory / NAME).open("rb") as file:
            seen.load(json.loads(file.read(MAX_BYTES)))
    except FileNotFoundError:
        return
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        log.warning("journal state not read", file=NAME, type=type(error).__name__)


def save(seen: SeenCursors, directory: Path, log: FilteringBoundLogger) -> None:
    """Keep what was seen; blocking."""
    if not seen:
        return
    path = directory / NAME
    new = path.with_suffix(".new")
    try:
        with new.open("w") as file:
            json.dump(seen.dump(), file, separators=(",", ":"))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        log.warning("journal state not kept", file=NAME, reason=error.strerror)
