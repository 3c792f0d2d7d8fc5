"""The daemon beside rsyslogd, syslog-ng and a FastAPI gateway, in one run on one machine.

Every program runs as a process on one core, the sender on another, and gets the same prebuilt
bytes. They take turns, and the median of the rounds is shown: on a shared machine single figures
are noise, and only the ratios of one run say something.
"""

import argparse
import base64
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

if not __package__:  # run as a file: make the root of the repository importable
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import payloads, rivals, senders
from tests.bench.rivals import Rival
from tests.bench.throughput import machine, progress

Start = Callable[[Path, int], contextlib.AbstractContextManager[Rival]]
Send = Callable[[Rival, float], int]

WARM_UP_SECONDS = 0.3
PATIENCE_SECONDS = 120.0
IDLE_SECONDS = 2.5  # without a new line, after which what is missing is lost; omfile flushes late
MAX_LOSS = 0.001
UDP_RATES = (20e3, 40e3, 60e3, 80e3, 100e3, 120e3, 140e3, 160e3, 180e3, 200e3, 240e3, 280e3)
ROW = "{:<32} {:<24} {:>11} {:>9} {:>8} {:>9} {:>7}"


@dataclass
class Row:
    """What one program did in one scenario: medians over the rounds.

    Attributes:
        scenario: what was sent, and how.
        rival: the program.
        rate: records/s, from the first byte until the last record was in the file; for UDP the
            highest rate with a loss below MAX_LOSS.
        cpu: CPU seconds for a million records; 0 for UDP, where a rate is searched.
        rss: peak resident size, MiB.
    """

    scenario: str
    rival: str
    rate: float
    cpu: float
    rss: float


@dataclass(frozen=True)
class Scenario:
    """What is sent, and to whom; `send` is None for UDP, where a rate is searched."""

    name: str
    starts: Sequence[Start]
    send: Send | None


def scenarios(key: str) -> list[Scenario]:
    """Return all scenarios, their bytes built."""
    lines, counted, long = payloads.rfc3164(), payloads.rfc5424(), payloads.rfc3164(1024)
    batches, singles = payloads.documents(payloads.BATCH), payloads.documents(1)

    def receivers(rfc5424: bool) -> list[Start]:
        return [
            rivals.logopsd,
            partial(rivals.rsyslogd, masking=True),
            partial(rivals.rsyslogd, masking=False),
            partial(rivals.syslog_ng, rfc5424=rfc5424),
        ]

    def tcp(transport: str, payload: payloads.Payload) -> Send:
        return lambda rival, seconds: senders.send_tcp(rival.addresses[transport], payload, seconds)

    def http(bodies: list[bytes], size: int, peers: int) -> Send:
        return lambda rival, seconds: senders.send_http(
            rival.addresses["http"], bodies, size, peers, seconds
        )

    secret: list[Start] = [partial(rivals.logopsd, key=key), partial(rivals.gateway, key=key)]
    clear: list[Start] = [rivals.logopsd, rivals.gateway]
    many, one = http(batches, payloads.BATCH, 4), http(singles, 1, 32)
    return [
        Scenario("tcp, rfc3164, 158 B, LF", receivers(False), tcp("tcp", lines)),
        Scenario("tcp, rfc5424, 200 B, octet", receivers(True), tcp("octet", counted)),
        Scenario("tcp, rfc3164, 1 KiB, LF", receivers(False), tcp("tcp", long)),
        Scenario("udp, rfc5424, 200 B", receivers(True), None),
        Scenario("http, 500 a request", clear, many),
        Scenario("http, 500, encrypted", secret, many),
        Scenario("http, 1 a request", clear, one),
        Scenario("http, 1, encrypted", secret, one),
    ]


def measure(rival: Rival, send: Send, seconds: float) -> tuple[float, float, float]:
    """Return records/s, CPU seconds a million, and peak MiB."""
    before = send(rival, WARM_UP_SECONDS)
    _wait(rival, before)
    cpu, begin = rival.cpu(), time.monotonic()
    sent = send(rival, seconds)
    took = _wait(rival, before + sent) - begin
    return sent / took, (rival.cpu() - cpu) / sent * 1e6, rival.rss()


def _wait(rival: Rival, count: int) -> float:
    """Wait until so many records are stored; return when that was."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (stored := rival.stored()) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{rival.name}: {stored} of {count} records after a long wait")
        time.sleep(0.05)
    return time.monotonic()


def highest_rate(rival: Rival, seconds: float) -> tuple[float, float, float]:
    """Return the highest of UDP_RATES that loses less than MAX_LOSS, 0, and peak MiB."""
    datagrams, kept = payloads.datagrams(), 0.0
    for rate in UDP_RATES:
        before = rival.stored()
        sent = senders.send_udp(rival.addresses["udp"], datagrams, rate, seconds)
        came, since = -1, time.monotonic()
        while came < sent and time.monotonic() - since < IDLE_SECONDS:
            now = rival.stored() - before
            if now != came:
                came, since = now, time.monotonic()
            time.sleep(0.05)
        if sent < 0.95 * rate * seconds or sent - came > MAX_LOSS * sent:
            break
        kept = sent / seconds
    return kept, 0.0, rival.rss()


def run(scenario: Scenario, seconds: float, rounds: int, cpu: int) -> Iterator[Row]:
    """Let the programs take turns, and yield the medians of each."""
    figures: dict[str, list[tuple[float, float, float]]] = {}
    for number in range(rounds):
        for start in scenario.starts:
            with (
                tempfile.TemporaryDirectory(prefix="logopsd-bench-") as directory,
                start(Path(directory), cpu) as rival,
            ):
                progress(f"{scenario.name}: {rival.name}, round {number + 1} of {rounds}")
                if scenario.send is None:
                    figure = highest_rate(rival, seconds / 2)
                else:
                    figure = measure(rival, scenario.send, seconds)
                figures.setdefault(rival.name, []).append(figure)
    progress("")
    for name, rows in figures.items():
        rate, used, rss = (statistics.median(column) for column in zip(*rows, strict=True))
        yield Row(scenario.name, name, rate, used, rss)


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Lay the rows of one scenario out, the ratios against the first of them."""
    ours = rows[0]
    for row in rows:
        yield ROW.format(
            row.scenario,
            row.rival,
            f"{row.rate:,.0f}",
            f"{row.cpu:.2f}" if row.cpu else "",
            f"{row.rss:.0f}",
            f"{ours.rate / row.rate:.2f}" if row.rate else "",
            f"{ours.cpu / row.cpu:.2f}" if row.cpu else "",
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(prog="compare", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="of sending a round")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median is shown")
    parser.add_argument("--only", default="", metavar="TEXT", help="what has this in its name")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    args = parser.parse_args(argv)
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[0]})
    key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    print(f"{machine()}; {args.seconds:g} s a round, median of {args.rounds}")
    print(ROW.format("", "", "records/s", "CPU s/M", "RSS MiB", "rate by", "CPU by"))
    all_rows: list[Row] = []
    for scenario in scenarios(key):
        if args.only in scenario.name:
            rows = list(run(scenario, args.seconds, args.rounds, cores[-1]))
            print("\n".join(table(rows)), flush=True)
            all_rows += rows
    if args.json:
        found = {"machine": machine(), "seconds": args.seconds, "rounds": args.rounds}
        args.json.write_text(json.dumps(found | {"rows": list(map(asdict, all_rows))}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
