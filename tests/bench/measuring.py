"""One measurement: a daemon, a sender, and what the metrics page and /proc say of them."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench import payloads, senders
from tests.e2e.harness import Daemon, Page

WARM_UP_SECONDS = 0.2  # fills the caches of the parsers
PATIENCE_SECONDS = 120.0  # for what was sent to be stored
MAX_LOSS = 0.001  # share of datagrams lost at which a rate counts as kept
FIRST_UDP_RATE = 40_000.0  # datagrams a second
UDP_STEP = 1.3
UDP_ATTEMPTS = 3  # before a rate is taken for more than the sender can do
UDP_REFINEMENTS = 3  # halvings between the last rate kept and the first one not
SETTLE_SECONDS = 0.5  # without change, after which datagrams not accounted for are lost
BATCH_CONNECTIONS = 4
SINGLE_CONNECTIONS = 32


@dataclass
class Measured:
    """One line of the table.

    Attributes:
        name: what was sent, and how.
        encryption: whether tokens were written.
        records_per_second: from the first byte sent until the last record was stored.
        cpu_seconds_per_million: of the daemon's process, for a million records.
        peak_rss_mib: the largest resident size of the process.
        loss: share of the records that were not stored; UDP only.
    """

    name: str
    encryption: bool
    records_per_second: float
    cpu_seconds_per_million: float
    peak_rss_mib: float
    loss: float = 0.0


@dataclass(frozen=True)
class Scenario:
    """What is measured: `send` sends for some seconds and returns the number of records.

    Over UDP it is None, as the rate has to be found first (`measure_udp`).
    """

    name: str
    send: Callable[[Daemon, float], int] | None


def scenarios() -> list[Scenario]:
    """Return all scenarios, their bytes built."""
    lines, counted, mixed = payloads.rfc3164(), payloads.rfc5424(), payloads.mix()
    batches, singles = payloads.documents(payloads.BATCH), payloads.documents(1)

    def over_tcp(payload: payloads.Payload) -> Callable[[Daemon, float], int]:
        return lambda daemon, seconds: senders.send_tcp(daemon.address("tcp"), payload, seconds)

    def over_http(bodies: list[bytes], size: int, peers: int) -> Callable[[Daemon, float], int]:
        return lambda daemon, seconds: senders.send_http(
            daemon.address("http"), bodies, size, peers, seconds
        )

    return [
        Scenario("tcp, rfc3164, 158 B, LF", over_tcp(lines)),
        Scenario("tcp, rfc5424, 200 B, octet", over_tcp(counted)),
        Scenario("tcp, mix of formats, LF", over_tcp(mixed)),
        Scenario(
            f"http, json, {payloads.BATCH} a request",
            over_http(batches, payloads.BATCH, BATCH_CONNECTIONS),
        ),
        Scenario("http, json, 1 a request", over_http(singles, 1, SINGLE_CONNECTIONS)),
        Scenario("udp, rfc5424, 200 B", None),
    ]


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process with all its threads (proc(5), stat 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_rss_mib(pid: int) -> float:
    """Return the largest resident size of a process so far (VmHWM of proc(5))."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def stored(page: Page) -> int:
    """Return the records stored."""
    return int(page.sum("logops_accepted_total"))


def measure(daemon: Daemon, scenario: Scenario, seconds: float, encryption: bool) -> Measured:
    """Send for some time, wait until all is stored, and compute what it took."""
    assert scenario.send is not None
    before = scenario.send(daemon, WARM_UP_SECONDS)
    daemon.wait_for(lambda: stored(daemon.metrics()) >= before, "the warm-up", PATIENCE_SECONDS)
    cpu, begin = cpu_seconds(daemon.pid), time.monotonic()
    sent = scenario.send(daemon, seconds)
    daemon.wait_for(
        lambda: stored(daemon.metrics()) >= before + sent, f"{sent} records", PATIENCE_SECONDS
    )
    took, cpu = time.monotonic() - begin, cpu_seconds(daemon.pid) - cpu
    return Measured(
        scenario.name, encryption, sent / took, cpu / sent * 1e6, peak_rss_mib(daemon.pid)
    )


def measure_udp(daemon: Daemon, name: str, seconds: float, encryption: bool) -> Measured:
    """Raise the rate until more than MAX_LOSS is lost; return the highest rate that was kept."""
    datagrams = payloads.datagrams()
    kept: Measured | None = None
    too_fast = float("inf")
    rate, refinements, behind = FIRST_UDP_RATE, 0, 0
    while refinements <= UDP_REFINEMENTS:
        tried, reached = _try_rate(daemon, name, datagrams, rate, seconds, encryption)
        if tried.loss <= MAX_LOSS and reached:
            kept = tried
        elif tried.loss <= MAX_LOSS:  # the sender fell behind, not the daemon
            behind += 1
            if behind == UDP_ATTEMPTS:
                return replace(tried, name=f"{name} (sender's limit)")
            continue
        else:
            too_fast = rate
        if too_fast == float("inf"):
            rate *= UDP_STEP
        else:
            low = kept.records_per_second if kept else too_fast / 4
            rate, refinements = (low + too_fast) / 2, refinements + 1
    return kept or tried


def _try_rate(
    daemon: Daemon,
    name: str,
    datagrams: list[bytes],
    rate: float,
    seconds: float,
    encryption: bool,
) -> tuple[Measured, bool]:
    """Send at one rate; return what came of it, and whether the sender kept the rate."""
    before, cpu = stored(daemon.metrics()), cpu_seconds(daemon.pid)
    sent = senders.send_udp(daemon.address("udp"), datagrams, rate, seconds)
    came = _settled(daemon, before, sent)
    cpu = cpu_seconds(daemon.pid) - cpu
    measured = Measured(
        name,
        encryption,
        came / seconds,
        cpu / max(came, 1) * 1e6,
        peak_rss_mib(daemon.pid),
        (sent - came) / sent,
    )
    return measured, sent > 0.97 * rate * seconds


def _settled(daemon: Daemon, before: int, sent: int) -> int:
    """Wait until all that was sent is stored, or nothing more comes; return what was stored."""
    came, since = -1, time.monotonic()
    while time.monotonic() - since < SETTLE_SECONDS and came < sent:
        now = stored(daemon.metrics()) - before
        if now != came:
            came, since = now, time.monotonic()
        time.sleep(0.02)
    return came
