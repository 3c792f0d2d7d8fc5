"""A random mix of inputs, faults and overload: the account closes to the record."""

import asyncio
import errno
import json
import os
import random
import re
import signal
import socket
from collections import Counter
from pathlib import Path

import pytest

from logopsd.daemon import Daemon
from logopsd.figures.account import figures_of, unaccounted
from tests.faults.helpers import FaultyFiles
from tests.test_daemon import CapturedLog, settings

OWN_LOG = "instance-of-this-test"
STEPS = 60
PATIENCE_SECONDS = 30

_number = re.compile(r"n=([0-9]+)")


class Mix:
    """A daemon in this process, and what was sent to it.

    Attributes:
        sent: frames and documents that were handed over, by input; what must be received.
        own: how many of them were lines of the daemon's own log.
    """

    def __init__(self, daemon: Daemon, log: CapturedLog, files: FaultyFiles, seed: int) -> None:
        self.daemon = daemon
        self.files = files
        self.sent: Counter[str] = Counter()
        self.own = 0
        self.refused = 0
        self._rng = random.Random(seed)
        self._at = {e["input"]: e["address"].rpartition("//")[2] for e in log.all("listening")}
        self._under_way: list[asyncio.Task[None]] = []
        self._next = 0

    async def live(self) -> None:
        """Take random steps, with the account looked at behind each; then let all come to rest."""
        steps = [self._tcp, self._udp, self._udp_flood, self._http, self._unix_stream]
        steps += [self._break_disk, self._mend_disk, self._reload, self._half_a_request]
        for _ in range(STEPS):
            await self._rng.choice(steps)()
            self.check()
        await self._mend_disk()
        await self.rest()

    async def rest(self) -> None:
        """Wait until all that was sent has its fate."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(*self._under_way)
            while self.received() != self.sent or self.inflight():
                await asyncio.sleep(0.01)
                self.check()

    def check(self) -> None:
        """The account of each input closes, now and always."""
        for name, input in self.daemon._parts.metrics.inputs.items():
            figures = figures_of(input)
            assert unaccounted(figures) == 0, (name, figures)

    def received(self) -> Counter[str]:
        """Give what the daemon has received, by input."""
        inputs = self.daemon._parts.metrics.inputs.items()
        return Counter({name: input.received for name, input in inputs if input.received})

    def inflight(self) -> int:
        """Give how much is under way."""
        return sum(input.inflight for input in self.daemon._parts.metrics.inputs.values())

    # Steps

    async def _tcp(self) -> None:
        """A connection of some lines; it may have to wait for the disk, and nobody waits for it."""
        self._stream("tcp", "tcp")

    async def _unix_stream(self) -> None:
        self._stream("unix", "unix")

    def _stream(self, name: str, input: str) -> None:
        lines = self._lines(self._rng.randrange(1, 300))
        self.sent[input] += len(lines)
        end = self._rng.choice([b"\n", b""])  # a last line without its end is one, too
        data = b"\n".join(lines) + end + b"\n\n" * self._rng.randrange(2)
        self._under_way.append(asyncio.create_task(self._send(name, data)))

    async def _send(self, name: str, data: bytes) -> None:
        if name == "unix":
            reader, writer = await asyncio.open_unix_connection("/" + self._at[name].lstrip("/"))
        else:
            reader, writer = await asyncio.open_connection(*self._address(name))
        writer.write(data)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()

    async def _udp(self) -> None:
        """Some datagrams, some of them empty."""
        datagrams = self._lines(self._rng.randrange(1, 100)) + [b""] * self._rng.randrange(4)
        self._rng.shuffle(datagrams)
        await self._send_udp(datagrams)

    async def _udp_flood(self) -> None:
        """More than the sink may hold while its disk is full."""
        await self._send_udp([line + b"x" * 2000 for line in self._lines(700)])

    async def _send_udp(self, datagrams: list[bytes]) -> None:
        self.sent["udp"] += len(datagrams)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(self._address("udp"))
            for count, datagram in enumerate(datagrams, 1):
                sock.send(datagram)
                if count % 100 == 0:  # the kernel's buffer is not what is tested
                    await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.received()["udp"] != self.sent["udp"]:
                await asyncio.sleep(0)
                self.check()

    async def _http(self) -> None:
        """A request of lines or documents; one that is refused was not received."""
        lines = self._lines(self._rng.randrange(1, 200))
        if self._rng.random() < 0.5:
            body, kind = b"\n".join(lines), b"text/plain"
        else:
            documents = [{"msg": line.decode()} for line in lines]
            body, kind = json.dumps(documents).encode(), b"application/json"
        self._under_way.append(asyncio.create_task(self._post(kind, body, len(lines))))

    async def _post(self, kind: bytes, body: bytes, count: int) -> None:
        reader, writer = await asyncio.open_connection(*self._address("http"))
        writer.write(
            b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: %b\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (kind, len(body), body)
        )
        status = (await reader.read()).split(b" ", 2)[1]
        assert status in (b"200", b"429", b"503"), status
        if status == b"503":
            self.refused += 1
        else:
            self.sent["http"] += count
        writer.close()
        await writer.wait_closed()

    async def _half_a_request(self) -> None:
        """A client that leaves in the midst: nothing of it is received."""
        _, writer = await asyncio.open_connection(*self._address("http"))
        writer.write(b"POST /v1/logs HTTP/1.1\r\nContent-Length: 500\r\n\r\n<13>never")
        writer.close()
        await writer.wait_closed()

    async def _break_disk(self) -> None:
        self.files.broken = errno.ENOSPC

    async def _mend_disk(self) -> None:
        self.files.broken = 0
        await asyncio.sleep(0.02)

    async def _reload(self) -> None:
        os.kill(os.getpid(), signal.SIGHUP)

    def _lines(self, count: int) -> list[bytes]:
        """Make numbered lines, now and then one of the daemon's own log."""
        lines = []
        for _ in range(count):
            self._next += 1
            own = self._rng.random() < 0.01
            self.own += own
            mark = f" {OWN_LOG}" if own else ""
            lines.append(f"<13>n={self._next} by 192.0.2.{self._next % 250}{mark}".encode())
        return lines

    def _address(self, name: str) -> tuple[str, int]:
        host, _, port = self._at[name].rpartition(":")
        return host, int(port)


