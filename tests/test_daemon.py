import asyncio
import errno
import json
import os
import signal
import socket
from pathlib import Path

import structlog
import structlog.testing

from logopsd.config import load
from logopsd.daemon import Daemon


def settings(tmp_path: Path, **more: str):
    """Read settings in which every port is any free one."""
    environ = {
        "LOGOPS_UDP_PORT": "any",
        "LOGOPS_TCP_PORT": "any",
        "LOGOPS_HTTP_PORT": "any",
        "LOGOPS_METRICS_PORT": "any",
        **more,
    }
    return load(environ, directory=tmp_path)


class CapturedLog:
    """A logger for the daemon, and what it was told."""

    def __init__(self) -> None:
        self.events: list[dict] = []
        self._more = asyncio.Event()
        self.log = structlog.wrap_logger(structlog.PrintLogger(), processors=[self._keep])

    async def until(self, event: str) -> dict:
        """Wait for the first line of this event."""
        async with asyncio.timeout(10):
            while not (found := self.all(event)):
                self._more.clear()
                await self._more.wait()
        return found[0]

    def all(self, event: str) -> list[dict]:
        """Give all lines of an event."""
        return [each for each in self.events if each["event"] == event]

    def _keep(self, _, level, event):
        self.events.append({"level": level, **event})
        self._more.set()
        raise structlog.DropEvent


def stored(tmp_path: Path) -> list[dict]:
    """Read every record the daemon wrote."""
    return [
        json.loads(line)
        for file in sorted((tmp_path / "data" / "ingest").glob("*.ndjson"))
        for line in file.read_bytes().splitlines()
    ]


def test_what_was_sent_before_the_end_is_stored(tmp_path):
    """A signal lets what has arrived through, and the exit status is 0."""
    log = CapturedLog()

    async def live() -> int:
        daemon = Daemon(settings(tmp_path), log.log)
        running = asyncio.create_task(daemon.run())
        await log.until("ready")
        tcp = next(e["address"] for e in log.all("listening") if e["input"] == "tcp")
        host, port = tcp.removeprefix("tcp://").split(":")
        with socket.create_connection((host, int(port))) as sender:
            sender.sendall(b"<13>hello\nlast without its line end")
            os.kill(os.getpid(), signal.SIGTERM)
            return await running

    assert asyncio.run(live()) == 0
    assert [record["msg"] for record in stored(tmp_path)] == [
        "hello",
        "last without its line end",
    ]
    assert log.all("stopping")
    assert log.events[-1]["event"] == "stopped"


def test_every_address_is_logged(tmp_path):
    """Each input and the side port say where they listen."""
    log = CapturedLog()

    async def live() -> None:
        daemon = Daemon(settings(tmp_path), log.log)
        running = asyncio.create_task(daemon.run())
        await log.until("ready")
        os.kill(os.getpid(), signal.SIGINT)
        await running

    asyncio.run(live())
    listening = {e["input"]: e["address"] for e in log.all("listening")}
    assert set(listening) == {"udp", "tcp", "http", "metrics"}
    assert listening["udp"].startswith("udp://127.0.0.1:")


def test_an_address_that_is_taken_ends_the_start_with_its_mend(tmp_path):
    """Whatever was started before is closed again, and the exit status is 1."""
    log = CapturedLog()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        async def live() -> int:
            return await Daemon(settings(tmp_path, LOGOPS_HTTP_PORT=str(port)), log.log).run()

        assert asyncio.run(live()) == 1

    (problem,) = [e["problem"] for e in log.all("cannot start")]
    assert "LOGOPS_HTTP_PORT" in problem


def test_a_task_that_fails_ends_the_daemon(tmp_path, monkeypatch):
    """A daemon that lost one of its tasks drains and exits with 1, for systemd to restart it."""
    log = CapturedLog()

    async def live() -> int:
        daemon = Daemon(settings(tmp_path), log.log)

        def broken(**_):
            raise ValueError("a sweeper that is a bug")

        monkeypatch.setattr(daemon._parts.sweeper, "sweep", broken)
        return await daemon.run()

    assert asyncio.run(live()) == 1
    (failure,) = log.all("task failed")
    assert failure["task"] == "housekeeping"


