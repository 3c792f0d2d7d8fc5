"""The highest rate of datagrams that a program keeps, found by bisection."""

import time

from tests.bench import payloads
from tests.bench.rivals import Rival
from tests.bench.senders import DatagramSender
from tests.bench.throughput import POLL_SECONDS, WARM_UP_SECONDS, Values

MAX_LOSS = 0.001
CALM_RATE = 40_000.0  # datagrams a second that all keep: what each costs is compared there
TRIES = 6
NEAR_ENOUGH = 1.03  # of the least rate that was not kept to the highest that was
LATE_SHARE = 0.1  # of the time of sending: what is stored later than that lay in a queue, as the
# rate was not kept, only put off; rsyslogd's holds 200,000 messages behind the kernel's 20,000
IDLE_SECONDS = 1.0  # without a new record, after which what is missing is lost


def measure(rival: Rival, seconds: float) -> Values:
    """Find the highest rate at which less than MAX_LOSS is lost.

    Returns:
        `rate`: datagrams/s, 0 where none was kept; `cpu`: CPU seconds a million at CALM_RATE;
        `rss`: peak MiB; `sender`: 1 where the sender could send no faster, else 0.
    """
    sender = DatagramSender(rival.addresses["udp"], payloads.datagrams())
    try:
        _keeps(rival, sender, CALM_RATE, WARM_UP_SECONDS)  # caches are filled, patterns compiled
        cpu = rival.cpu()
        good, sent = _keeps(rival, sender, CALM_RATE, seconds)
        cpu = (rival.cpu() - cpu) / sent * 1e6
        kept, missed = (CALM_RATE, 0.0) if good else (0.0, CALM_RATE)
        guess = 1e6 / cpu if good else CALM_RATE / 2
        rate, limited = _highest(rival, sender, kept, missed, guess, seconds)
        return {"rate": rate, "cpu": cpu, "rss": rival.rss(), "sender": float(limited)}
    finally:
        sender.close()


def _highest(
    rival: Rival, sender: DatagramSender, kept: float, missed: float, rate: float, seconds: float
) -> tuple[float, bool]:
    """Return the highest rate kept, and whether it was the sender's limit.

    Args:
        rival: the program.
        sender: to it.
        kept: a rate that it keeps.
        missed: one that it does not; 0 where none is known.
        rate: tried first.
        seconds: a try.
    """
    for _ in range(TRIES):
        good, sent = _keeps(rival, sender, rate, seconds)
        if not good:  # for once it may have been the machine that stood still
            good, sent = _keeps(rival, sender, rate, seconds)
        if good and sent < 0.97 * rate * seconds:
            return sent / seconds, True
        if good:
            kept = max(kept, rate)
        else:
            missed = rate
        if missed and missed < kept * NEAR_ENOUGH:
            break
        rate = (kept + missed) / 2 if missed else kept * 1.25
    return kept, False


def _keeps(rival: Rival, sender: DatagramSender, rate: float, seconds: float) -> tuple[bool, int]:
    """Send at a rate; return whether nearly all was stored in time, and what was sent."""
    before = rival.stored()
    sent = sender.send(rate, seconds)
    end = time.time()
    came, since = -1, time.monotonic()
    while came < sent and time.monotonic() - since < IDLE_SECONDS:
        now = rival.stored() - before
        if now != came:
            came, since = now, time.monotonic()
        time.sleep(POLL_SECONDS)
    late = rival.written_at() - end > LATE_SHARE * seconds
    return sent - came <= MAX_LOSS * sent and not late, sent
