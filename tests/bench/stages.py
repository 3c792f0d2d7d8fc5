"""What each stage of the way costs alone: `python -m tests.bench.stages`.

Microseconds of CPU a record, on batches of one read (256 KiB), with caches that are warm. Of each
batch the least of the repeats counts, so that a busy machine tells little else than a quiet one.
Where a neighbour on the same core makes even that too coarse, `--instructions` counts them in
valgrind (apt install valgrind): within 0.1 % the same on every run, and slow.
"""

import argparse
import ctypes
import gc
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from pathlib import Path

from logopsd.daemon import COLLECT_AFTER
from logopsd.encoding import encode
from logopsd.figures.sources import Sources
from logopsd.framing.syslog_stream import SyslogStreamFramer
from logopsd.parsing.lines import LineParser
from logopsd.patterns import compile_next
from logopsd.pipeline import rfc3339_milliseconds
from logopsd.privacy.detectors import DEFAULT
from logopsd.privacy.stage import PrivacyStage
from logopsd.records import Batch, Frames
from tests.bench import payloads

READ_BYTES = 256 * 1024  # what asyncio reads of a socket at once
MAX_MESSAGE = 256 * 1024  # the default of LOGOPS_MAX_MESSAGE
REPEATS = 15
STAGES = ("frame", "parse", "mask", "encode", "senders")
PAYLOADS: dict[str, Callable[[], payloads.Payload]] = {
    "rfc3164": payloads.rfc3164,
    "rfc5424": payloads.rfc5424,
    "1 KiB": lambda: payloads.rfc3164(1024),
    "mix": payloads.mix,
}
COUNTED_READS = 2  # valgrind takes fifty times as long
VALGRIND = ("valgrind", "--tool=callgrind", "--toggle-collect=ffi_call", "--dump-after=ffi_call")
ROW = "{:<12}" + " {:>8}" * (len(STAGES) + 1)


class Way:
    """The stages as the daemon has them, and one batch on its way through them.

    Args:
        reads: what the reads of a connection brought, in order.
        detectors: of the privacy stage.
    """

    def __init__(self, reads: Sequence[bytes], detectors: Sequence[str]) -> None:
        self.reads = reads
        self._framer = SyslogStreamFramer(max_message=MAX_MESSAGE)
        self._parser = LineParser(tz=UTC)
        self._privacy = PrivacyStage(detectors=detectors)
        self._sources = Sources(tz=UTC)
        self._frames = Frames()
        self._batch = Batch("tcp", 0.0, "")
        self._sizes: list[int] = []
        while compile_next():  # as the daemon has, once it is ready
            pass

    def steps(self, read: bytes) -> Iterator[tuple[str, Callable[[], object]]]:
        """Yield each stage for this read, to be called before the next one is asked for."""

        def frame() -> None:
            self._frames = self._framer.receive_data(read)

        now = time.time()
        self._batch = batch = Batch("tcp", now, rfc3339_milliseconds(now))
        yield "frame", frame
        self._sizes = list(map(len, self._frames.frames))
        yield "parse", lambda: self._parser.parse(self._frames, "127.0.0.1", batch)
        yield "mask", lambda: self._privacy.apply(batch)
        yield "encode", lambda: encode(batch.records)
        yield "senders", lambda: self._sources.see(batch, self._sizes)

    @property
    def records(self) -> int:
        """How many the last read brought."""
        return len(self._batch.records)

    def run(self) -> tuple[int, list[float]]:
        """Send all reads through; return the records, and the seconds of each step."""
        records, seconds = 0, []
        for read in self.reads:
            for _, step in self.steps(read):
                begin = time.process_time_ns()
                step()
                seconds.append((time.process_time_ns() - begin) / 1e9)
            records += self.records
        return records, seconds


def reads_of(payload: payloads.Payload) -> list[bytes]:
    """Cut a payload as a connection would that always has more to read."""
    data = b"".join(payload.parts)
    return [data[start : start + READ_BYTES] for start in range(0, len(data), READ_BYTES)]


def costs(way: Way, repeats: int) -> dict[str, float]:
    """Return the microseconds a record of each stage."""
    way.run()
    least: list[float] = []
    for _ in range(repeats):
        records, seconds = way.run()
        least = list(map(min, least, seconds)) if least else seconds
    return {
        stage: sum(least[place :: len(STAGES)]) / records * 1e6
        for place, stage in enumerate(STAGES)
    }


def count_here(way: Way) -> int:
    """Send the reads through, each step as one call of `ffi_call`; return the records."""
    way.run()
    call, records = ctypes.CFUNCTYPE(None), 0
    for read in way.reads:
        for _, step in way.steps(read):
            call(step)()
        records += way.records
    return records


def instructions(name: str, detectors: str) -> dict[str, float]:
    """Return the thousands of instructions a record of each stage, as callgrind counts them.

    It counts within libffi's `ffi_call` alone, which makes each step a call from C, and writes
    the count down after each of them.
    """
    if shutil.which("valgrind") is None:
        raise SystemExit("stages: valgrind is missing: sudo apt install valgrind")
    with tempfile.TemporaryDirectory(prefix="logopsd-bench-") as directory:
        counts = Path(directory) / "counts"
        ours = ["-m", "tests.bench.stages", "--count-here", "--detectors", detectors]
        run = subprocess.run(
            [*VALGRIND, f"--callgrind-out-file={counts}", sys.executable, *ours, "--only", name],
            env={**os.environ, "PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            check=True,
        )
        steps = COUNTED_READS * len(STAGES)
        totals = [_total(Path(f"{counts}.{number}")) for number in range(1, steps + 1)]
    records = int(run.stdout)
    return {
        stage: sum(totals[place :: len(STAGES)]) / records / 1e3
        for place, stage in enumerate(STAGES)
    }


def _total(dump: Path) -> int:
    return int(dump.read_text().rpartition("totals:")[2].split()[0])


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="stages", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="payloads with this in the name")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="of which the least counts")
    parser.add_argument("--detectors", default=",".join(DEFAULT), help="default: the daemon's")
    parser.add_argument("--instructions", action="store_true", help="count them, with valgrind")
    parser.add_argument("--count-here", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    chosen = [name for name in PAYLOADS if args.only in name]
    if args.count_here:
        reads = reads_of(PAYLOADS[args.only]())[:COUNTED_READS]
        print(count_here(Way(reads, args.detectors.split(","))))
        return 0
    unit = "1,000 instr." if args.instructions else "us/record"
    print(ROW.format(unit, *STAGES, "sum"))
    for name in chosen:
        if args.instructions:
            found = instructions(name, args.detectors)
        else:
            way = Way(reads_of(PAYLOADS[name]()), args.detectors.split(","))
            found = costs(way, args.repeats)
        figures = [*found.values(), sum(found.values())]
        print(ROW.format(name, *(f"{figure:.3f}" for figure in figures)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