def test_a_dry_run_stores_nothing(tmp_path):
    """With LOGOPS_SINK_FILE=false the daemon runs and leaves no file behind."""
    log = CapturedLog()

    async def live() -> int:
        daemon = Daemon(settings(tmp_path, LOGOPS_SINK_FILE="false"), log.log)
        running = asyncio.create_task(daemon.run())
        ready = await log.until("ready")
        assert ready["files"] is None
        os.kill(os.getpid(), signal.SIGTERM)
        return await running

    assert asyncio.run(live()) == 0
    assert not (tmp_path / "data" / "ingest").exists()


def test_the_log_sums_up_what_came_in(tmp_path, monkeypatch):
    """Once a minute each input that stored something says how much, and what it lacked."""
    monkeypatch.setattr("logopsd.chores.tasks.SUMMARY_SECONDS", 0.01)
    log = CapturedLog()

    async def live() -> None:
        daemon = Daemon(settings(tmp_path), log.log)
        running = asyncio.create_task(daemon.run())
        await log.until("ready")
        figures = daemon._parts.metrics.input("udp")
        figures.accepted += 3
        figures.missing_ts += 2
        await log.until("ingest")
        os.kill(os.getpid(), signal.SIGTERM)
        await running

    asyncio.run(live())
    summary = log.all("ingest")[0]
    assert (summary["accepted"], summary["missing_ts"], summary["missing_level"]) == (3, 2, 0)


def test_systemd_is_told_of_start_life_and_end(tmp_path, monkeypatch):
    """READY once all listens, WATCHDOG while it lives, STOPPING when it ends."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        monkeypatch.setenv("WATCHDOG_USEC", "20000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
        log = CapturedLog()

        async def live() -> None:
            running = asyncio.create_task(Daemon(settings(tmp_path), log.log).run())
            await log.until("ready")
            os.kill(os.getpid(), signal.SIGTERM)
            await running

        asyncio.run(live())
        told = []
        while "STOPPING=1" not in told:
            told += manager.recv(4096).decode().split("\n")

    assert told[0] in ("WATCHDOG=1", "READY=1")
    assert {"READY=1", "STATUS=receiving", "STOPPING=1"} <= set(told)


def test_a_reload_asked_for_during_the_start_is_done_after_it(tmp_path):
    """SIGHUP never ends the daemon, nor is it lost; without a source it opens files anew."""
    log = CapturedLog()
    reopened = []

    async def live() -> int:
        daemon = Daemon(settings(tmp_path), log.log)
        daemon._parts.sink.reopen = lambda: reopened.append(log.all("ready"))
        running = asyncio.create_task(daemon.run())
        daemon._hang_up()  # as the handler does; nothing listens yet
        assert reopened == []
        await log.until("ready")
        os.kill(os.getpid(), signal.SIGTERM)
        status = await running
        daemon._hang_up()  # too late: it has ended
        return status

    assert asyncio.run(live()) == 0
    assert len(reopened) == 1
    assert reopened[0], "after it was ready"


def test_running_out_of_files_is_told_once_with_its_mend(tmp_path):
    """However often asyncio complains of it, the log says it once a minute."""
    log = CapturedLog()

    async def live() -> None:
        running = asyncio.create_task(Daemon(settings(tmp_path), log.log).run())
        await log.until("ready")
        for _ in range(3):
            asyncio.get_running_loop().call_exception_handler(
                {"message": "no room", "exception": OSError(errno.EMFILE, "too many")}
            )
        os.kill(os.getpid(), signal.SIGTERM)
        await running

    asyncio.run(live())
    (told,) = log.all("cannot accept")
    assert (told["level"], told["mend"]) == ("warning", "raise LimitNOFILE=")
