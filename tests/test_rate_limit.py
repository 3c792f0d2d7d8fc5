"""Each peer has its rate, and what goes beyond is counted and told."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from logopsd.rate_limit import BURST_SECONDS, RateLimiter, limit_frames
from logopsd.records import Frames


def test_a_burst_and_then_the_rate() -> None:
    """What was saved up goes at once; afterwards so many a second."""
    limiter = RateLimiter(10)

    assert limiter.take("udp", "a", 100, 0.0) == 50
    assert limiter.take("udp", "a", 100, 0.0) == 0
    assert limiter.take("udp", "a", 100, 0.5) == 5
    assert limiter.take("udp", "b", 20, 0.5) == 20
    assert limiter.take("udp", "a", 100, 1000.0) == 50


def test_begin_and_end_are_told_with_the_count() -> None:
    """The end comes when nothing was suppressed for a while, and then it may begin again."""
    limiter = RateLimiter(1)
    assert limiter.notices(0.0) == []
    limiter.take("udp", "a", 8, 10.0)
    [begin] = limiter.notices(10.5)
    limiter.take("tcp", "a", 4, 11.0)

    assert (begin.peer, begin.input, begin.ended, begin.suppressed) == ("a", "udp", False, 3)
    assert limiter.notices(15.9) == []
    [end] = limiter.notices(16.0)
    assert (end.peer, end.ended, end.suppressed, end.began) == ("a", True, 6, 10.0)
    assert limiter.notices(99.0) == []
    limiter.take("udp", "a", 6, 100.0)
    assert [notice.ended for notice in limiter.notices(200.0)] == [False, True]


def test_the_end_of_the_daemon_ends_all() -> None:
    """What was counted so far is told before the daemon goes."""
    limiter = RateLimiter(1)
    limiter.take("udp", "a", 6, 0.0)

    assert [notice.ended for notice in limiter.notices(0.0, final=True)] == [False, True]


def test_a_clock_that_leaps_back_gives_nothing_and_ends_nothing_for_ever() -> None:
    """Neither a gain nor a peer that stays suppressed for the length of the leap."""
    limiter = RateLimiter(1)
    limiter.take("udp", "a", 6, 1000.0)

    assert limiter.take("udp", "a", 1, 0.0) == 0
    assert limiter.take("udp", "a", 1, 1.0) == 1
    assert [notice.ended for notice in limiter.notices(6.0)] == [False, True]


def test_another_rate_holds_at_once() -> None:
    """Nobody keeps more than the new burst."""
    limiter = RateLimiter(100)
    limiter.take("udp", "a", 1, 0.0)
    limiter.set_rate(2)

    assert limiter.take("udp", "a", 100, 0.0) == 10
    assert limiter.take("udp", "a", 100, 1.0) == 2


def test_the_peer_longest_unheard_of_is_forgotten() -> None:
    """The table is bounded; what was suppressed of the forgotten is told all the same."""
    limiter = RateLimiter(1, max_peers=2)
    limiter.take("udp", "a", 7, 0.0)
    limiter.take("udp", "b", 1, 0.0)
    limiter.take("udp", "a", 1, 0.0)
    limiter.take("udp", "c", 1, 0.0)
    assert list(limiter._buckets) == ["a", "c"]
    limiter.take("udp", "d", 1, 0.0)
    limiter.take("udp", "e", 1, 0.0)

    assert [(n.peer, n.ended, n.suppressed) for n in limiter.notices(0.0)] == [("a", True, 3)]


STEPS = st.lists(
    st.tuples(st.floats(0, 3), st.sampled_from("abc"), st.integers(0, 60)), max_size=40
)


@given(STEPS, st.integers(1, 20))
def test_no_peer_passes_its_rate(steps: list[tuple[float, str, int]], rate: int) -> None:
    """Whoever sends whenever: burst and rate bound it, and notices count all that was left."""
    limiter = RateLimiter(rate)
    now, taken, suppressed = 0.0, Counter[str](), Counter[str]()
    told = Counter[str]()
    for pause, peer, count in steps:
        now += pause
        got = limiter.take("udp", peer, count, now)
        assert 0 <= got <= count
        taken[peer] += got
        suppressed[peer] += count - got
        assert taken[peer] <= rate * (BURST_SECONDS + now) + 1e-6
        told.update({n.peer: n.suppressed for n in limiter.notices(now) if n.ended})
    told.update({n.peer: n.suppressed for n in limiter.notices(now, final=True) if n.ended})
    assert +told == +suppressed


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=60), st.integers(1, 3))
def test_of_each_peer_the_first_frames_are_kept_in_order(peers: list[str], rate: int) -> None:
    """Frames, their peers and their cuts stay together; nothing is doubled or mixed."""
    frames = Frames(
        [b"%d" % n for n in range(len(peers))], {n: 1000 + n for n in range(0, len(peers), 3)}
    )
    kept, kept_peers = limit_frames(RateLimiter(rate), "udp", frames, peers, 0.0)

    assert isinstance(kept_peers, list)
    numbers = [int(frame) for frame in kept.frames]
    assert numbers == sorted(numbers)
    assert [peers[number] for number in numbers] == kept_peers
    allowed = int(rate * BURST_SECONDS)
    assert Counter(kept_peers) == {p: min(c, allowed) for p, c in Counter(peers).items()}
    assert kept.cut == {
        place: 1000 + number for place, number in enumerate(numbers) if number % 3 == 0
    }


def test_programs_of_this_host_are_not_one_peer() -> None:
    """A Unix socket has no address; one program must not have the others' records left out."""
    limiter = RateLimiter(1)

    assert limiter.take("unix", "unix", 100, 0.0) == 100
    assert limiter.notices(0.0) == []


def test_frames_of_one_peer() -> None:
    """A stream has one peer for all frames; who has none is not limited."""
    limiter = RateLimiter(1)
    frames = Frames([b"x"] * 7, {5: 10, 1: 11}, {"fault": 1})

    assert limit_frames(limiter, "http", frames, None, 0.0) == (frames, None)
    kept, peer = limit_frames(limiter, "tcp", frames, "a", 0.0)
    assert (len(kept.frames), kept.cut, kept.faults, peer) == (5, {1: 11}, {"fault": 1}, "a")
    assert limit_frames(limiter, "tcp", frames, "b", 99.0)[0].frames == [b"x"] * 5
    assert limit_frames(limiter, "tcp", Frames([b"y"]), "c", 99.0)[0].frames == [b"y"]
