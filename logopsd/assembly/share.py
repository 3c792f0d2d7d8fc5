"""What is another in one of several workers, beside a daemon that is alone."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from logopsd.config import Settings
from logopsd.config.settings import MIB
from logopsd.sinks.files import HeldLock
from logopsd.sinks.rotation import worker_suffix


class Share(msgspec.Struct, frozen=True):
    """The place of a worker among the others.

    Attributes:
        number: from 1.
        count: how many there are.
        locks: directory -> the descriptor that holds its lock, taken for all of them.
    """

    number: int
    count: int
    locks: Mapping[Path, int]

    @property
    def suffix(self) -> str:
        """What ends the stems of its files."""
        return worker_suffix(self.number)

    def lock(self, directory: Path) -> HeldLock:
        """The lock of a directory that it shares."""
        return HeldLock(directory, self.locks[directory])

    def of(self, whole: Settings) -> Settings:
        """Its part of settings that tell of all: what there is once belongs to none of them."""
        return replace(
            whole,
            metrics_port=None,
            debug_decrypt_token=None,
            housekeep_autorun=False,
            ship_to=None,
            max_connections=-(-whole.max_connections // self.count),
            sink_high_water=max(MIB, whole.sink_high_water // self.count),
        )
