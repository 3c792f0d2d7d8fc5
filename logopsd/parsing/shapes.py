"""The shape of a payload: which of its names hold what, told once for all payloads that have them.

A program that logs JSON writes the same few lists of names again and again.
"""

from collections.abc import Sequence, Set
from typing import Final, NamedTuple

MAX_SHAPES: Final = 1024
"""Shapes remembered: a large site has some hundreds. At the limit all are forgotten."""

MAX_NAMES: Final = 32
"""Names of a payload that may be remembered, each of at most MAX_NAME_CHARS: with MAX_SHAPES this
bounds what a sender can make us keep to some MiB."""

MAX_NAME_CHARS: Final = 64


class Shape(NamedTuple):
    """Where in a payload stands what; None where it has nothing of the kind.

    Attributes:
        time: the name of its time.
        level: the name of its level.
        msg: the name of its message.
        has_service: whether it names a service.
        rest: all other names, in their order.
    """

    time: str | None
    level: str | None
    msg: str | None
    has_service: bool
    rest: tuple[str, ...]


class Shapes(dict[tuple[str, ...], Shape | None]):
    """The names of a payload, in their order -> its shape; None where names alone do not tell.

    They do not where two of them may hold the time, the level or the message, and where one is
    among `others`.

    Args:
        times: the names a time may have.
        levels: likewise.
        msgs: likewise.
        others: names that ask for a closer look.
    """

    def __init__(
        self,
        *,
        times: Sequence[str],
        levels: Sequence[str],
        msgs: Sequence[str],
        others: Set[str],
    ) -> None:
        super().__init__()
        self._kinds = frozenset(times), frozenset(levels), frozenset(msgs)
        self._others = others

    def __missing__(self, names: tuple[str, ...]) -> Shape | None:
        if len(names) > MAX_NAMES or max(map(len, names), default=0) > MAX_NAME_CHARS:
            return None
        if len(self) >= MAX_SHAPES:
            self.clear()
        self[names] = shape = self._shape(names)
        return shape

    def _shape(self, names: tuple[str, ...]) -> Shape | None:
        found = [[name for name in names if name in kind] for kind in self._kinds]
        taken = {name for some in found for name in some}
        rest = tuple(name for name in names if name not in taken)
        if max(map(len, found)) > 1 or not self._others.isdisjoint(names):
            return None
        if any(name.endswith("_enc") for name in rest):
            return None
        time, level, msg = (some[0] if some else None for some in found)
        return Shape(time, level, msg, "service" in rest, rest)
