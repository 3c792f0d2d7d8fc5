"""What the daemon does beside the data: the account of the day, and senders that fall silent."""

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import Callable

import msgspec

from logopsd.daemon import Daemon
from logopsd.figures.account import STATE_FILE
from logopsd.records import Batch, Record
from tests.test_daemon import CapturedLog, settings, stored


async def until(done: Callable[[], bool]) -> None:
    """Let the daemon work until something is so."""
    async with asyncio.timeout(10):
        while True:
            if done():
                return
            await asyncio.sleep(0.005)


async def send_udp(daemon: Daemon, log: CapturedLog, count: int) -> None:
    """Send datagrams, and wait until they are stored."""
    address = next(e["address"] for e in log.all("listening") if e["input"] == "udp")
    host, _, port = address.removeprefix("udp://").rpartition(":")
    udp = daemon._parts.metrics.input("udp")
    before = udp.accepted
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(count):
            sender.sendto(b"<13>%d" % number, (host, int(port)))
    await until(lambda: udp.accepted == before + count)


def test_the_account_of_a_day_is_written_and_counts_nowhere(tmp_path, monkeypatch):
    """It stands in the data like any record, and the account it tells of is not changed by it."""
    monkeypatch.setattr("logopsd.daemon.ACCOUNT_SECONDS", 0.01)
    log = CapturedLog()

    async def live() -> None:
        daemon = Daemon(settings(tmp_path), log.log)
        running = asyncio.create_task(daemon.run())
        await log.until("ready")
        await send_udp(daemon, log, 3)
        daemon._parts.account._state.day = "2020-02-29"
        await until(lambda: any(r["format"] == "account" for r in stored(tmp_path)))
        udp = daemon._parts.metrics.input("udp")
        assert (udp.received, udp.accepted, udp.inflight) == (3, 3, 0)
        os.kill(os.getpid(), signal.SIGTERM)
        assert await running == 0

    asyncio.run(live())
    accounts = {r["input"]: r for r in stored(tmp_path) if r["format"] == "account"}
    assert {"udp", "tcp", "http"} <= set(accounts)
    udp = accounts["udp"]
    assert (udp["app"], udp["msg"], udp["day"]) == ("logopsd", "account", "2020-02-29")
    assert (udp["account"]["received"], udp["account"]["accepted"]) == (3, 3)


def test_the_figures_of_the_day_outlive_the_process(tmp_path):
    """The end keeps them, marked as whole, and the next process goes on from there."""
    kept = []
    for count in (3, 4):
        log = CapturedLog()

        async def live(count: int, log: CapturedLog) -> None:
            daemon = Daemon(settings(tmp_path), log.log)
            running = asyncio.create_task(daemon.run())
            await log.until("ready")
            await send_udp(daemon, log, count)
            os.kill(os.getpid(), signal.SIGTERM)
            assert await running == 0

        asyncio.run(live(count, log))
        state = msgspec.json.decode((tmp_path / "data" / "ingest" / STATE_FILE).read_bytes())
        kept.append((state["clean"], state["figures"]["udp"]["received"]))

    assert kept == [(True, 3), (True, 7)]
    assert {record["format"] for record in stored(tmp_path)} != {"account"}
    assert len(stored(tmp_path)) == 7


def test_a_sender_that_falls_silent_is_said_by_number(tmp_path, monkeypatch):
    """Once, and neither its address nor its name stands in the log."""
    monkeypatch.setattr("logopsd.chores.tasks.SOURCES_SECONDS", 0.01)
    log = CapturedLog()

    async def live() -> Daemon:
        daemon = Daemon(settings(tmp_path), log.log)
        record = Record("", "INFO", "x", host="secret-host", peer="192.0.2.99", input="udp")
        for number in range(100):
            when = time.time() - 5000 + number
            daemon._parts.sources.see(Batch("udp", when, "", [record]))
        running = asyncio.create_task(daemon.run())
        await log.until("senders fell silent")
        os.kill(os.getpid(), signal.SIGTERM)
        await running
        return daemon

    daemon = asyncio.run(live())
    (said,) = log.all("senders fell silent")
    assert (said["count"], said["sources"]) == (1, [1])
    everything = json.dumps(log.events, default=str)
    assert "secret-host" not in everything
    assert "192.0.2.99" not in everything
    assert b"logops_sources_silent 1.0" in daemon._parts.metrics.page(None)[0]
