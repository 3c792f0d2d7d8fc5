"""The table of senders: who was heard when, how much, with what clock, and with what gaps.

A sender is an input, a peer and a host, as they stand on its records behind the privacy stage:
where the operator has hosts or peers masked, they are masked here too. A batch touches each of
its senders once, whatever number of records it brought.

The table is bounded; who was not heard for the longest time goes first, and that is counted. The
hosts of one peer are bounded as well: a sender that makes up names costs itself its detail, and
not the others their places.
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import tzinfo
from itertools import islice
from typing import Any, Final

from logopsd.figures.shares import Share, shares_of
from logopsd.figures.source import FORGET_SECONDS, SILENT_FLOOR_SECONDS, Key, Source
from logopsd.records import Batch

MAX_SOURCES: Final = 10_000
"""Senders in the table: a large site, in some 8 MiB."""

MAX_HOSTS_A_PEER: Final = 1_000
"""Hosts told apart behind one peer, as behind a relay; all further ones are OTHER_HOSTS."""

OTHER_HOSTS: Final = "(others)"
"""Stands for the hosts of a peer beyond the bound; no host has such a name."""

MAX_HOST_CHARS: Final = 255
"""Characters of a host that are kept: the longest name of RFC 5424, and of DNS."""

INTERVAL_SECONDS: Final = 1.0
"""The least time between two batches that counts as an interval: bursts make none."""


class Sources:
    """The table.

    Args:
        tz: the zone that stamps without one are taken for; the guess at a zone starts there.
        max_sources: see MAX_SOURCES.
        max_hosts: see MAX_HOSTS_A_PEER.
        first_id: the number of the first sender.
        id_step: from one number to the next, so that several tables give none twice.

    Attributes:
        tz: as given; may be replaced as settings change.
        silent: how many are silent, as of the last `check`.
        evicted: how many lost their place to others.
    """

    def __init__(
        self,
        *,
        tz: tzinfo,
        max_sources: int = MAX_SOURCES,
        max_hosts: int = MAX_HOSTS_A_PEER,
        first_id: int = 1,
        id_step: int = 1,
    ) -> None:
        self.tz = tz
        self.silent = 0
        self.evicted = 0
        self._max_sources = max_sources
        self._max_hosts = max_hosts
        self._table: OrderedDict[Key, Source] = OrderedDict()  # the one heard last, last
        self._hosts: dict[tuple[str, str | None], int] = {}  # how many a peer has
        self._next_id = first_id
        self._id_step = id_step

    def __len__(self) -> int:
        return len(self._table)

    def see(self, batch: Batch, sizes: Sequence[int] | None = None) -> None:
        """Take note of the senders of a batch, behind the privacy stage.

        Args:
            batch: its records, and the time of their arrival.
            sizes: as `shares_of` takes them.
        """
        for share in shares_of(batch.records, sizes):
            source = self._note(share, batch)
            if source.is_due(batch.now):
                source.sampled_at = batch.now
                source.look_at_clock(batch.records[share.last], batch, self.tz)
            if share.numbers:
                source.follow(share.numbers)

    def check(self, now: float) -> list[Source]:
        """Look who is silent, and forget who has been so for too long; to be called each minute.

        Args:
            now: seconds since the epoch.

        Returns:
            Those that have fallen silent since the last look.
        """
        while self._table:
            oldest = next(iter(self._table.values()))
            if now - oldest.last_seen <= FORGET_SECONDS:
                break
            self._remove(oldest)
        fallen = []
        silent = 0
        for source in self._table.values():
            quiet = now - source.last_seen
            if quiet < SILENT_FLOOR_SECONDS:
                break  # all behind it were heard later
            if not source.is_silent and quiet > source.silence_allowed():
                source.is_silent = True
                fallen.append(source)
            silent += source.is_silent
        self.silent = silent
        return fallen

    def page(self, now: float, *, most: int | None = None) -> dict[str, Any]:
        """Return the table as it is shown, who was heard last first.

        Args:
            now: seconds since the epoch.
            most: how many senders are named at most; None for all.
        """
        newest = islice(reversed(self._table.values()), most)
        return {
            "now": round(now, 3),
            "known": len(self._table),
            "silent": self.silent,
            "evicted": self.evicted,
            "sources": [source.as_dict() for source in newest],
        }

    def _note(self, share: Share, batch: Batch) -> Source:
        """Note how much came of one sender."""
        now = batch.now
        source = self._find((batch.input, share.peer, share.host), now)
        source.records += share.records
        source.bytes += share.bytes
        passed = now - source.last_seen
        if passed >= INTERVAL_SECONDS:
            source.intervals += 1
            if passed > source.longest and not source.is_silent:
                source.longest = passed
        if passed > 0:
            source.last_seen = now
        source.is_silent = False
        return source

    def _find(self, key: Key, now: float) -> Source:
        """Return the entry of a sender, made where there is none, and put it last."""
        table = self._table
        source = table.get(key)
        if source is None:
            key = self._bounded(key)
            source = table.get(key)
        if source is None:
            if len(table) >= self._max_sources:
                self._remove(next(iter(table.values())))
                self.evicted += 1
            source = table[key] = Source(self._next_id, key, now)
            self._next_id += self._id_step
            peer = key[:2]
            self._hosts[peer] = self._hosts.get(peer, 0) + 1
        else:
            table.move_to_end(key)
        return source

    def _bounded(self, key: Key) -> Key:
        """Return the key under which a sender that has no entry yet gets one."""
        input, peer, host = key
        if host is not None and len(host) > MAX_HOST_CHARS:
            key = (input, peer, host[:MAX_HOST_CHARS])
        if key not in self._table and self._hosts.get((input, peer), 0) >= self._max_hosts:
            return (input, peer, OTHER_HOSTS)
        return key

    def _remove(self, source: Source) -> None:
        del self._table[source.key]
        peer = source.key[:2]
        self._hosts[peer] -= 1
        if not self._hosts[peer]:
            del self._hosts[peer]
