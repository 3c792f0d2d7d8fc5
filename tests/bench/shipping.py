"""How many records a second are shipped into one nats-server, and what each costs.

The files are there; `logopsd ship --once` sends them to a stream on the disk, and the time is that
of its process from start to end, less that of one that has nothing to send. CPU is the process'
own, user and system; the server's is beside it, on the same machine.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.e2e.harness import clean_environment, logopsd
from tests.nats_server import NatsServer, client_of, make_stream

RECORDS: Final = 400_000
ROUNDS: Final = 3
LEVELS: Final = ("INFO", "INFO", "INFO", "INFO", "WARN", "ERROR")


def main() -> int:
    """Measure, and print a line."""
    with tempfile.TemporaryDirectory(prefix="logopsd-bench-") as directory:
        rates, cpus = zip(*(one_round(Path(directory), n) for n in range(ROUNDS)), strict=True)
    print(
        f"ship to one nats-server: {statistics.median(rates):,.0f} records/s, "
        f"{statistics.median(cpus):.2f} CPU s/M rec (median of {ROUNDS}, {RECORDS:,} records)"
    )
    return 0


def one_round(directory: Path, number: int) -> tuple[float, float]:
    """Records a second, and CPU seconds a million records."""
    home = directory / str(number)
    sink = home / "data" / "ingest"
    sink.mkdir(parents=True)
    with NatsServer(home) as server:
        asyncio.run(prepare(server.address))
        idle_seconds, idle_cpu = ship(home, server.address)
        lines = [line(each) for each in range(1000)]
        (sink / "20261123.ndjson").write_bytes(b"".join(lines) * (RECORDS // 1000))
        seconds, cpu = ship(home, server.address)
    return RECORDS / (seconds - idle_seconds), (cpu - idle_cpu) * 1e6 / RECORDS


async def prepare(address: str) -> None:
    """Make the stream."""
    client = await client_of(address)
    await make_stream(client)
    await client.close()


def ship(home: Path, address: str) -> tuple[float, float]:
    """Send what is there; wall and CPU seconds."""
    before, began = os.times(), time.monotonic()
    subprocess.run(
        logopsd("ship", "--once", "--to", address),
        cwd=home,
        env=clean_environment({}),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    after = os.times()
    cpu = after.children_user + after.children_system
    return time.monotonic() - began, cpu - before.children_user - before.children_system


def line(number: int) -> bytes:
    """A record of the usual length, some 240 bytes."""
    level = LEVELS[number % len(LEVELS)]
    return (
        f'{{"ts":"2026-11-23T10:00:00.123456Z","level":"{level}","msg":"GET /api/v1/orders/{number}'
        f' 200 12 ms upstream=web-{number % 9}","emitter":"nginx","host":"web-{number % 9}",'
        f'"app":"nginx","procid":"{number}","input":"{("udp", "tcp")[number % 2]}",'
        '"peer":"192.0.2.1","received":"2026-11-23T10:00:00.124Z","format":"rfc5424"}\n'
    ).encode()


if __name__ == "__main__":
    sys.exit(main())
