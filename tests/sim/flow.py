"""Records as a flow through senders, balancer, receivers, bus and consumers, step by step.

A fluid model: in each step of time every part takes what it can of what waits before it. What
cannot wait is lost and counted; nothing else ever is, which `Result.unaccounted` shows. Senders
are unlike: their shares of the rate, their partitions and their bursts come from a seed.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.sim.costs import MB, US, figure
from tests.sim.plan import Plan

MIX = {"udp": 0.2, "tcp": 0.6, "answered": 0.2}
"""Shares of the rate: what is told nothing, what is held up, what is answered (RELP, HTTP)."""

QUIET_SECONDS = 0.1
"""What waits anywhere is no more than so many seconds bring: then all is well."""

BURST = 0.25
"""Standard deviation of what a receiver is sent in a second, of its mean."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something is away for a time.

    Attributes:
        what: `receiver`, `server`, `bus` or `consumer`: one of many, one of many, all, all.
        start: seconds.
        stop: seconds.
    """

    what: str
    start: float
    stop: float

    def at(self, now: float) -> bool:
        """Whether it is away now."""
        return self.start <= now < self.stop


@dataclass(slots=True)
class Result:
    """What became of the records, and how far it went.

    Attributes:
        offered: by the senders.
        stored: by receivers.
        lost: by reason.
        held: at senders in the end.
        most_held: at senders at any time.
        most_unshipped: records stored and not yet in the bus, at any time.
        most_lag: records in the bus and not yet consumed, at any time.
        shipped: into the bus.
        consumed: from the bus.
        settled: seconds after the first fault until nearly nothing waited; None for never.
        busiest: the largest share of its capacity that a receiver was used at, over the run.
    """

    offered: float = 0.0
    stored: float = 0.0
    lost: dict[str, float] = field(default_factory=dict)
    held: float = 0.0
    most_held: float = 0.0
    most_unshipped: float = 0.0
    most_lag: float = 0.0
    shipped: float = 0.0
    consumed: float = 0.0
    settled: float | None = None
    busiest: float = 0.0

    @property
    def unaccounted(self) -> float:
        """Records that neither are anywhere nor were counted as lost."""
        return self.offered - self.stored - self.held - sum(self.lost.values())

    def lose(self, reason: str, count: float) -> None:
        """Count records that are gone."""
        if count > 0:
            self.lost[reason] = self.lost.get(reason, 0.0) + count


class Flow:
    """One run.

    Args:
        plan: what there is.
        faults: what goes wrong.
        seconds: how long senders send.
        step: seconds of a step.
        seed: of all that is random.
        spike: times the rate, from `spike_from` to `spike_to`.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        faults: Sequence[Fault] = (),
        seconds: float = 60.0,
        step: float = 0.1,
        seed: int = 1,
        spike: float = 1.0,
        spike_from: float = 10.0,
        spike_to: float = 20.0,
    ) -> None:
        self._plan = plan
        self._faults = faults
        self._seconds = seconds
        self._step = step
        self._random = random.Random(seed)
        self._spike = (spike, spike_from, spike_to)
        count = plan.receivers
        weights = [self._random.gauss(1.0, 0.05) for _ in range(count)]
        self._shares = [weight / sum(weights) for weight in weights]
        self._parts = _partitions(plan, self._random)
        self._held = [0.0] * count  # at senders, for this receiver
        self._buffered = [0.0] * count  # datagrams in the kernel
        self._used = [0.0] * count
        self._unshipped = [0.0] * plan.streams
        self._lag = [0.0] * plan.streams
        self._waited = 0.0
        self.result = Result()

    def run(self) -> Result:
        """Send for the time given."""
        now = 0.0
        while now < self._seconds:
            self._advance(now, self._rate(now))
            now += self._step
        result = self.result
        began = min((fault.start for fault in self._faults), default=0.0)
        if self._waited < now - self._step:
            result.settled = max(0.0, self._waited + self._step - began)
        result.held = sum(self._held) + sum(self._buffered)
        capacity = self._seconds / (figure("receive us/record") * US)
        result.busiest = max(self._used) / capacity
        return result

    def _rate(self, now: float) -> float:
        factor, start, stop = self._spike
        return self._plan.rate * (factor if start <= now < stop else 1.0)

    def _waiting(self) -> float:
        return sum(self._held) + sum(self._unshipped) + sum(self._lag)

    def _away(self, what: str, now: float) -> bool:
        return any(fault.what == what and fault.at(now) for fault in self._faults)

    def _advance(self, now: float, rate: float) -> None:
        self._receive(now, rate * self._step)
        self._ship(now)
        self._consume(now)
        result = self.result
        result.most_held = max(result.most_held, sum(self._held))
        result.most_unshipped = max(result.most_unshipped, sum(self._unshipped))
        result.most_lag = max(result.most_lag, sum(self._lag))
        if self._waiting() > self._plan.rate * QUIET_SECONDS:
            self._waited = now

    # --- receivers ---------------------------------------------------------------------------

    def _receive(self, now: float, offered: float) -> None:
        dead = self._away("receiver", now)
        known = dead and self._away("receiver", now - figure("check s"))
        if dead and not self._away("receiver", now - self._step):
            self._die()
        for number in range(self._plan.receivers):
            if number == 0 and known:
                continue
            share = self._shares[number] / (1.0 - self._shares[0] if known else 1.0)
            burst = max(0.0, self._random.gauss(1.0, BURST)) if offered else 0.0
            self._take(number, offered * share * burst, alive=not (number == 0 and dead))
        if known and self._held[0]:  # its senders connect anew, and reach the others
            for number in range(1, self._plan.receivers):
                self._held[number] += self._held[0] / (self._plan.receivers - 1)
            self._held[0] = 0.0

    def _die(self) -> None:
        """The first receiver dies: what TCP has in its buffers is gone, what is answered is not."""
        self.result.lose("udp, receiver dead", self._buffered[0])
        self._buffered[0] = 0.0
        gone = self._plan.rate * self._shares[0] * MIX["tcp"] * figure("tcp in flight s")
        self.result.lose("tcp in flight", gone)
        self.result.offered += gone

    def _take(self, number: int, offered: float, *, alive: bool) -> None:
        result = self.result
        result.offered += offered
        datagrams, rest = offered * MIX["udp"], offered * (1.0 - MIX["udp"])
        if not alive:
            result.lose("udp, receiver dead", datagrams)
            self._held[number] += rest
            return
        capacity = self._step / (figure("receive us/record") * US)
        waiting = self._buffered[number] + datagrams + self._held[number] + rest
        done = min(waiting, capacity)
        part = done / waiting if waiting else 0.0
        self._used[number] += done
        self._store(done)
        self._held[number] = (self._held[number] + rest) * (1.0 - part)
        left = (self._buffered[number] + datagrams) * (1.0 - part)
        room = figure("receive buffer MB") * MB / figure("wire B/record")
        self._buffered[number] = min(left, room)
        result.lose("udp, buffer full", left - self._buffered[number])

    def _store(self, count: float) -> None:
        self.result.stored += count
        for stream, part in enumerate(self._parts):
            self._unshipped[stream] += count * part

    # --- bus and consumers -------------------------------------------------------------------

    def _ship(self, now: float) -> None:
        if self._away("bus", now):
            return
        capacity = _stream_capacity(self._plan) * self._step
        away = self._away("server", now)
        electing = away and not self._away("server", now - figure("election s"))
        leaders = max(1, round(self._plan.streams / self._plan.servers)) if electing else 0
        for stream, waiting in enumerate(self._unshipped):
            if stream >= leaders:
                done = min(waiting, capacity)
                self._unshipped[stream] -= done
                self._lag[stream] += done
                self.result.shipped += done

    def _consume(self, now: float) -> None:
        if self._away("consumer", now) or self._away("bus", now):
            return
        capacity = self._plan.consumers * figure("consumer MB/s") * MB * self._step
        capacity /= figure("stored B/record") * self._plan.streams
        for stream, waiting in enumerate(self._lag):
            done = min(waiting, capacity)
            self._lag[stream] -= done
            self.result.consumed += done


def _stream_capacity(plan: Plan) -> float:
    """Records a second that one stream takes."""
    packed = figure("compression") if plan.compressed else 1.0
    return figure("stream MB/s, planned") * MB * packed / figure("stored B/record")


def _partitions(plan: Plan, chance: random.Random) -> list[float]:
    """The share of each partition: senders of unlike rates, each in the one its hash names."""
    weights = [0.0] * plan.streams
    for _ in range(min(plan.senders, 20_000)):
        weights[chance.randrange(plan.streams)] += chance.lognormvariate(0.0, 1.0)
    total = sum(weights)
    return [weight / total for weight in weights]
