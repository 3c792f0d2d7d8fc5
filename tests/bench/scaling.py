"""What a record costs as connections, hosts, tags and stamps grow: `python tests/bench/scaling.py`.

Nothing a sender can make up may make the next record dearer, nor may the time the daemon has run:
its caches are bounded. Each row sends the same number of lines of the same size in several windows,
one behind the other; the dearest window shows what a cache costs that is full and begins anew.
"""

import argparse
import contextlib
import itertools
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

if not __package__:  # run as a file: make the root of the repository importable
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import payloads, rivals
from tests.bench.machine import machine, take_a_core
from tests.bench.rivals import Rival

WINDOW = 100_000  # records: 0.5 s of CPU, of which the kernel's tick is 2 %
PART = 250  # lines a send
PATIENCE_SECONDS = 120.0
ROW = "{:<34} {:>9} {:>9} {:>9} {:>7} {:>8}"


@dataclass(frozen=True)
class Case:
    """One row.

    Attributes:
        name: what is many.
        line: the n-th line, without its padding.
        connections: over how many the parts are sent in turn.
    """

    name: str
    line: Callable[[int], str]
    connections: int = 1


def _line(
    n: int, *, host: str = "", tag: str = "", at: datetime | None = None, sd: str = ""
) -> str:
    host, tag = host or f"host{n % 20}", tag or f"app{n % 30}"
    at = at or datetime.now(UTC)
    text = f"worker {n % 64} finished job {n * 7919 % 100003} in {n % 977} ms"
    if sd:
        return f"<13>1 {at:%Y-%m-%dT%H:%M:%S}Z {host} {tag} {n % 32768} - {sd} {text}"
    month = payloads.MONTHS[at.month - 1]
    return f"<13>{month} {at.day:2} {at:%H:%M:%S} {host} {tag}[{n % 32768}]: {text}"


def cases() -> list[Case]:
    """Return all rows; those that follow the first differ from it in one thing."""
    start = datetime.now(UTC) - timedelta(days=30)

    def stamp(n: int) -> datetime:
        return start + timedelta(seconds=n * 17 % 2_000_000)

    return [
        Case("1 connection, 20 hosts, 30 tags", _line),
        Case("100 connections", _line, 100),
        Case("1,000 connections", _line, 1_000),
        Case("1,000 hosts", lambda n: _line(n, host=f"host{n % 1_000}")),
        Case("100,000 hosts", lambda n: _line(n, host=f"host{n % 100_000}")),
        Case("100,000 tags", lambda n: _line(n, tag=f"app{n % 100_000}")),
        Case("100,000 stamps", lambda n: _line(n, at=stamp(n))),
        Case("1 name of structured data", lambda n: _line(n, sd='[a@1 name="x"]')),
        Case("100,000 names of structured data", lambda n: _line(n, sd=f'[a@1 n{n}="x"]')),
    ]


def parts(case: Case) -> list[bytes]:
    """Return the lines of a window, in parts of one send each."""
    lines = [
        (case.line(n) + " " + payloads.FILLER * 2)[: payloads.RFC3164_BYTES - 1].encode() + b"\n"
        for n in range(WINDOW)
    ]
    return [b"".join(lines[n : n + PART]) for n in range(0, WINDOW, PART)]


def windows(rival: Rival, case: Case, count: int) -> Iterator[float]:
    """Send a window `count` times; yield the microseconds of CPU each took a record."""
    made = parts(case)
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_connection(rival.addresses["tcp"]))
            for _ in range(case.connections)
        ]
        turns = itertools.cycle(sockets)
        for number in range(1, count + 1):
            before = rival.cpu()
            for part, sock in zip(made, turns, strict=False):
                sock.sendall(part)
            _wait(rival, number * WINDOW)
            yield (rival.cpu() - before) / WINDOW * 1e6


def _wait(rival: Rival, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while rival.stored() < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"not all of {count} records came")
        time.sleep(0.02)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="scaling", description=__doc__)
    parser.add_argument("--windows", type=int, default=8, help="of 100,000 records each")
    parser.add_argument("--only", default="", metavar="TEXT", help="what has this in its name")
    args = parser.parse_args(argv)
    core = take_a_core()
    print(f"{machine()}; {args.windows} windows of {WINDOW:,} records")
    print(ROW.format("us of CPU a record", "least", "median", "dearest", "by", "RSS MiB"))
    first = 0.0
    for case in cases():
        if args.only not in case.name:
            continue
        with (
            tempfile.TemporaryDirectory(prefix="logopsd-bench-") as directory,
            rivals.logopsd(Path(directory), core) as rival,
        ):
            costs = list(windows(rival, case, args.windows))
            median = statistics.median(costs)
            first = first or median
            figures = [f"{cost:.2f}" for cost in (min(costs), median, max(costs))]
            print(ROW.format(case.name, *figures, f"{median / first:.2f}", f"{rival.rss():.0f}"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
