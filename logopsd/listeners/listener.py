"""What all listeners have in common."""

from collections.abc import Sequence
from typing import Protocol


class Listener(Protocol):
    """What the daemon asks of every listener; see listeners/."""

    input: str

    @property
    def addresses(self) -> Sequence[str]:
        """Where it listens, once started: `udp://127.0.0.1:5514`."""

    async def start(self) -> None:
        """Open the socket; ListenError names the mend."""

    def pause(self) -> None:
        """Stop reading: the sink is full."""

    def resume(self) -> None:
        """Read again."""

    def stop_accepting(self) -> None:
        """Take no new peers."""

    async def close(self) -> None:
        """Read out what has arrived, hand it down, and part from the peers."""
