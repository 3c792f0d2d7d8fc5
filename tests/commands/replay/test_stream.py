"""Reading a stream of a real nats-server."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from logopsd.bus.address import parse_address
from logopsd.bus.login import Login
from logopsd.commands.replay import stream as module
from logopsd.commands.replay.stream import StreamMessage, stream_messages
from logopsd.errors import LogopsError
from tests.nats_server import NatsServer, client_of, make_stream


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    """A server with a stream of forty messages."""
    with NatsServer(tmp_path) as one:
        filled(one, 40)
        yield one


def filled(server: NatsServer, count: int) -> None:
    """Publish messages, each with its number."""

    async def publish() -> None:
        client = await client_of(server.address)
        await make_stream(client)
        for number in range(count):
            headers = {"Nats-Msg-Id": str(number)}
            await client.jetstream().publish("logs.tcp.info", b"%d\n" % number, headers=headers)
        await client.close()

    asyncio.run(publish())


def read(
    server: NatsServer,
    progress: Callable[[int, int], None] = lambda done, total: None,
    **more: Any,
) -> Iterator[StreamMessage]:
    """Read it."""
    options = {"stream": "LOGS", "since": ""} | more
    return stream_messages(parse_address(server.address), Login(), progress=progress, **options)


def test_it_is_read_from_first_to_last(server: NatsServer) -> None:
    """In order, with headers; what comes meanwhile is not waited for."""
    told: list[tuple[int, int]] = []
    messages = read(server, lambda done, total: told.append((done, total)))
    first = next(messages)
    filled(server, 45)  # five more: the stream knows the others
    rest = list(messages)

    assert (first.headers["Nats-Msg-Id"], first.payload) == ("0", b"0\n")
    assert [each.payload for each in rest] == [b"%d\n" % number for number in range(1, 40)]
    assert told[-1] == (40, 40)


def test_it_begins_at_a_time(server: NatsServer) -> None:
    """What was published before is left out, less some slack; later than all there is nothing."""
    assert len(list(read(server, since="2020-01-01T00:00:00.000"))) == 40
    assert list(read(server, since="2100-01-01T00:00:00.000")) == []


def test_it_goes_on_where_it_was_when_the_server_is_back(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No message is left out, and none comes twice."""
    monkeypatch.setattr(module, "BATCH", 7)
    messages = read(server)
    found = [next(messages).payload for _ in range(8)]
    server.kill()
    server.start()
    found += [each.payload for each in messages]

    assert found == [b"%d\n" % number for number in range(40)]


def test_a_stream_that_is_not_there_is_told_of(server: NatsServer) -> None:
    """With the option that names another; an empty one is no error."""
    with pytest.raises(LogopsError, match="has no stream OTHER; name another with --stream"):
        list(read(server, stream="OTHER"))


def test_an_empty_stream_gives_nothing(tmp_path: Path) -> None:
    """And ends."""
    with NatsServer(tmp_path) as one:
        filled(one, 0)
        assert list(read(one)) == []


def test_servers_that_are_away_are_waited_for_only_so_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Then it says what was wrong."""
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.3)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    address = parse_address(f"nats://127.0.0.1:{port}")
    with pytest.raises(LogopsError, match="cannot be reached"):
        list(
            stream_messages(
                address, Login(), stream="LOGS", since="", progress=lambda done, total: None
            )
        )
