"""The table of senders: who was heard when, how much, with what clock, and with what gaps.

A sender is an input, a peer and a host, as they stand on its records behind the privacy stage:
where the operator has hosts or peers masked, they are masked here too. A batch touches each of
its senders once, whatever number of records it brought.

The table is bounded; who was not heard for the longest time goes first, and that is counted. The
hosts of one peer are bounded as well: a sender that makes up names costs itself its detail, and
not the others their places.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, Final

from logopsd.records import Batch, Record

MAX_SOURCES: Final = 10_000
"""Senders in the table: a large site, in some 8 MiB."""

MAX_HOSTS_A_PEER: Final = 1_000
"""Hosts told apart behind one peer, as behind a relay; all further ones are OTHER_HOSTS."""

OTHER_HOSTS: Final = "(others)"
"""Stands for the hosts of a peer beyond the bound; no host has such a name."""

MAX_HOST_CHARS: Final = 255
"""Characters of a host that are kept: the longest name of RFC 5424, and of DNS."""

FORGET_SECONDS: Final = 7 * 86400.0
"""A sender silent for so long is taken out of service, and forgotten."""

SILENT_FLOOR_SECONDS: Final = 600.0
"""No sender counts as silent earlier."""

SILENT_MEANS: Final = 10.0
"""How many times its mean interval a sender may be silent."""

SILENT_LONGEST: Final = 2.0
"""How many times its longest interval so far: bursts far apart make a short mean."""

SILENT_MIN_INTERVALS: Final = 10
"""Intervals a sender must have had for its habit to be known."""

SAMPLE_SECONDS: Final = 1.0
"""How often a sender's clock is looked at, and the least that counts as an interval."""

SKEW_WEIGHT: Final = 0.2
"""Of a new look at a sender's clock, in the mean that is shown."""

MAX_SEQUENCE: Final = 2_147_483_647
"""Of RFC 5424 section 7.3.1; the next one is 1 again."""

MAX_GAP: Final = 100_000
"""Numbers left out at once; more is a counter that was set anew, and no loss."""

LATE: Final = 64
"""How far back a number may lie that came late, as UDP mixes them; more is a restart."""

_ZONE_STEP: Final = 900
"""Zones differ by quarters of an hour, seconds."""

_ZONE_TOLERANCE: Final = 240
"""How far beside a whole zone a clock may be for the zone to be guessed, seconds."""

_ZONE_MAX: Final = 14 * 3600

_ONE: Final = 1 << 48
"""A record, in sums that count records above and bytes below this bit."""

Key = tuple[str, str | None, str | None]


