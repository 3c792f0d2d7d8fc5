"""What a stream holds twice, told by the ids of its messages. Pure.

The stream itself leaves out a message whose id it knows, but only within its window. A shipper
gives the same lines of the same place the same id whenever it sends them, so beyond the window a
message that was sent again is known by it still.
"""

from collections import OrderedDict
from typing import Final

MAX_IDS: Final = 1_000_000
"""Ids that are remembered, some 100 MiB at most; at 512 KiB a message that is half a terabyte."""


class Repeats:
    """Knows which messages came already.

    Attributes:
        left_out: records of those that came again.
    """

    def __init__(self) -> None:
        self.left_out = 0
        self._ids: OrderedDict[int, None] = OrderedDict()

    def are_new(self, id: str, records: int) -> bool:
        """Whether a message has not come yet; one without an id never has."""
        if not id:
            return True
        key = hash(id)  # 64 bits: an accident among a million is one in thirty million runs
        if key in self._ids:
            self.left_out += records
            return False
        self._ids[key] = None
        if len(self._ids) > MAX_IDS:
            self._ids.popitem(last=False)
        return True
