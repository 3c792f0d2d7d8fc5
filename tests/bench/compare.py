"""The daemon beside rsyslogd, syslog-ng and a FastAPI gateway, in one run on one machine.

Every program runs as a process on one core, the sender on another, and gets the same prebuilt
bytes. They take turns, and the median of the rounds is shown: on a shared machine single figures
are noise, and only the ratios of one run say something.
"""

import argparse
import base64
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.bench import page, results, rivals
from tests.bench.machine import go_first, machine, progress, take_a_core
from tests.bench.results import Row
from tests.bench.scenarios import Scenario, scenarios

SECONDS = 1.0
ROUNDS = 5
FOUND = results.ROOT / ".cache" / "bench.json"
PROGRAMS = ("rsyslogd", "syslog-ng")


def run(scenario: Scenario, seconds: float, rounds: int, cpu: int, where: Path | None) -> list[Row]:
    """Let the programs take turns, and return the medians of each; of `max` the greatest."""
    found: dict[str, list[dict[str, float]]] = {}
    for number in range(rounds):
        for name, once in scenario.programs.items():
            progress(f"{scenario.name}: {name}, round {number + 1} of {rounds}")
            with tempfile.TemporaryDirectory(prefix="logopsd-bench-", dir=where) as directory:
                found.setdefault(name, []).append(once(Path(directory), cpu, seconds))
    progress("")
    return [
        Row(scenario.name, scenario.kind, name, {key: _middle(key, all_) for key in all_[0]})
        for name, all_ in found.items()
    ]


def _middle(name: str, rounds: Sequence[dict[str, float]]) -> float:
    choose: Callable[[list[float]], float] = max if name == "max" else statistics.median
    return choose([values[name] for values in rounds])


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Lay the rows of one scenario out."""
    yield rows[0].scenario
    for first, *others in page.cells(rows):
        yield f"  {first:<24}" + "".join(f"{cell:>13}" for cell in others)


def versions() -> dict[str, str]:
    """Return what the programs say of their version; names what is missing."""
    found = {}
    for program in PROGRAMS:
        said = subprocess.run(
            [rivals.path_of(program), "--version" if program == "syslog-ng" else "-v"],
            capture_output=True,
            text=True,
            check=True,
        )
        found[program] = max(re.findall(r"\d+(?:\.\d+)+", said.stdout.splitlines()[0]))
    return found


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="compare", description=__doc__)
    add = parser.add_argument
    add("--seconds", type=float, default=SECONDS, help="of sending a round (default: %(default)s)")
    add("--rounds", type=int, default=ROUNDS, help="of each program (default: %(default)s)")
    add("--only", default="", metavar="TEXT", help="scenarios with this in their name: tcp, idle")
    add("--json", type=Path, default=FOUND, metavar="FILE", help="default: %(default)s")
    add("--resume", action="store_true", help="leave out the scenarios that the file has")
    add("--page", action="store_true", help="have it be the run of docs/performance.md")
    add("--urgent", action="store_true", help="go before all else on this machine (as root)")
    add("--dir", type=Path, help="where the programs write (default: TMPDIR)")
    args = parser.parse_args(argv)
    if args.page:
        args.json = results.KEPT
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print a table, and keep all in a JSON file after each scenario."""
    args = arguments(argv)
    if args.urgent:
        go_first()
    begin, cpu = time.monotonic(), take_a_core()
    everything = scenarios(base64.urlsafe_b64encode(os.urandom(32)).decode())
    order = [scenario.name for scenario in everything]
    about = {"machine": machine(), **versions(), "seconds": args.seconds, "rounds": args.rounds}
    kept = results.load(args.json)
    if not args.only and not args.resume:
        kept.rows = []
    kept.about = about
    print(", ".join(f"{name}: {value}" for name, value in about.items()))
    for scenario in everything:
        if args.only.lower() not in scenario.name.lower():
            continue
        if args.resume and kept.of(scenario.name):
            continue
        rows = run(scenario, args.seconds, args.rounds, cpu, args.dir)
        print("\n".join(table(rows)), flush=True)
        kept.replace(rows, order)
        results.save(kept, args.json)
    if args.page:
        page.write(results.load(args.json))
    print(f"took {time.monotonic() - begin:.0f} s; kept in {args.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
