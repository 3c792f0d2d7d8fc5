"""Records a second for each peer: a token bucket each, in a bounded table; time is handed in.

A bucket fills with `rate` tokens a second up to BURST_SECONDS of them, and a record costs one. So
a peer may send in bursts, and in the long run no more than its rate.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from logopsd.records import Frames

BURST_SECONDS: Final = 5.0
"""How much a peer may save up: what a service says while it starts, at its usual rate."""

QUIET_SECONDS: Final = 5.0
"""How long nothing of a peer was suppressed when it is said to have ended."""

LOCAL: Final = "unix"
"""The peer of a Unix socket."""

MAX_PEERS: Final = 10_000
"""Peers with a bucket of their own, the last heard of; 2 MiB. Who is forgotten begins anew."""


class _Bucket(msgspec.Struct):
    tokens: float
    filled: float  # when `tokens` was last true
    input: str = ""  # where suppression began
    began: float = 0.0
    last: float = 0.0  # when something was last suppressed
    suppressed: int = 0
    told: bool = False


class Notice(msgspec.Struct, frozen=True):
    """That records of a peer begin to be suppressed, or are so no more.

    Attributes:
        peer: whose.
        input: where it began.
        ended: False at the beginning.
        suppressed: how many records, so far or in all.
        began: seconds since the epoch.
    """

    peer: str
    input: str
    ended: bool
    suppressed: int
    began: float


class RateLimiter:
    """Decides how many records of a peer are taken.

    Args:
        rate: records a second.
        max_peers: how many buckets there may be.
    """

    def __init__(self, rate: int, *, max_peers: int = MAX_PEERS) -> None:
        self._rate = rate
        self._burst = rate * BURST_SECONDS
        self._max_peers = max_peers
        self._buckets: dict[str, _Bucket] = {}  # the one longest unheard of first
        self._suppressing: set[str] = set()
        self._forgotten: list[Notice] = []

    def set_rate(self, rate: int) -> None:
        """Let peers send at another rate from now on, records a second."""
        self._rate = rate
        self._burst = rate * BURST_SECONDS
        for bucket in self._buckets.values():
            bucket.tokens = min(bucket.tokens, self._burst)

    def take(self, input: str, peer: str, count: int, now: float) -> int:
        """Say how many of a peer's records may be taken; the rest is suppressed.

        Args:
            input: where they came in.
            peer: whose they are; `unix` is no address but all programs of this host, and is not
                limited.
            count: how many there are.
            now: seconds since the epoch; where it leaps back, nobody gains or loses.
        """
        if peer == LOCAL:
            return count
        bucket = self._bucket(peer, now)
        gained = max(0.0, now - bucket.filled) * self._rate
        bucket.tokens = min(self._burst, bucket.tokens + gained)
        bucket.filled = now
        taken = min(count, int(bucket.tokens))
        bucket.tokens -= taken
        if taken < count:
            if not bucket.suppressed:
                bucket.began, bucket.input = now, input
                self._suppressing.add(peer)
            bucket.suppressed += count - taken
            bucket.last = now
        return taken

    def notices(self, now: float, *, final: bool = False) -> list[Notice]:
        """Say what began and what ended since this was last asked.

        Args:
            now: seconds since the epoch.
            final: the daemon ends, and with it every suppression.
        """
        found, self._forgotten = self._forgotten, []
        for peer in sorted(self._suppressing):
            bucket = self._buckets[peer]
            if not bucket.told:
                bucket.told = True
                found.append(_notice(peer, bucket, ended=False))
            if final or not 0 <= now - bucket.last < QUIET_SECONDS:
                found.append(_notice(peer, bucket, ended=True))
                bucket.suppressed, bucket.told = 0, False
                self._suppressing.discard(peer)
        return found

    def _bucket(self, peer: str, now: float) -> _Bucket:
        """The peer's bucket, moved behind all others; a new one is full."""
        bucket = self._buckets.pop(peer, None)
        if bucket is None:
            bucket = _Bucket(self._burst, now)
            if len(self._buckets) >= self._max_peers:
                self._forget(next(iter(self._buckets)))
        self._buckets[peer] = bucket
        return bucket

    def _forget(self, peer: str) -> None:
        bucket = self._buckets.pop(peer)
        if peer in self._suppressing:
            self._suppressing.discard(peer)
            self._forgotten.append(_notice(peer, bucket, ended=True))


def limit_frames(
    limiter: RateLimiter,
    input: str,
    frames: Frames,
    peers: str | Sequence[str] | None,
    now: float,
) -> tuple[Frames, str | Sequence[str] | None]:
    """Leave away the frames that are too many: of each peer the last ones.

    Args:
        limiter: decides.
        input: where they came in.
        frames: of one read.
        peers: of all frames, or of each; None (nobody knows) is not limited.
        now: seconds since the epoch.

    Returns:
        What remains, in order.
    """
    if peers is None:
        return frames, peers
    if isinstance(peers, str):
        total = len(frames.frames)
        taken = limiter.take(input, peers, total, now)
        return (frames if taken == total else _kept(frames, range(taken))), peers
    counts = Counter(peers)
    taken_of = {peer: limiter.take(input, peer, count, now) for peer, count in counts.items()}
    if taken_of == counts:
        return frames, peers
    places = []
    for place, peer in enumerate(peers):
        if taken_of[peer]:
            taken_of[peer] -= 1
            places.append(place)
    return _kept(frames, places), [peers[place] for place in places]


def _kept(frames: Frames, places: Sequence[int]) -> Frames:
    cut = {new: frames.cut[old] for new, old in enumerate(places) if old in frames.cut}
    return msgspec.structs.replace(
        frames, frames=[frames.frames[place] for place in places], cut=cut
    )


def _notice(peer: str, bucket: _Bucket, *, ended: bool) -> Notice:
    return Notice(peer, bucket.input, ended, bucket.suppressed, bucket.began)
