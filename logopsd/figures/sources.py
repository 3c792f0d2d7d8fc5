"""The table of senders: who was heard when, how much, with what clock, and with what gaps.

A sender is an input, a peer and a host, as they stand on its records behind the privacy stage:
where the operator has hosts or peers masked, they are masked here too. A batch touches each of
its senders once, whatever number of records it brought.

The table is bounded; who was not heard for the longest time goes first, and that is counted. The
hosts of one peer are bounded as well: a sender that makes up names costs itself its detail, and
not the others their places.
"""

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

from logopsd.figures.source import FORGET_SECONDS, SILENT_FLOOR_SECONDS, Key, Source, sequence_of
from logopsd.records import Batch, Record

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

_Pair = tuple[str | None, str | None]
"""Peer and host."""


class Sources:
    """The table.

    Args:
        tz: the zone that stamps without one are taken for; the guess at a zone starts there.
        max_sources: see MAX_SOURCES.
        max_hosts: see MAX_HOSTS_A_PEER.

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
    ) -> None:
        self.tz = tz
        self.silent = 0
        self.evicted = 0
        self._max_sources = max_sources
        self._max_hosts = max_hosts
        self._table: OrderedDict[Key, Source] = OrderedDict()  # the one heard last, last
        self._hosts: dict[tuple[str, str | None], int] = {}  # how many a peer has
        self._next_id = 1

    def __len__(self) -> int:
        return len(self._table)

    def see(self, batch: Batch, sizes: Sequence[int] | None = None) -> None:
        """Take note of the senders of a batch, behind the privacy stage.

        Args:
            batch: its records, and the time of their arrival.
            sizes: bytes of each record as received; the characters of its message where None, or
                where it does not fit the records.
        """
        records = batch.records
        if not records:
            return
        if sizes is None or len(sizes) != len(records):
            sizes = [len(record.msg) for record in records]
        size = sum(sizes)
        hosts: list[str | None] = [record.host for record in records]
        peers: list[str | None] = [record.peer for record in records]
        one_peer = len(set(peers)) == 1
        if one_peer and len(set(hosts)) == 1:
            source = self._note((batch.input, peers[0], hosts[0]), batch.now, len(records), size)
            if source.is_due(batch.now) or sequence_of(records[-1]):
                self._look(source, records, batch)
            return
        counts: Mapping[_Pair, int]
        host_of = dict(zip(peers, hosts, strict=True))
        # Texts remember their hash and pairs do not, so pairs are counted only where they must be.
        if one_peer:
            counts = {(peers[0], host): count for host, count in Counter(hosts).items()}
        elif list(map(host_of.__getitem__, peers)) == hosts:
            counts = {(peer, host_of[peer]): count for peer, count in Counter(peers).items()}
        else:
            counts = Counter(zip(peers, hosts, strict=True))
        self._see_several(batch, counts, size)

    def _see_several(self, batch: Batch, counts: Mapping[_Pair, int], size: int) -> None:
        """Note several senders of one batch, and look only at those that have to be looked at."""
        left = len(batch.records)
        mine: dict[_Pair, list[Record]] = {}
        due: list[tuple[_Pair, Source]] = []
        for pair, count in counts.items():
            share = size * count // left  # of what is left, so that the shares add up
            size -= share
            left -= count
            source = self._note((batch.input, *pair), batch.now, count, share)
            if source.gaps is not None or source.is_due(batch.now):
                due.append((pair, source))
                mine[pair] = []
        if due:
            for record in batch.records:
                records = mine.get((record.peer, record.host))
                if records is not None:
                    records.append(record)
            for pair, source in due:
                self._look(source, mine[pair], batch)

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

    def page(self, now: float) -> dict[str, Any]:
        """Return the table as it is shown, who was heard last first.

        Args:
            now: seconds since the epoch.
        """
        return {
            "now": round(now, 3),
            "known": len(self._table),
            "silent": self.silent,
            "evicted": self.evicted,
            "sources": [source.as_dict() for source in reversed(self._table.values())],
        }

    def _note(self, key: Key, now: float, count: int, size: int) -> Source:
        """Note how much came of one sender."""
        source = self._find(key, now)
        source.records += count
        source.bytes += size
        passed = now - source.last_seen
        if passed >= INTERVAL_SECONDS:
            source.intervals += 1
            if passed > source.longest and not source.is_silent:
                source.longest = passed
        if passed > 0:
            source.last_seen = now
        source.is_silent = False
        return source

    def _look(self, source: Source, records: Sequence[Record], batch: Batch) -> None:
        """Look at records of one sender, for its clock and its numbers."""
        if source.is_due(batch.now):
            source.sampled_at = batch.now
            source.look_at_clock(records[-1], batch, self.tz)
        if sequence_of(records[-1]):
            source.follow(filter(None, map(sequence_of, records)))

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
            self._next_id += 1
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
