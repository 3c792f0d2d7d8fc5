"""The shape of a payload: which of its names hold what, told once for all payloads that have them.

A program that logs JSON writes the same few lists of names again and again.
"""

from collections.abc import Sequence, Set
from typing import Final

MAX_SHAPES: Final = 1024
"""Shapes remembered: a large site has some hundreds. At the limit all are forgotten."""

MAX_NAMES: Final = 32
"""Names of a payload that may be remembered, each of at most MAX_NAME_CHARS: with MAX_SHAPES this
bounds what a sender can make us keep to some MiB."""

MAX_NAME_CHARS: Final = 64

OTHER, TIME, LEVEL, MSG, SERVICE = range(5)
"""What stands under a name. The name of the service is kept among all other fields as well."""

Shape = bytes
"""What stands under each name of a payload, in their order: a byte each."""


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
        self._roles = {
            **dict.fromkeys(times, TIME),
            **dict.fromkeys(levels, LEVEL),
            **dict.fromkeys(msgs, MSG),
            "service": SERVICE,
        }
        self._others = others

    def __missing__(self, names: tuple[str, ...]) -> Shape | None:
        if len(names) > MAX_NAMES or max(map(len, names), default=0) > MAX_NAME_CHARS:
            return None
        if len(self) >= MAX_SHAPES:
            self.clear()
        self[names] = shape = self._shape(names)
        return shape

    def _shape(self, names: tuple[str, ...]) -> Shape | None:
        roles = bytes(self._roles.get(name, OTHER) for name in names)
        if max(map(roles.count, (TIME, LEVEL, MSG))) > 1 or not self._others.isdisjoint(names):
            return None
        if any(name.endswith("_enc") for name in names):
            return None
        return roles
