"""The contract of what records are sent to."""

from dataclasses import dataclass, field
from typing import Protocol

from logopsd.shipping.cut import Cut


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a range.

    Attributes:
        records: taken, those among them that were there already.
        publishes: messages or requests.
        duplicates: messages that were there already.
        skipped: reason -> records that are not taken, and never would be.
    """

    records: int
    publishes: int
    duplicates: int = 0
    skipped: dict[str, int] = field(default_factory=dict)


class Target(Protocol):
    """Something that takes ranges, one at a time, so that their order is kept."""

    kind: str
    """`nats` or `loki`: positions are kept for each."""

    async def send(self, cut: Cut, source: str) -> Sent:
        """Send a range and wait until all of it is taken; connect first, where that is due.

        Args:
            cut: the range.
            source: of the positions, see `Positions.source`.

        Raises:
            RemoteError: it was not taken, or not all; the same range is to be sent again.
        """
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...
