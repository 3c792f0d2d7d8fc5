"""What several workers bring: records/s over TCP and CPU a record, with one and with more.

Nothing is pinned: the sender needs CPU too, and on a machine with few cores takes it from the
workers. The rounds of each number of workers alternate, so that ratios hold on a busy machine.
"""

import argparse
import itertools
import select
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

if not __package__:  # run as a file: make the root of the repository importable
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.payloads import Payload, rfc3164
from tests.e2e.harness import Daemon

ROW = "{:>7} {:>12} {:>12} {:>9}  {}"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print a table: the median of each, and how the last round was dealt out."""
    parser = argparse.ArgumentParser(prog="cores", description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], metavar="N")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=1.0, help="of sending a round")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args(argv)
    payload = rfc3164()
    rounds: dict[int, list[tuple[float, float]]] = {count: [] for count in args.workers}
    dealt: dict[int, list[int]] = {}
    for _ in range(args.rounds):
        for count in args.workers:
            rate, cpu, dealt[count] = one_round(count, args.connections, args.seconds, payload)
            rounds[count].append((rate, cpu))
    print(ROW.format("workers", "records/s", "CPU s/M rec", "ratio", "records of each, last round"))
    base = statistics.median(rate for rate, _ in rounds[args.workers[0]])
    for count, measured in rounds.items():
        rate, cpu = map(statistics.median, zip(*measured, strict=True))
        shown = (f"{rate:,.0f}", f"{cpu:.2f}", f"{rate / base:.2f}", dealt[count])
        print(ROW.format(count, *shown))
    return 0


def one_round(
    workers: int, connections: int, seconds: float, payload: Payload
) -> tuple[float, float, list[int]]:
    """Return records/s, CPU seconds a million records, and how many each worker stored."""
    with tempfile.TemporaryDirectory(prefix="logopsd-bench-") as directory:
        daemon = Daemon(Path(directory), {"LOGOPS_WORKERS": str(workers)})
        try:
            daemon.start()
            before = daemon.metrics().sum("process_cpu_seconds_total")
            begin = time.monotonic()
            sent = send(daemon.address("tcp"), payload, connections, seconds)
            daemon.wait_for(
                lambda: daemon.metrics().sum("logops_accepted_total", input="tcp") == sent,
                "all to be stored",
            )
            took = time.monotonic() - begin
            cpu = daemon.metrics().sum("process_cpu_seconds_total") - before
            stored = [path.read_bytes().count(b"\n") for path in sorted(daemon.sink.glob("2*"))]
            return sent / took, cpu * 1e6 / sent, stored
        finally:
            daemon.end()


def send(address: tuple[str, int], payload: Payload, connections: int, seconds: float) -> int:
    """Send over all connections, as fast as each is read; return the records sent."""
    socks = {}
    poll = select.poll()
    for _ in range(connections):
        sock = socket.create_connection(address)
        sock.setblocking(False)
        socks[sock.fileno()] = [sock, itertools.cycle(payload.parts), memoryview(b"")]
        poll.register(sock, select.POLLOUT)
    sent, end = 0, time.monotonic() + seconds
    while socks:
        for fd, _ in poll.poll():
            sock, parts, rest = socks[fd]
            if not rest:
                if time.monotonic() > end:
                    poll.unregister(fd)
                    socks.pop(fd)[0].close()
                    continue
                rest = memoryview(next(parts))
                sent += payload.records
            socks[fd][2] = rest[sock.send(rest) :]
    return sent


if __name__ == "__main__":
    sys.exit(main())
