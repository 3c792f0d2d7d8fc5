"""Which entries of which journals were taken before.

systemd-journal-upload notes its place only when a whole request was answered with success; else
it sends all of it once more, which may be days. Its cursors tell the entries apart: `s` names the
counter of a journal, `i` is the number that this counter gave to the entry, `b` names the boot
(systemd.journal-fields(7), `__CURSOR`). Numbers that follow on each other are kept as one run, so
that what was seen of a journal mostly takes two numbers, however long it is.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final

MAX_RUNS: Final = 65_536
"""Runs of numbers remembered over all journals: some 10 MiB at the worst. Where there are more,
the journal that was heard longest ago is forgotten: its repeats are stored twice, none is lost."""

_HEX: Final = 16

Place = tuple[str, int]
"""A journal's counter and boot, and the number of an entry."""


class _Runs:
    """Numbers seen, as runs from `starts` to `ends`, both ascending."""

    __slots__ = ("ends", "starts")

    def __init__(self, starts: list[int], ends: list[int]) -> None:
        self.starts = starts
        self.ends = ends

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self.starts, number) - 1
        return place >= 0 and number <= self.ends[place]

    def add(self, number: int) -> None:
        """Add a number that is not among them."""
        starts, ends = self.starts, self.ends
        place = bisect_right(starts, number)
        joins_left = place > 0 and ends[place - 1] == number - 1
        joins_right = place < len(starts) and starts[place] == number + 1
        if joins_left and joins_right:
            ends[place - 1] = ends[place]
            del starts[place], ends[place]
        elif joins_left:
            ends[place - 1] = number
        elif joins_right:
            starts[place] = number
        else:
            starts.insert(place, number)
            ends.insert(place, number)


class SeenCursors:
    """Remembers the entries that were taken, by their cursors, in bounded memory.

    Args:
        max_runs: see MAX_RUNS.
    """

    def __init__(self, *, max_runs: int = MAX_RUNS) -> None:
        self._max_runs = max_runs
        self._journals: dict[str, _Runs] = {}  # the one heard last is the last
        self._last = ""
        self._count = 0

    def __contains__(self, cursor: str) -> bool:
        """Whether the entry was taken before; False where that cannot be told."""
        place = place_of(cursor)
        if place is None:
            return False
        journal, number = place
        runs = self._journals.get(journal)
        return runs is not None and number in runs

    def __bool__(self) -> bool:
        """Whether anything is remembered."""
        return bool(self._journals)

    def add(self, cursor: str) -> None:
        """Remember an entry; a cursor of another form is none that could be."""
        place = place_of(cursor)
        if place is None:
            return
        journal, number = place
        runs = self._heard(journal)
        if number in runs:
            return
        before = len(runs.starts)
        runs.add(number)
        self._count += len(runs.starts) - before
        if self._count > self._max_runs:
            self._forget()

    def dump(self) -> dict[str, list[list[int]]]:
        """Give all that is remembered, for `load`: journal -> runs from one number to another."""
        return {
            journal: [list(run) for run in zip(runs.starts, runs.ends, strict=True)]
            for journal, runs in self._journals.items()
        }

    def load(self, dumped: Mapping[str, list[list[int]]]) -> None:
        """Take up what `dump` gave, in place of all that is remembered.

        Raises:
            ValueError: the runs are none, or in no order.
        """
        journals = {}
        for journal, runs in dumped.items():
            flat = [number for start, end in runs for number in (start, end + 1)]
            if any(a >= b for a, b in pairwise(flat)):
                raise ValueError("runs that are in no order")
            journals[journal] = _Runs([start for start, _ in runs], [end for _, end in runs])
        self._journals = journals
        self._last = ""
        self._count = sum(len(runs.starts) for runs in journals.values())

    def absorb(self, dumped: Mapping[str, list[list[int]]]) -> None:
        """Take up what `dump` of another gave, beside all that is remembered.

        Raises:
            ValueError: the runs are none, or in no order.
        """
        both = self.dump()
        for journal, runs in dumped.items():
            both[journal] = _joined([*both.get(journal, []), *runs])
        self.load(both)
        while self._count > self._max_runs:
            self._forget()

    def _heard(self, journal: str) -> _Runs:
        runs = self._journals.get(journal)
        if runs is None:
            runs = self._journals[journal] = _Runs([], [])
        elif journal != self._last:
            self._journals[journal] = self._journals.pop(journal)
        self._last = journal
        return runs

    def _forget(self) -> None:
        """Forget the journal heard longest ago; of the only one, the lowest numbers."""
        journal = next(iter(self._journals))
        if journal != self._last:
            self._count -= len(self._journals.pop(journal).starts)
            return
        runs = self._journals[journal]
        del runs.starts[0], runs.ends[0]
        self._count -= 1


def _joined(runs: Iterable[list[int]]) -> list[list[int]]:
    """Runs in order, those that overlap or follow on each other as one."""
    joined: list[list[int]] = []
    for start, end in sorted(runs):
        if joined and start <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([start, end])
    return joined


def place_of(cursor: str) -> Place | None:
    """Return which entry of which journal a cursor names; None where its form is unknown."""
    counter, _, rest = cursor.partition(";")
    number, _, rest = rest.partition(";")
    boot = rest.partition(";")[0]
    if counter[:2] != "s=" or number[:2] != "i=" or boot[:2] != "b=":
        return None
    try:
        return f"{counter};{boot}", int(number[2:18], _HEX)
    except ValueError:
        return None
