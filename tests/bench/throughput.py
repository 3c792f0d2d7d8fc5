"""How many records a second the daemon takes on one core, and what each costs.

The daemon runs as a process on a core of its own, the sender on another; every round starts a new
daemon in an empty directory. A round ends when the metrics page says that all is stored. CPU is
that of the daemon's process, user and system, all threads (proc(5)).
"""

import argparse
import base64
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

if not __package__:  # run as a file: make the root of the repository importable
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.measuring import Measured, Scenario, measure, measure_udp, scenarios
from tests.e2e.harness import Daemon

ROW = "{:<38} {:>10} {:>12} {:>12} {:>9} {:>8}"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print a table or JSON."""
    args = arguments(argv)
    begin = time.monotonic()
    results = []
    if not args.json:
        print(f"{machine()}; {args.seconds:g} s a round, median of {args.rounds}")
        print(ROW.format("", "encryption", "records/s", "CPU s/M rec", "RSS MiB", "loss"))
    for measured in measure_all(args):
        results.append(asdict(measured))
        if not args.json:
            print(row(measured), flush=True)
    if args.json:
        print(json.dumps({"machine": machine(), "results": results}, indent=2))
    else:
        print(f"took {time.monotonic() - begin:.0f} s")
    return 0


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="throughput", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=3.0, help="of sending a round (default: %(default)s)"
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="of which the median is shown (default: %(default)s)"
    )
    parser.add_argument("--quick", action="store_true", help="one round of one second each")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="measure what has this in its name: tcp, http"
    )
    parser.add_argument("--dir", type=Path, help="where the daemon writes (default: TMPDIR)")
    args = parser.parse_args(argv)
    if args.quick:
        args.seconds, args.rounds = 1.0, 1
    return args


def measure_all(args: argparse.Namespace) -> Iterator[Measured]:
    """Measure each scenario as often as asked, and yield the round of the median rate."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        print("one core only: the sender takes its share of it", file=sys.stderr)
    os.sched_setaffinity(0, {cores[0]})
    key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    chosen = [scenario for scenario in scenarios() if args.only in scenario.name]
    todo = [(scenario, secret) for scenario in chosen for secret in (None, key)]
    for number, (scenario, secret) in enumerate(todo, 1):
        rounds = []
        for _ in range(args.rounds):
            progress(f"[{number}/{len(todo)}] {scenario.name}{', encrypted' if secret else ''}")
            rounds.append(one_round(args, scenario, secret, cores[-1]))
        progress("")
        median = statistics.median_low(each.records_per_second for each in rounds)
        yield next(each for each in rounds if each.records_per_second == median)


def one_round(
    args: argparse.Namespace, scenario: Scenario, secret: str | None, cpu: int
) -> Measured:
    """Measure once, with a daemon of its own."""
    settings = {} if secret is None else {"LOGOPS_ENCRYPT_PII": "true", "LOGOPS_SECRET_KEY": secret}
    with tempfile.TemporaryDirectory(prefix="logopsd-bench-", dir=args.dir) as directory:
        daemon = Daemon(Path(directory), settings, cpu=cpu)
        try:
            daemon.start()
            if scenario.send is None:
                return measure_udp(daemon, scenario.name, args.seconds / 2, secret is not None)
            return measure(daemon, scenario, args.seconds, secret is not None)
        finally:
            daemon.end()


def progress(text: str) -> None:
    """Show on a terminal what is being measured; an empty text clears the line."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def machine() -> str:
    """Return what the figures were measured on."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"Python {platform.python_version()}, Linux {platform.release()}, {model}"


def row(measured: Measured) -> str:
    """Return one line of the table."""
    return ROW.format(
        measured.name,
        "on" if measured.encryption else "off",
        f"{measured.records_per_second:,.0f}",
        f"{measured.cpu_seconds_per_million:.2f}",
        f"{measured.peak_rss_mib:.0f}",
        f"{measured.loss:.2%}" if measured.name.startswith("udp") else "",
    )


if __name__ == "__main__":
    sys.exit(main())
