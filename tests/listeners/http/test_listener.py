"""The listener, over real sockets."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from logopsd.errors import ListenError
from logopsd.figures.metrics import HTTP_CODES, InputMetrics
from logopsd.listeners.http.listener import SWEEP_SECONDS, HttpListener
from logopsd.listeners.http.messages import Route, Routes
from logopsd.listeners.http.service import Limits
from tests.listeners.http.helpers import Later, Recorder, echo, get, head, parse_answers, post

ROUTES: Routes = {("POST", "/echo"): Route(echo), ("GET", "/echo"): Route(echo)}
PATIENCE = 10.0
"""Seconds after which a test has failed, not waited."""


class Fixture:
    """A listener, and connections to it."""

    def __init__(self, routes: Routes = ROUTES, **arguments: Any) -> None:
        self.metrics = InputMetrics("http")
        self.responses = dict.fromkeys(HTTP_CODES, 0)
        self.now = 0.0
        self.listener = HttpListener(
            name="http",
            routes=routes,
            log=Recorder().logger,
            metrics=self.metrics,
            responses=self.responses,
            clock=lambda: self.now,
            **arguments,
        )

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the first address."""
        host, _, port = self.listener.addresses[0].removeprefix("http://").rpartition(":")
        return await asyncio.open_connection(host.strip("[]"), int(port))

    async def ask(self, request: bytes) -> bytes:
        """Send a request on a connection of its own; give all that comes back."""
        reader, writer = await self.connect()
        writer.write(request)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer


def served(test: Callable[[Fixture], Awaitable[None]], **arguments: Any) -> Fixture:
    """Run a test against a started listener, and close it."""

    async def run() -> Fixture:
        fixture = Fixture(**arguments)
        await fixture.listener.start()
        try:
            async with asyncio.timeout(PATIENCE):
                await test(fixture)
        finally:
            await fixture.listener.close()
        return fixture

    return asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until something is so."""
    while not condition():  # noqa: ASYNC110  what is waited for knows no event
        await asyncio.sleep(0)


def test_requests_are_answered_over_a_socket() -> None:
    """The address is told, and serves."""

    async def test(fixture: Fixture) -> None:
        assert fixture.listener.input == "http"
        assert fixture.listener.addresses[0].startswith("http://127.0.0.1:")
        answers = list(parse_answers(await fixture.ask(post(b"abc") + get())))
        assert [(status, body) for status, _, body in answers] == [
            (200, b"POST /echo abc"),
            (200, b"GET /echo "),
        ]

    fixture = served(test)
    assert fixture.responses[200] == 2
    assert fixture.metrics.connections == 0


def test_a_large_body_comes_through() -> None:
    """A body of many reads is one body, and a large answer is taken."""
    body = bytes(range(256)) * 16384

    async def test(fixture: Fixture) -> None:
        ((status, _, echoed),) = parse_answers(await fixture.ask(post(body)))
        assert (status, echoed.endswith(body)) == (200, True)

    served(test)


def test_a_refusal_reaches_a_client_that_still_sends() -> None:
    """A client that sends without looking reads the answer, not a reset."""

    async def test(fixture: Fixture) -> None:
        answer = await fixture.ask(post(b"a" * 4_000_000))
        assert [status for status, _, _ in parse_answers(answer)] == [413]

    served(test, limits=Limits(max_body_bytes=1000))


def test_ipv6_is_served() -> None:
    """An IPv6 address is written in brackets."""

    async def test(fixture: Fixture) -> None:
        assert fixture.listener.addresses[0].startswith("http://[::1]:")
        assert b"200 OK" in await fixture.ask(get())

    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    served(test, host="::1")


def test_an_inherited_socket_is_used() -> None:
    """Systemd hands over sockets that are bound already."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]

        async def test(fixture: Fixture) -> None:
            assert fixture.listener.addresses == [f"http://127.0.0.1:{port}"]
            assert b"200 OK" in await fixture.ask(get())

        served(test, sock=sock)


