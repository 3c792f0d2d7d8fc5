"""What is stored is sent on, to real nats-servers, as an operator has it sent."""

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import pytest

from logopsd.bus.messages import MESSAGE_ID, SCHEMA
from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import Daemon, clean_environment, logopsd
from tests.e2e.ship_chaos import run, stream_messages
from tests.nats_server import NatsServer, client_of, make_stream

RECORDS = 4000
"""`make ship-chaos` sends 200,000."""


def test_nothing_is_lost_while_servers_shipper_and_network_fail(tmp_path: Path) -> None:
    """Three servers: all is in the stream, once, in order."""
    figures = run(tmp_path, RECORDS, seed=3)
    print(figures)

    assert figures.records == figures.stored == RECORDS
    assert (figures.missing, figures.doubled, figures.reordered) == (0, 0, [])
    assert (figures.outages, figures.cuts) == (3, 3)
    assert figures.kills >= 3  # else nothing was shown


def ship(directory: Path, *args: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run `logopsd ship` over the files of a daemon's directory."""
    return subprocess.run(
        logopsd("ship", *args),
        cwd=directory,
        env=clean_environment(settings),
        capture_output=True,
        text=True,
        timeout=60,
    )


def stream(address: str) -> list[Any]:
    """All messages of the stream."""

    async def read() -> list[Any]:
        client = await client_of(address)
        try:
            return [message async for message in stream_messages(client)]
        finally:
            await client.close()

    return asyncio.run(read())


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_daemon_sends_what_it_stores(
    tmp_path: Path, make_daemon: MakeDaemon, workers: str
) -> None:
    """Its own figures say so; while the stream is not there yet, receiving goes on.

    Of several workers one process sends the files of all.
    """
    with NatsServer(tmp_path) as server:
        settings = {"LOGOPS_SHIP_TO": server.address, "LOGOPS_WORKERS": workers}
        receiver = make_daemon(settings).start()
        receiver.send_tcp(b"<11>1 - web shop - - - first\n")
        receiver.wait_records(1)
        receiver.wait_for(lambda: receiver.events("shipping waits"), "the missing stream be told")
        done = ship(receiver.directory, "--init", "--replicas", "1", "--to", server.address)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        receiver.send_udp(b"<14>1 - web shop - - - second")

        def lag() -> float:
            return receiver.metrics().sum("logops_ship_lag_bytes")

        receiver.wait_for(lambda: lag() == 0 and len(stream(server.address)) == 2, "both be sent")
        sent = {message.subject: message for message in stream(server.address)}
        assert receiver.metrics().sum("logops_ship_records_total") == 2
        assert receiver.stop() == 0

    assert set(sent) == {"logs.tcp.error", "logs.udp.info"}
    lines = b"".join(sent[name].data for name in sorted(sent)).splitlines()
    assert sorted(lines) == sorted(receiver.raw().splitlines())
    assert all(message.headers[SCHEMA] == "1" for message in sent.values())
    assert len({message.headers[MESSAGE_ID] for message in sent.values()}) == 2


def test_the_command_follows_and_ends_when_told(tmp_path: Path) -> None:
    """SIGTERM: what is in flight is acknowledged, the position saved; status 0."""
    sink = tmp_path / "data" / "ingest"
    sink.mkdir(parents=True)
    (sink / "20261123.ndjson").write_bytes(b'{"level":"INFO","input":"udp","msg":"1"}\n')
    with NatsServer(tmp_path) as server:
        asyncio.run(prepare(server.address))
        process = Daemon(
            tmp_path,
            {"LOGOPS_SHIP_METRICS_PORT": "any", "LOGOPS_SHIP_TO": server.address},
            args=["ship"],
        )
        del process.env["LOGOPS_UDP_PORT"]
        try:
            process.spawn()
            process.wait_for(lambda: process.events("shipping"), "it say where to")
            process.wait_for(
                lambda: process.metrics().sum("logops_ship_records_total") == 1, "one be sent"
            )
            with (sink / "20261124.ndjson").open("ab") as file:
                file.write(b'{"level":"WARN","input":"udp","msg":"2"}\n')
            process.wait_for(lambda: len(stream(server.address)) == 2, "the next day be sent")
            assert process.stop() == 0
        finally:
            process.end()
        done = ship(tmp_path, "--once", "--to", server.address)

    assert process.unexpected() == []
    assert done.stdout.startswith("shipped 0 records")


async def prepare(address: str) -> None:
    """Make the stream."""
    client = await client_of(address)
    await make_stream(client)
    await client.close()
