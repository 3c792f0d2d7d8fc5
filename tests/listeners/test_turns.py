"""Tests of logopsd.listeners.turns, with a loop whose time stands still until it is moved."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.listeners import turns
from logopsd.listeners.turns import ENOUGH, ROOM, TURN, Turns

FD = 7


class FakeTimer:
    """What call_at returns."""

    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        """Remember it."""
        self.cancelled = True


class FakeLoop:
    """Has one reader and one timer at most."""

    def __init__(self) -> None:
        self.now = 100.0
        self.reader: Callable[[], object] | None = None
        self.timer: FakeTimer | None = None

    def time(self) -> float:
        """Return the time as it was set."""
        return self.now

    def add_reader(self, fd: int, callback: Callable[[], object]) -> None:
        """Have it called by `Case.come`."""
        assert fd == FD
        self.reader = callback

    def remove_reader(self, fd: int) -> bool:
        """Have nothing called."""
        assert fd == FD
        was, self.reader = self.reader, None
        return was is not None

    def call_at(self, when: float, callback: Callable[[], None]) -> FakeTimer:
        """Have it called by `Case.wait`."""
        assert self.timer is None
        self.timer = FakeTimer(when, callback)
        return self.timer


class Case:
    """A socket that holds so many datagrams, read by turns; each read takes no time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int = ROOM) -> None:
        self.loop = FakeLoop()
        monkeypatch.setattr(turns.asyncio, "get_running_loop", lambda: self.loop)
        self.waiting = 0
        self.reads: list[tuple[float, int]] = []  # after how many turns, and what was read
        self.turns = Turns(FD, self.read, room)
        self.turns.start()

    def read(self) -> int:
        """Take what waits."""
        count, self.waiting = self.waiting, 0
        self.reads.append((round((self.loop.now - 100.0) / TURN, 6), count))
        return count

    def come(self, count: int = 1) -> None:
        """Let datagrams come; they wake the loop where it listens."""
        self.waiting += count
        if self.loop.reader is not None:
            self.loop.reader()

    def wait(self, turns: float) -> None:
        """Let time go by, and what is due happen at its time."""
        end = self.loop.now + turns * TURN
        while (timer := self.loop.timer) is not None and timer.when <= end + 1e-9:
            self.loop.now = max(self.loop.now, timer.when)
            self.loop.timer = None
            timer.callback()
        self.loop.now = end


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> Case:
    """Make a case with room enough."""
    return Case(monkeypatch)


def test_a_lone_datagram_is_read_at_once(case: Case) -> None:
    """Datagrams that are further apart than a turn wake the loop each."""
    for _ in range(3):
        case.come()
        case.wait(1.5)

    assert case.reads == [(0, 1), (1.5, 1), (3, 1)]


def test_a_flow_is_read_once_a_turn(case: Case) -> None:
    """After two reads within a turn, all that comes within the next is read together."""
    case.come()
    case.wait(0.5)
    for _ in range(20):
        case.come()
        case.wait(0.25)

    assert case.reads[:4] == [(0, 1), (0.5, 1), (1.5, 3), (2.5, 4)]


def test_the_end_of_a_flow_is_noticed(case: Case) -> None:
    """After a turn that brought nothing, the next datagram is read at once."""
    case.come()
    case.come()
    case.wait(0.5)
    case.come(5)
    case.wait(10.25)
    case.come()

    assert case.reads == [(0, 1), (0, 1), (1, 5), (2, 0), (10.75, 1)]
    assert case.loop.timer is None


def test_a_slow_flow_ends(case: Case) -> None:
    """Where a turn brings one datagram, nothing is won by waiting, and the next wakes the loop."""
    case.come()
    case.come()
    case.wait(0.5)
    case.come()
    case.wait(0.5)

    assert case.loop.reader is not None
    assert case.loop.timer is None


def test_while_much_comes_there_is_no_rest(case: Case) -> None:
    """After a read that was worth it, the next one is due at once."""
    case.come()
    case.come()
    case.come(ENOUGH)
    case.wait(1)
    case.waiting = ENOUGH - 1
    case.wait(0.5)

    assert case.reads[2:] == [(1, ENOUGH), (1, 0)]


def test_a_flow_goes_on_after_much_came(case: Case) -> None:
    """A read behind a large one that brings less is followed by a rest."""
    left = [ENOUGH, ENOUGH - 1, 5, 0]

    def read() -> int:
        case.reads.append((round((case.loop.now - 100.0) / TURN, 6), left[0]))
        return left.pop(0)

    case.come()
    case.come()
    case.turns._read = read
    case.wait(3)

    assert case.reads[2:] == [(1, ENOUGH), (1, ENOUGH - 1), (2, 5), (3, 0)]


def test_with_little_room_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket with a small buffer is read whenever something comes."""
    case = Case(monkeypatch, room=ROOM - 1)
    for _ in range(5):
        case.come()
        case.wait(0.1)

    assert [count for _, count in case.reads] == [1] * 5


def test_a_stop_leaves_nothing_behind(case: Case) -> None:
    """Stopped amid a flow, it reads no more."""
    case.come()
    case.come()
    timer = case.loop.timer
    case.turns.stop()

    assert timer is not None
    assert timer.cancelled
    assert case.loop.reader is None


def test_a_stop_amid_nothing_is_one_too(case: Case) -> None:
    """Stopped while it waits for a lone datagram, it reads no more."""
    case.turns.stop()

    assert case.loop.reader is None


def test_a_read_that_fails_amid_a_flow_is_not_the_last(case: Case) -> None:
    """What it raises goes up to the loop, and the next datagram is read."""

    def fail() -> int:
        raise MemoryError

    case.come()
    case.come()
    case.turns._read = fail
    with pytest.raises(MemoryError):
        case.wait(1)
    case.turns._read = case.read
    case.come()

    assert case.reads == [(0, 1), (0, 1), (1, 1)]


def test_a_read_that_fails_at_a_wake_up_is_not_the_last(case: Case) -> None:
    """The reader stays."""

    def fail() -> int:
        raise MemoryError

    case.turns._read = fail
    for _ in range(2):
        with pytest.raises(MemoryError):
            case.come()
    case.turns._read = case.read
    case.come()

    assert case.reads == [(0, 3)]


@pytest.mark.parametrize("reads", [1, 2, 3])
def test_a_read_may_stop_it(case: Case, reads: int) -> None:
    """At a wake-up, at the one that begins a flow, or amid it: nothing is left behind."""
    left = [reads]

    def read() -> int:
        left[0] -= 1
        if left[0] == 0:
            case.turns.stop()
        return 2

    case.turns._read = read
    for _ in range(min(reads, 2)):
        case.come()
    case.wait(2)

    assert left == [0]
    assert case.loop.reader is None
    assert case.loop.timer is None


@given(st.lists(st.tuples(st.integers(0, 300), st.floats(0, 3)), max_size=40))
def test_nothing_waits_longer_than_a_turn(events: list[tuple[int, float]]) -> None:
    """Whatever comes when, it is read within a turn, and one of timer and reader is there."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        case = Case(monkeypatch)
        oldest = None
        for count, pause in events:
            if count:
                if case.waiting == 0:
                    oldest = case.loop.now
                case.come(count)
            assert (case.loop.reader is None) == (case.loop.timer is not None)
            if case.waiting == 0:
                oldest = None
            case.wait(pause)
            if case.waiting:
                assert oldest is not None
                assert case.loop.now - oldest <= TURN * 1.001
            else:
                oldest = None
