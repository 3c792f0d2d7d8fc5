"""Which lines of a batch go to which file, where there is one for each level or input. Pure."""

from collections.abc import Iterable
from itertools import groupby

from logopsd.records import LEVELS
from logopsd.sinks.contract import Batch

_LEVEL = b'"level":"'
"""How the encoder writes the field. It stands second, behind the time, which the daemon writes
itself: its first place in a line is the field, whatever a message contains."""

_LABELS = {level.encode(): level.lower() for level in LEVELS}


def by_input(batch: Batch) -> Iterable[tuple[str, bytes]]:
    """All lines of a batch came by one input."""
    return ((f"{batch.day}-{batch.receipt.input}", batch.data),)


def by_level(batch: Batch) -> Iterable[tuple[str, bytes]]:
    """The lines of each level, in their order; a line without a known level goes to `info`."""
    labels: dict[str, list[bytes]] = {}
    for label, lines in groupby(batch.data.splitlines(keepends=True), _label):
        labels.setdefault(label, []).extend(lines)
    return [(f"{batch.day}-{label}", b"".join(lines)) for label, lines in labels.items()]


def _label(line: bytes) -> str:
    start = line.find(_LEVEL) + len(_LEVEL)
    return _LABELS.get(line[start : line.find(b'"', start)], "info")
