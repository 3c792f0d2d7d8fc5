"""Publishing to a stream, against a real nats-server."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from logopsd.bus.address import parse_address
from logopsd.bus.login import Login
from logopsd.bus.messages import Subjects
from logopsd.bus.stream import StreamPlan
from logopsd.bus.stream import make_stream as make
from logopsd.errors import RemoteError
from logopsd.shipping.cut import Cut
from logopsd.shipping.jetstream import JetStream, _rounds
from logopsd.shipping.target import Sent
from tests.nats_server import NatsServer, client_of, make_stream
from tests.shipping.helpers import line

PLAN = StreamPlan("LOGS", "logs.>", 1, 3600.0, 10_000_000, 60.0)


def cut(data: bytes, start: int = 0) -> Cut:
    """A range."""
    return Cut("20261123.ndjson", start, start + len(data), data, full=True)


def target(server: NatsServer, login: Login | None = None) -> JetStream:
    """What publishes to a server."""
    return JetStream(parse_address(server.address), login or Login(), Subjects("logs.{level}"))


def against(
    server: NatsServer, work: Callable[[JetStream, Any], Awaitable[None]], **stream: Any
) -> None:
    """Do something with a server that is up and, where limits are given, has a stream."""

    async def run() -> None:
        client = await client_of(server.address)
        if stream:
            await make_stream(client, **stream)
        ships = target(server)
        try:
            await work(ships, client)
        finally:
            await ships.close()
            await client.close()

    with server:
        asyncio.run(run())


def test_a_range_that_is_sent_twice_is_stored_once(tmp_path: Path) -> None:
    """Within the duplicate window; and it is counted."""

    async def work(ships: JetStream, client: Any) -> None:
        data = line(0) + line(1, level="ERROR") + line(2)
        assert await ships.send(cut(data), "s") == Sent(3, 2, 0)
        assert await ships.send(cut(data), "s") == Sent(3, 2, 2)
        assert (await client.jetstream().stream_info("LOGS")).state.messages == 2

    against(NatsServer(tmp_path), work, replicas=1)


def test_a_connection_that_broke_is_made_anew(tmp_path: Path) -> None:
    """By the next attempt; what was in flight is told at once, not after the time allowed."""
    server = NatsServer(tmp_path)

    async def work(ships: JetStream, client: Any) -> None:
        await ships.send(cut(line(0)), "s")
        server.kill()
        with pytest.raises(RemoteError) as caught:
            await ships.send(cut(line(1), 99), "s")
        assert caught.value.passing
        server.start()
        async with asyncio.timeout(20):
            while True:
                try:
                    assert (await ships.send(cut(line(1), 99), "s")).records == 1
                    return
                except RemoteError:
                    await asyncio.sleep(0.05)

    against(server, work, replicas=1)


def test_without_a_stream_the_mend_is_named(tmp_path: Path) -> None:
    """It does not pass by itself."""

    async def work(ships: JetStream, client: Any) -> None:
        with pytest.raises(RemoteError, match="logopsd ship --init") as caught:
            await ships.send(cut(line(0)), "s")
        assert not caught.value.passing

    against(NatsServer(tmp_path), work)


def test_without_jetstream_the_mend_is_named(tmp_path: Path) -> None:
    """Servers may be without it."""

    async def work(ships: JetStream, client: Any) -> None:
        with pytest.raises(RemoteError, match="start nats-server with -js"):
            await ships.send(cut(line(0)), "s")
        with pytest.raises(RemoteError, match="start nats-server with -js"):
            await make(client, PLAN)

    against(NatsServer(tmp_path, jetstream=False), work)


def test_what_is_larger_than_a_message_may_be_is_left_out_and_the_rest_is_sent(
    tmp_path: Path,
) -> None:
    """By the server's max_payload, and by the stream's own limit."""

    async def work(ships: JetStream, client: Any) -> None:
        data = line(0) + line(1, size=9000) + line(2, level="WARN", size=5000)
        assert await ships.send(cut(data), "s") == Sent(1, 1, 0, {"too_large": 2})

    against(NatsServer(tmp_path, config="max_payload: 8KB"), work, replicas=1, max_msg_size=2000)


def test_a_full_stream_is_waited_for(tmp_path: Path) -> None:
    """Where it refuses new messages rather than drop old ones; the server's words are told."""

    async def work(ships: JetStream, client: Any) -> None:
        from nats.js.api import DiscardPolicy

        await make_stream(client, discard=DiscardPolicy.NEW, max_msgs=1)
        await ships.send(cut(line(0)), "s")
        with pytest.raises(RemoteError, match="maximum messages exceeded") as caught:
            await ships.send(cut(line(1), 50), "s")
        assert caught.value.passing

    against(NatsServer(tmp_path), work)


def test_a_user_who_may_not_publish_is_told(tmp_path: Path) -> None:
    """As the server says it only beside the connection."""
    users = (
        "authorization { users: [ { user: all, password: p }, "
        '{ user: none, password: p, permissions: { publish: { deny: "logs.>" } } } ] }'
    )

    async def run(server: NatsServer) -> None:
        await make_stream(
            client := await client_of(server.address, Login(user="all", password="p"))
        )
        await client.close()
        ships = target(server, Login(user="none", password="p"))
        with pytest.raises(RemoteError, match="may not publish"):
            await ships.send(cut(line(0)), "s")
        await ships.close()

    with NatsServer(tmp_path, config=users) as server:
        asyncio.run(run(server))


def test_the_stream_is_made_once_and_never_changed(tmp_path: Path) -> None:
    """Where the one that is there differs, it is said how."""

    async def work(ships: JetStream, client: Any) -> None:
        assert await make(client, PLAN) == (True, [])
        assert await make(client, PLAN) == (False, [])
        other = StreamPlan("LOGS", "logs.>", 1, 60.0, None, 60.0)
        assert await make(client, other) == (
            False,
            ["max_age is 3600.0, not 60.0", "max_bytes is 10000000, not -1"],
        )
        config = (await client.jetstream().stream_info("LOGS")).config
        assert (config.max_age, config.max_bytes) == (3600.0, 10_000_000)
        with pytest.raises(RemoteError, match="--replicas 1"):
            await make(client, StreamPlan("X", "x", 3, 60.0, None, 60.0))

    against(NatsServer(tmp_path), work)


def test_of_one_subject_one_message_is_in_flight() -> None:
    """So a later one never passes an earlier one that has to be sent again."""
    from logopsd.bus.messages import Message

    made = [Message(subject, b"", 0, {}) for subject in "aabac"]

    assert [[m.subject for m in each] for each in _rounds(made)] == [
        ["a", "b", "c"],
        ["a"],
        ["a"],
    ]