class Source:
    """One sender.

    Attributes:
        id: its number in the table, never given twice; what the log calls it.
        key: input, peer and host.
        first_seen: seconds since the epoch, as all times here.
        last_seen: when it was heard last.
        records: how many came.
        bytes: their size as received; of structured payloads the characters of the messages.
        skew: how far its clock is ahead of ours, seconds, smoothed; None where it tells no time.
        zone: the offset that its stamps without a zone seem to have, `+02:00`.
        gaps: numbers of its sequence that never came; None where it numbers nothing.
        is_silent: whether it has been silent for much longer than it used to be.
    """

    __slots__ = (
        "bytes",
        "first_seen",
        "gaps",
        "id",
        "intervals",
        "is_silent",
        "key",
        "last_seen",
        "longest",
        "records",
        "sampled_at",
        "sequence",
        "skew",
        "zone",
    )

    def __init__(self, id: int, key: Key, now: float) -> None:
        self.id = id
        self.key = key
        self.first_seen = self.last_seen = now
        self.records = 0
        self.bytes = 0
        self.skew: float | None = None
        self.zone: str | None = None
        self.gaps: int | None = None
        self.is_silent = False
        self.intervals = 0
        self.longest = 0.0  # seconds between two times it was heard
        self.sampled_at = 0.0
        self.sequence = 0  # the highest number that came

    def silence_allowed(self) -> float:
        """Return how long it may be silent before that is remarkable, seconds."""
        if self.intervals < SILENT_MIN_INTERVALS:
            return FORGET_SECONDS
        mean = (self.last_seen - self.first_seen) / self.intervals
        return max(SILENT_FLOOR_SECONDS, SILENT_MEANS * mean, SILENT_LONGEST * self.longest)

    def as_dict(self) -> dict[str, Any]:
        """Return it as it is shown."""
        input, peer, host = self.key
        return {
            "id": self.id,
            "input": input,
            "peer": peer,
            "host": host,
            "first_seen": round(self.first_seen, 3),
            "last_seen": round(self.last_seen, 3),
            "records": self.records,
            "bytes": self.bytes,
            "skew_seconds": None if self.skew is None else round(self.skew, 3),
            "zone": self.zone,
            "gaps": self.gaps,
            "silent": self.is_silent,
        }


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
        hosts: list[str | None] = [record.host for record in records]
        peers: list[str | None] = [record.peer for record in records]
        one_peer = len(set(peers)) == 1
        if one_peer and len(set(hosts)) == 1:
            self._note(batch, peers[0], hosts[0], len(records), sum(sizes), records)
            return
        # Texts remember their hash, pairs of them do not: by the host alone it takes half as long,
        # and it is enough where each host has but one peer.
        last = dict(zip(hosts, records, strict=True))
        if not one_peer:
            peer_of = {host: record.peer for host, record in last.items()}
            if list(map(peer_of.__getitem__, hosts)) != peers:
                self._see_pairs(batch, list(zip(peers, hosts, strict=True)), sizes)
                return
        sums = dict.fromkeys(hosts, 0)
        for host, size in zip(hosts, sizes, strict=True):
            sums[host] += size + _ONE
        for host, packed in sums.items():
            self._note_one_of(batch, last[host], packed)

    def _see_pairs(
        self, batch: Batch, pairs: Sequence[tuple[str | None, str | None]], sizes: Sequence[int]
    ) -> None:
        """Note a batch in which a host has several peers: some relays have the same senders."""
        last = dict(zip(pairs, batch.records, strict=True))
        sums = dict.fromkeys(pairs, 0)
        for pair, size in zip(pairs, sizes, strict=True):
            sums[pair] += size + _ONE
        for pair, packed in sums.items():
            self._note_one_of(batch, last[pair], packed)

    def _note_one_of(self, batch: Batch, last: Record, packed: int) -> None:
        """Note one sender of several: its last record, and its records and bytes in one number."""
        mine: Sequence[Record] = (last,)
        peer, host = last.peer, last.host
        if _sequence_of(last):
            mine = [r for r in batch.records if r.host == host and r.peer == peer]
        self._note(batch, peer, host, packed >> 48, packed & (_ONE - 1), mine)

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

    def _note(
        self,
        batch: Batch,
        peer: str | None,
        host: str | None,
        count: int,
        size: int,
        records: Sequence[Record],
    ) -> None:
        """Note records of one sender, of which those given are looked at: the last, or all."""
        now = batch.now
        source = self._find((batch.input, peer, host), now)
        source.records += count
        source.bytes += size
        passed = now - source.last_seen
        if passed >= SAMPLE_SECONDS:
            source.intervals += 1
            if passed > source.longest and not source.is_silent:
                source.longest = passed
        if passed > 0:
            source.last_seen = now
        source.is_silent = False
        sample = records[-1]
        if now - source.sampled_at >= SAMPLE_SECONDS or now < source.sampled_at:
            source.sampled_at = now
            self._look_at_clock(source, sample, batch)
        if _sequence_of(sample):
            _follow(source, filter(None, map(_sequence_of, records)))

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

    def _look_at_clock(self, source: Source, record: Record, batch: Batch) -> None:
        if record.ts == batch.received:  # it told no time
            return
        try:
            ahead = datetime.fromisoformat(record.ts).timestamp() - batch.now
        except (ValueError, OverflowError):
            return
        source.zone = None
        if record.guessed and "zone" in record.guessed:
            ahead = self._without_zone(source, ahead, batch.now)
        skew = source.skew
        source.skew = ahead if skew is None else skew + SKEW_WEIGHT * (ahead - skew)

    def _without_zone(self, source: Source, ahead: float, now: float) -> float:
        """Take the zone that a difference of whole zones suggests out of it."""
        shift = round(ahead / _ZONE_STEP) * _ZONE_STEP
        assumed = datetime.fromtimestamp(now, self.tz).utcoffset() or timedelta()
        offset = assumed.total_seconds() + shift
        if abs(ahead - shift) > _ZONE_TOLERANCE or abs(offset) > _ZONE_MAX:
            return ahead  # its clock is wrong, or it sends what is old
        name = timezone(timedelta(seconds=offset)).tzname(None)
        source.zone = name.removeprefix("UTC") or "+00:00"
        return ahead - shift


def _sequence_of(record: Record) -> int:
    """Return the number a sender gave a record; 0 where it gave none.

    RFC 5424 section 7.3.1 has it in structured data, Cisco devices before the message.
    """
    if record.sd is not None:
        meta = record.sd.get("meta")
        number = None if meta is None else meta.get("sequenceId")
        if type(number) is str and len(number) <= 10 and number.isascii() and number.isdigit():
            return int(number)
    elif record.extras is not None and record.format != "json":
        number = record.extras.get("sequence")
        if type(number) is int and number > 0:
            return number
    return 0


def _follow(source: Source, numbers: Iterable[int]) -> None:
    """Count the numbers that are left out."""
    gaps = source.gaps or 0
    highest = source.sequence
    for number in numbers:
        ahead = number - highest
        if highest and 1 < ahead <= MAX_GAP:
            gaps += ahead - 1
        elif -LATE < ahead <= 0 and number > 1:
            gaps = max(0, gaps - (ahead < 0))  # it was counted as left out
            continue
        highest = 0 if number >= MAX_SEQUENCE else number
    source.gaps, source.sequence = gaps, highest
