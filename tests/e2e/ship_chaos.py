"""Ships to a cluster of three nats-servers while all that can fail does; `make ship-chaos`.

The servers are killed and started again one by one, the shipper is killed with SIGKILL at random
moments, and every connection between them is cut; meanwhile the files grow, by days, pieces and
workers. In the end each record must be in the stream, once, in the order of its file.
"""

import argparse
import asyncio
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from logopsd.bus.messages import FILE, RECORDS
from tests.nats_server import Cluster, client_of

STEMS = ("20261121", "20261122", "20261123", "20261123-error")
"""A day after the other, and two stems of one day that grow at the same time."""

LEVELS = ("INFO", "INFO", "INFO", "WARN", "ERROR")
WRITES = 40
"""In how many steps the files grow."""

PATIENCE = 120.0
"""Seconds for the last shipper to send what is left."""

_RECORD = re.compile(rb'"msg":"record ([0-9]+) ')


@dataclass
class Figures:
    """What happened.

    Attributes:
        records: written.
        stored: in the stream.
        missing: written and not in the stream.
        doubled: more than once in the stream.
        reordered: files and subjects whose records stand in another order.
        kills: of the shipper.
        outages: of a server.
        cuts: of the network.
        messages: in the stream.
        duplicates: messages that the stream knew and did not store again, as the last life of
            the shipper counted them; those of lives that were killed nobody knows.
        seconds: all of it.
    """

    records: int = 0
    stored: int = 0
    missing: int = 0
    doubled: int = 0
    reordered: list[str] = field(default_factory=list)
    kills: int = 0
    outages: int = 0
    cuts: int = 0
    messages: int = 0
    duplicates: int = 0
    seconds: float = 0.0