def test_an_address_in_use_names_the_mend() -> None:
    """The operator is told which setting to change."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()

        async def run() -> None:
            listener = HttpListener(
                name="metrics",
                port=sock.getsockname()[1],
                routes={},
                log=Recorder().logger,
                setting="LOGOPS_METRICS_PORT",
            )
            with pytest.raises(ListenError, match="LOGOPS_METRICS_PORT"):
                await listener.start()
            await listener.close()

        asyncio.run(run())


def test_connections_are_counted_and_limited() -> None:
    """Who comes when all places are taken is told so; a place left is free again."""

    async def test(fixture: Fixture) -> None:
        first = await fixture.connect()
        second = await fixture.connect()
        await until(lambda: fixture.metrics.connections == 2)
        reader, writer = await fixture.connect()
        assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
        writer.close()
        first[1].close()
        await until(lambda: fixture.metrics.connections == 1)
        assert b"200 OK" in await fixture.ask(get())
        second[1].close()

    fixture = served(test, limits=Limits(max_connections=2))
    assert fixture.responses[503] == 1
    assert fixture.metrics.connections == 0


def test_a_full_sink_answers_503_and_a_free_one_200() -> None:
    """Back-pressure is told to who would have to be stored."""

    async def test(fixture: Fixture) -> None:
        reader, writer = await fixture.connect()
        fixture.listener.pause()
        fixture.listener.pause()
        writer.write(post(b"a"))
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 503 ")
        assert b"200 OK" in await fixture.ask(get())
        fixture.listener.resume()
        fixture.listener.resume()
        writer.write(post(b"a"))
        assert (await reader.readuntil(b"POST /echo a")).startswith(b"HTTP/1.1 200 ")
        writer.close()

    served(test)


def test_waits_are_looked_at() -> None:
    """A head that does not end is cut off, and an idle connection closed."""

    async def test(fixture: Fixture) -> None:
        slow_reader, slow = await fixture.connect()
        idle_reader, idle = await fixture.connect()
        await until(lambda: fixture.metrics.connections == 2)
        slow.write(b"GET /ec")
        connections = fixture.listener._connections
        await until(lambda: any(connection._reader.begun for connection in connections))
        fixture.listener.check_times()
        fixture.now = Limits().head_seconds
        fixture.listener.check_times()
        assert (await slow_reader.read()).startswith(b"HTTP/1.1 408 ")
        slow.close()
        fixture.now = Limits().idle_seconds
        fixture.listener.check_times()
        assert await idle_reader.read() == b""
        idle.close()

    served(test)


def test_the_sweep_goes_on_by_itself() -> None:
    """The timer that looks at them sets itself anew."""

    async def test(fixture: Fixture) -> None:
        reader, writer = await fixture.connect()
        await until(lambda: fixture.metrics.connections == 1)
        fixture.listener._sweep()
        fixture.now = Limits().idle_seconds
        fixture.listener._sweep()
        assert await reader.read() == b""
        writer.close()

    assert SWEEP_SECONDS <= 1
    served(test)


def test_closing_waits_for_answers_under_way() -> None:
    """What was taken is answered before the connection ends; nobody new is let in."""
    later = Later()

    async def test(fixture: Fixture) -> None:
        idle_reader, idle = await fixture.connect()
        reader, writer = await fixture.connect()
        writer.write(post(b"kept"))
        await until(lambda: len(later.requests) == 1 and fixture.metrics.connections == 2)
        fixture.listener.stop_accepting()
        assert await idle_reader.read() == b""
        idle.close()
        with pytest.raises(ConnectionRefusedError):
            await fixture.connect()
        closing = asyncio.create_task(fixture.listener.close())
        await asyncio.sleep(0)
        assert not closing.done()
        later.answer(0)
        answer = await reader.read()
        writer.close()
        await closing
        assert b"Connection: close\r\n" in answer
        assert answer.endswith(b"kept")

    served(test, routes={("POST", "/echo"): Route(later)})


def test_closing_has_its_time() -> None:
    """An answer that never comes does not keep the daemon from ending."""
    later = Later()

    async def test(fixture: Fixture) -> None:
        reader, writer = await fixture.connect()
        writer.write(post(b"a"))
        await until(lambda: len(later.requests) == 1)
        await fixture.listener.close()
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()

    fixture = served(
        test, routes={("POST", "/echo"): Route(later)}, limits=Limits(close_seconds=0.01)
    )
    assert fixture.metrics.connections == 0


def test_a_request_begun_before_the_close_is_taken() -> None:
    """A body on its way is waited for."""

    async def test(fixture: Fixture) -> None:
        reader, writer = await fixture.connect()
        writer.write(head("POST", "/echo", "Content-Length: 3"))
        connections = fixture.listener._connections
        await until(lambda: any(connection._reader.begun for connection in connections))
        closing = asyncio.create_task(fixture.listener.close())
        await asyncio.sleep(0)
        writer.write(b"abc")
        answer = await reader.read()
        writer.close()
        await closing
        assert answer.endswith(b"POST /echo abc")

    served(test)


def test_figures_are_not_asked_for() -> None:
    """A listener that nobody counts needs no figures."""

    async def run() -> None:
        listener = HttpListener(name="metrics", routes=ROUTES, log=Recorder().logger)
        await listener.start()
        await listener.close()

    asyncio.run(run())
