"""Whatever grows, fails and dies, in whatever order: nothing is lost, doubled or reordered."""

import contextlib
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from logopsd.errors import RemoteError
from logopsd.shipping import cut
from tests.depth import examples
from tests.shipping.helpers import Stream, line, ship

OUTCOMES = st.lists(
    st.sampled_from(["ok", "ok", "die", "die", "kill", "lose", "part", "refuse"]), max_size=5
)
LEVEL = st.sampled_from(["INFO", "WARN"])

MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None
"""Positions are fsynced, and a disk takes its time for that."""


class Shipping(RuleBasedStateMachine):
    """A sink that writes, tears and mends, and a shipper that is killed at random."""

    @initialize()
    def begin(self) -> None:
        """An empty folder, and a grid so fine that every range meets its borders."""
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(cut, "BLOCK_BYTES", 400)
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY)
        self.directory = Path(self.folder.name)
        self.stream = Stream()
        self.written: dict[str, list[bytes]] = {}
        self.number = 0
        self.seconds = 0.0
        self.torn = b""
        self.name = "20261123.ndjson"

    @rule(levels=st.lists(LEVEL, min_size=1, max_size=8), size=st.integers(0, 120))
    def write(self, levels: list[str], size: int) -> None:
        """The sink appends whole lines."""
        self.mend()
        for level in levels:
            self._append(line(self.number, level=level, size=size))
            self.number += 1

    @rule(size=st.integers(0, 300), level=LEVEL)
    def tear(self, size: int, level: str) -> None:
        """The daemon dies in the midst of a line."""
        self.mend()
        self.torn = line(-1, level=level, size=size)[:-1]
        with (self.directory / self.name).open("ab") as file:
            file.write(self.torn)

    @rule()
    def mend(self) -> None:
        """Its next start writes over what it left, in place, padded to at least its length."""
        if not self.torn:
            return
        notice = line(self.number)[:-1].ljust(len(self.torn)) + b"\n"
        self.number += 1
        with (self.directory / self.name).open("r+b") as file:
            file.seek(-len(self.torn), os.SEEK_END)
            file.write(notice)
        self.torn = b""
        self.written.setdefault(self.name, []).append(notice)

    @rule(name=st.sampled_from(["20261123-1", "20261124", "20261124-1", "20261123-error"]))
    def rotate(self, name: str) -> None:
        """It goes on in another file, perhaps one of those that were there before."""
        self.mend()
        self.name = f"{name}.ndjson"

    @rule(outcomes=OUTCOMES, late=st.booleans())
    def live(self, outcomes: list[str], late: bool) -> None:
        """A shipper lives until it has sent all, or is killed; it saves seldom, or always."""

        def clock() -> float:
            self.seconds += 10.0 if late else 0.0
            return self.seconds

        with contextlib.suppress(RemoteError):  # it lost its patience
            ship(self.directory, self.stream, outcomes, clock=clock)

    @invariant()
    def nothing_is_doubled_or_made_up(self) -> None:
        """What the stream holds was written, whole, and each record once."""
        if hasattr(self, "stream"):
            stored = self.stream.lines()
            assert len(set(stored)) == len(stored)
            assert set(stored) <= {each for lines in self.written.values() for each in lines}

    def teardown(self) -> None:
        """A last life sends the rest; then all is there, in the order of its file and subject."""
        if not hasattr(self, "stream"):
            return
        try:
            assert ship(self.directory, self.stream)
            assert sorted(self.stream.lines()) == sorted(
                each for lines in self.written.values() for each in lines
            )
            self.nothing_is_doubled_or_made_up()
            for lines in self.written.values():
                for level in (b'"INFO"', b'"WARN"'):
                    mine = [each for each in lines if level in each]
                    known = set(mine)
                    assert [each for each in self.stream.lines() if each in known] == mine
        finally:
            self.patch.undo()
            self.folder.cleanup()

    def _append(self, data: bytes) -> None:
        with (self.directory / self.name).open("ab") as file:
            file.write(data)
        self.written.setdefault(self.name, []).append(data)


Shipping.TestCase.settings = settings(
    max_examples=examples(80), stateful_step_count=30, deadline=None
)
TestShipping = Shipping.TestCase