def stored(directory: Path) -> list[int]:
    """Give the numbers of all records in the files; notices of the daemon have none."""
    lines = b"".join(path.read_bytes() for path in directory.glob("*.ndjson")).splitlines()
    matches = [_number.search(json.loads(line)["msg"]) for line in lines]
    return [int(match[1]) for match in matches if match]


@pytest.mark.parametrize("rate_limit", ["0", "200"])
@pytest.mark.parametrize("seed", range(4))
def test_the_account_closes_to_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, rate_limit: str
) -> None:
    """Sent is received, received has one fate each, and what is accepted is in the files, once."""
    files = FaultyFiles()
    monkeypatch.setattr("logopsd.sinks.ndjson.OsFiles", lambda: files)
    log = CapturedLog()
    chosen = settings(
        tmp_path,
        LOGOPS_SINK_HIGH_WATER="1MiB",
        LOGOPS_SINK_MAX_BYTES="64KiB",
        LOGOPS_RATE_LIMIT=rate_limit,
        LOGOPS_UNIX_STREAM=str(tmp_path / "s"),
    )

    async def live() -> Mix:
        daemon = Daemon(chosen, log.log, own_log=OWN_LOG)
        running = asyncio.create_task(daemon.run())
        await log.until("ready")
        mix = Mix(daemon, log, files, seed)
        await mix.live()
        os.kill(os.getpid(), signal.SIGTERM)
        assert await running == 0
        return mix

    mix = asyncio.run(live())
    inputs = mix.daemon._parts.metrics.inputs
    total = Counter[str]()
    for input in inputs.values():
        total.update(figures_of(input))
    numbers = stored(tmp_path / "data" / "ingest")
    print(f"seed {seed}, limit {rate_limit}: {dict(mix.sent)}, 503 {mix.refused}, {dict(+total)}")

    mix.check()
    assert mix.received() == mix.sent
    assert len(numbers) == len(set(numbers)) == total["accepted"]
    assert (total["suppressed"] > 0) == (rate_limit != "0")
    if rate_limit == "0":
        assert total["dropped_own_log"] <= mix.own
        lost = total["dropped_own_log"] + total["dropped_empty"] + total["dropped_backpressure"]
        assert total["dropped"] == lost


def test_what_the_disk_did_not_take_before_the_end_is_in_the_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that stays full: what could not be written is dropped by `shutdown`, to the record."""
    files = FaultyFiles()
    monkeypatch.setattr("logopsd.sinks.ndjson.OsFiles", lambda: files)
    monkeypatch.setattr("logopsd.daemon.DRAIN_SECONDS", 0.2)
    log = CapturedLog()

    async def live() -> Mix:
        daemon = Daemon(settings(tmp_path), log.log)
        running = asyncio.create_task(daemon.run())
        await log.until("ready")
        mix = Mix(daemon, log, files, 0)
        await mix._udp()
        await mix.rest()
        files.broken = errno.ENOSPC
        await mix._udp()
        os.kill(os.getpid(), signal.SIGTERM)
        assert await running == 1
        return mix

    mix = asyncio.run(live())
    mix.check()
    udp = mix.daemon._parts.metrics.input("udp")
    assert udp.dropped["shutdown"] > 0
    assert udp.inflight == 0
    assert len(stored(tmp_path / "data" / "ingest")) == udp.accepted