class Proxy:
    """Stands before a server, and can cut all connections to it.

    Args:
        port: of the server.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.open = True
        self.port = 0

    async def start(self) -> None:
        """Listen."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._server = server
        self.port = server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Break every connection, in the midst of whatever it carries."""
        for writer in self._writers:
            writer.transport.abort()

    async def close(self) -> None:
        """End."""
        self.cut()
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if not self.open:
            writer.transport.abort()
            return
        try:
            there, to = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, to}
        self._writers |= both
        try:
            await asyncio.gather(_copy(reader, to), _copy(there, writer))
        finally:
            self._writers -= both
            for each in both:
                each.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.transport.abort()


class Chaos:
    """One run.

    Args:
        directory: for the files, the stores and the logs.
        records: to write, in all.
        seed: of what fails when.
    """

    def __init__(self, directory: Path, records: int, seed: int) -> None:
        self._sink = directory / "ingest"
        self._sink.mkdir(mode=0o750)
        self._log = directory / "ship.log"
        self._cluster = Cluster(directory)
        self._random = random.Random(seed)
        self._per_step = -(-records // WRITES)
        self._wanted = records
        self._written: dict[str, list[int]] = defaultdict(list)
        self._shipper: subprocess.Popen[bytes] | None = None
        self._command: list[str] = []
        self.figures = Figures()

    async def run(self) -> Figures:
        """Do it, and look at the stream."""
        began = time.monotonic()
        with self._cluster as cluster:
            proxies = [Proxy(server.port) for server in cluster.servers]
            for proxy in proxies:
                await proxy.start()
            to = "nats://" + ",".join(f"127.0.0.1:{proxy.port}" for proxy in proxies)
            self._command = [sys.executable, "-m", "logopsd", "ship", "--to", to]
            try:
                await self._make_stream()
                await asyncio.gather(self._write(), self._break(cluster, proxies))
                self._kill()
                await self._finish()
                await self._look(cluster)
            finally:
                self._kill()
                for proxy in proxies:
                    await proxy.close()
        self.figures.seconds = time.monotonic() - began
        return self.figures

    async def _make_stream(self) -> None:
        """As an operator does; again, until the servers have found each other."""
        await self._until_done("--init")

    async def _write(self) -> None:
        """Have the files grow, as the sink writes them: whole lines, or a part of one."""
        number = 0
        for step in range(WRITES):
            stem = STEMS[min(step * len(STEMS) // WRITES + step % 2, len(STEMS) - 1)]
            name = f"{stem}.ndjson" if step % 4 < 2 else f"{stem}-{step % 3 + 1}.ndjson"
            count = min(self._per_step, self._wanted - number)
            data = b"".join(_line(number + each) for each in range(count))
            half = len(data) * 2 // 3
            for part in (data[:half], data[half:]):
                with (self._sink / name).open("ab") as file:
                    file.write(part)
                await asyncio.sleep(0)
            self._written[name] += range(number, number + count)
            number += count
            await asyncio.sleep(0.2)
        self.figures.records = number

    async def _break(self, cluster: Cluster, proxies: list[Proxy]) -> None:
        """All that fails, while the files grow: each server once, and the rest by chance."""
        for turn in range(9):
            self._start()
            await self._progress()
            await asyncio.sleep(self._random.uniform(0.0, 0.3))
            if turn % 3 == 0:
                server = cluster.servers[turn // 3]
                server.kill()
                self.figures.outages += 1
                await asyncio.sleep(self._random.uniform(0.2, 0.5))
                server.start()
            if turn % 3 == 1:
                for proxy in proxies:
                    proxy.open = False
                    proxy.cut()
                self.figures.cuts += 1
                await asyncio.sleep(self._random.uniform(0.1, 0.4))
                for proxy in proxies:
                    proxy.open = True
            if turn % 3 == 2 or self._random.random() < 0.5:
                self._kill()

    async def _progress(self) -> None:
        """Wait until the shipper has saved a position, and is in the midst of its work."""
        path = self._sink / ".ship-nats.json"
        before = path.stat().st_mtime_ns if path.exists() else 0
        for _ in range(100):
            await asyncio.sleep(0.02)
            if path.exists() and path.stat().st_mtime_ns != before:
                return

    async def _finish(self) -> None:
        """One last life sends what is left."""
        await self._until_done("--once")
        found = re.findall(rb"; (\d+) of \d+ messages were there already", self._log.read_bytes())
        self.figures.duplicates = int(found[-1])

    async def _look(self, cluster: Cluster) -> None:
        """Read the whole stream, and compare."""
        seen: dict[tuple[str, str], list[int]] = defaultdict(list)
        client = await client_of(cluster.address)
        try:
            async for message in stream_messages(client):
                numbers = [int(each) for each in _RECORD.findall(message.data)]
                assert len(numbers) == int(message.headers[RECORDS])
                seen[message.headers[FILE], message.subject] += numbers
                self.figures.messages += 1
        finally:
            await client.close()
        found = [number for numbers in seen.values() for number in numbers]
        wanted = {number for numbers in self._written.values() for number in numbers}
        self.figures.stored = len(found)
        self.figures.missing = len(wanted - set(found))
        self.figures.doubled = len(found) - len(set(found))
        self.figures.reordered = [
            f"{name} {subject}" for (name, subject), each in seen.items() if each != sorted(each)
        ]

    async def _until_done(self, what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while await self._run(what) != 0:
            self._cluster.check()
            assert time.monotonic() < deadline, self._log.read_text()[-2000:]
            await asyncio.sleep(0.2)

    async def _run(self, *args: str) -> int:
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *self._command, *args, stdout=log, stderr=log, env=self._environ()
            )
        return await process.wait()

    def _start(self) -> None:
        if self._shipper is None:
            with self._log.open("ab") as log:
                self._shipper = subprocess.Popen(
                    self._command, stdout=log, stderr=log, env=self._environ()
                )

    def _kill(self) -> None:
        if self._shipper is not None:
            self._shipper.kill()
            self._shipper.wait()
            self._shipper = None
            self.figures.kills += 1

    def _environ(self) -> dict[str, str]:
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith("LOGOPS_")},
            "LOGOPS_SINK_DIR": str(self._sink),
            "LOGOPS_SHIP_METRICS_PORT": "0",
        }


def _line(number: int) -> bytes:
    level = LEVELS[number * 7 % 11 % len(LEVELS)]
    return (
        f'{{"ts":"2026-11-23T10:00:00Z","level":"{level}","msg":"record {number} of a run in '
        f'which much fails, of the usual length","emitter":"chaos","host":"web-{number % 7}",'
        '"input":"tcp","peer":"192.0.2.1","received":"2026-11-23T10:00:00.000Z",'
        '"format":"rfc5424"}\n'
    ).encode()


async def stream_messages(client: Any) -> Any:
    """All messages of the stream, in its order.

    Each is asked for by its number, of the stream's leader: a consumer would be placed on a server
    that may just be catching up.
    """
    from nats.errors import Error

    jetstream = client.jetstream(timeout=5)

    async def patiently(ask: Callable[[], Awaitable[Any]]) -> Any:
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    return await ask()
                except (Error, TimeoutError):  # a leader is being elected
                    await asyncio.sleep(0.1)

    state = (await patiently(lambda: jetstream.stream_info("LOGS"))).state
    for number in range(max(1, state.first_seq), state.last_seq + 1):
        yield await patiently(partial(jetstream.get_msg, "LOGS", seq=number))


def run(directory: Path, records: int, seed: int) -> Figures:
    """Do one run; see the module."""
    return asyncio.run(Chaos(directory, records, seed).run())


def main() -> int:
    """Run it and print the figures; the status is 1 if something was missing or out of order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200_000, help="how many, default 200000")
    parser.add_argument("--seed", type=int, default=1, help="of what fails when, default 1")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="logopsd-ship-") as directory:
        figures = run(Path(directory), args.records, args.seed)
    print(figures)
    return 1 if figures.missing or figures.doubled or figures.reordered else 0


if __name__ == "__main__":
    sys.exit(main())
