"""The gate before the connections of stream and HTTP listeners, over real sockets."""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from logopsd.framing.syslog_stream import SyslogStreamFramer
from logopsd.listeners import gate
from logopsd.listeners.access import Access, Rules
from logopsd.listeners.http.listener import HttpListener
from logopsd.listeners.http.messages import Request, Respond, Route, json_response
from logopsd.listeners.stream import StreamListener
from logopsd.listeners.stream_connection import StreamConnection
from logopsd.listeners.tls import Certificates, TlsFiles
from tests.certificates import Authority
from tests.listeners.helpers import (
    TIMEOUT,
    FakeLog,
    FakeMetrics,
    Taken,
    as_log,
    as_metrics,
    port_of,
    until,
)

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
ELSEWHERE = (ipaddress.ip_network("192.0.2.0/24"),)
PROXIED = b"PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n"
FROM_PROXY = b"PROXY UNKNOWN\r\n"


class Case:
    """A stream listener behind a gate, and a way to talk to it."""

    def __init__(self, *, tls: Certificates | None = None, **rules: object) -> None:
        self.taken = Taken()
        self.metrics = FakeMetrics()
        self.log = FakeLog()
        self.access = Access(Rules(**rules))  # type: ignore[arg-type]
        self.listener = StreamListener(
            input="tcp",
            new_connection=partial(
                StreamConnection,
                make_framer=lambda: SyslogStreamFramer(max_message=1024),
                take_frames=self.taken,
            ),
            metrics=as_metrics(self.metrics),
            log=as_log(self.log),
            access=self.access,
            tls=tls,
        )

    async def __aenter__(self) -> "Case":
        await self.listener.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.listener.close()
        assert self.access.connections == 0
        assert self.access._by_peer == {}

    @contextlib.asynccontextmanager
    async def peer(
        self, *pieces: bytes
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection that has sent these, each in a packet of its own."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port_of(self.listener.addresses[0])
        )
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def senders(self) -> list[tuple[list[bytes], object]]:
        """What was taken, with its peer."""
        return [(frames.frames, peer) for frames, peer in self.taken.calls]


async def closed(reader: asyncio.StreamReader) -> None:
    """Wait until the other side has closed."""
    async with asyncio.timeout(TIMEOUT):
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""


def test_who_is_not_in_the_list_is_closed_at_once() -> None:
    """Counted, told once, and nothing of what it sent is taken."""

    async def main() -> None:
        async with Case(allow_from=ELSEWHERE) as case:
            for _ in range(2):
                async with case.peer(b"<13>x\n") as (reader, _):
                    await closed(reader)
            assert case.metrics.refused == {"address": 2}
            assert case.log.values("connection refused")["peer"] == "127.0.0.1"
            assert case.senders() == []

    asyncio.run(main())


def test_who_is_in_the_list_is_served() -> None:
    """The gate is not noticed."""

    async def main() -> None:
        async with Case(allow_from=LOOPBACK) as case, case.peer(b"<13>x\n"):
            await until(case.senders)
            assert case.senders() == [([b"<13>x"], "127.0.0.1")]
            assert (case.metrics.connections, case.access.connections) == (1, 1)

    asyncio.run(main())


def test_tls_is_not_spoken_with_who_is_not_in_the_list(tmp_path: Path) -> None:
    """He is closed before the handshake, which costs more than all the rest."""
    issued = Authority(tmp_path).issue("logs.example.org")
    certificates = Certificates(TlsFiles(issued.cert, issued.key), as_log(FakeLog()))

    async def main() -> None:
        async with Case(tls=certificates, allow_from=ELSEWHERE) as case:
            async with case.peer() as (reader, _):
                await closed(reader)
            assert case.metrics.refused == {"address": 1}

    asyncio.run(main())


def test_tls_peers_pass_the_gate(tmp_path: Path) -> None:
    """Who is in the list shakes hands and is served; a proxy's header is none behind TLS."""
    issued = Authority(tmp_path).issue("logs.example.org")
    certificates = Certificates(TlsFiles(issued.cert, issued.key), as_log(FakeLog()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    async def main() -> None:
        async with Case(tls=certificates, allow_from=LOOPBACK, proxy_from=LOOPBACK) as case:
            port = port_of(case.listener.addresses[0])
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            writer.write(b"<13>x\n")
            await until(case.senders)
            assert case.senders() == [([b"<13>x"], "127.0.0.1")]
            writer.close()
            await until(lambda: case.access.connections == 0)

    asyncio.run(main())


def test_connections_of_one_peer_are_limited() -> None:
    """One too many is closed; when another has left there is room again."""

    async def main() -> None:
        async with Case(max_connections_per_peer=1) as case:
            async with case.peer():
                await until(lambda: case.metrics.connections == 1)
                async with case.peer() as (reader, _):
                    await closed(reader)
            await until(lambda: case.access.connections == 0)
            async with case.peer(b"<13>x\n"):
                await until(case.senders)
            assert case.metrics.refused == {"peer_limit": 1}

    asyncio.run(main())


@pytest.mark.parametrize(
    "pieces",
    [
        [PROXIED + b"<13>x\n"],
        [PROXIED, b"<13>x\n"],
        [PROXIED[:3], PROXIED[3:20], PROXIED[20:] + b"<13>", b"x\n"],
    ],
)
def test_a_proxy_says_for_whom_it_speaks(pieces: list[bytes]) -> None:
    """The peer is the one it names, however the header is cut, and the list is asked of him."""

    async def main() -> None:
        async with Case(proxy_from=LOOPBACK, allow_from=ELSEWHERE) as case, case.peer(*pieces):
            await until(case.senders)
            assert case.senders()[0][1] == "192.0.2.1"
            assert b"".join(case.taken.frames) == b"<13>x"
            assert case.access._by_peer == {"192.0.2.1": 1}

    asyncio.run(main())


def test_a_peer_behind_a_proxy_may_be_refused() -> None:
    """The rules hold for whom the proxy speaks."""

    async def main() -> None:
        async with Case(proxy_from=LOOPBACK, allow_from=LOOPBACK) as case:
            async with case.peer(PROXIED + b"<13>x\n") as (reader, _):
                await closed(reader)
            assert case.metrics.refused == {"address": 1}
            assert case.log.values("connection refused")["peer"] == "192.0.2.1"

    asyncio.run(main())


def test_a_proxy_may_speak_for_itself() -> None:
    """A health check, or a peer of unknown address: the peer is the proxy, as any other one."""

    async def main() -> None:
        async with Case(proxy_from=LOOPBACK, allow_from=LOOPBACK) as case:
            async with case.peer(FROM_PROXY + b"<13>x\n"):
                await until(case.senders)
            assert case.senders() == [([b"<13>x"], "127.0.0.1")]
        async with Case(proxy_from=LOOPBACK, allow_from=ELSEWHERE) as case:
            async with case.peer(FROM_PROXY + b"<13>x\n") as (reader, _):
                await closed(reader)
            assert case.metrics.refused == {"address": 1}
            assert case.senders() == []

    asyncio.run(main())


@pytest.mark.parametrize("sent", [b"<13>hello\n", b"PROXY TCP4 no\r\n", b"PROXY " + b"x" * 200])
def test_a_proxy_that_does_not_say_is_refused(sent: bytes) -> None:
    """From a listed proxy the header is required; its data is not taken for a peer's."""

    async def main() -> None:
        async with Case(proxy_from=LOOPBACK) as case:
            async with case.peer(sent) as (reader, _):
                await closed(reader)
            assert case.metrics.refused == {"proxy": 1}
            assert case.senders() == []

    asyncio.run(main())


def test_a_header_that_does_not_come_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor one that never ends."""
    monkeypatch.setattr(gate, "HEADER_SECONDS", 0.05)

    async def main() -> None:
        async with Case(proxy_from=LOOPBACK) as case:
            async with case.peer(PROXIED[:9]) as (reader, _):
                await closed(reader)
            assert case.metrics.refused == {"proxy": 1}
        monkeypatch.setattr(gate, "HEADER_SECONDS", 60.0)
        endless = b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff"
        async with Case(proxy_from=LOOPBACK) as case:
            async with case.peer(endless + bytes(2 * gate.MAX_HEADER)) as (reader, _):
                await closed(reader)
            assert case.metrics.refused == {"proxy": 1}

    asyncio.run(main())


def test_from_others_a_header_is_data() -> None:
    """Who is no listed proxy cannot name another peer."""

    async def main() -> None:
        async with Case(proxy_from=ELSEWHERE) as case, case.peer(PROXIED + b"<13>x\n"):
            await until(lambda: len(case.taken.frames) == 2)
            assert {peer for _, peer in case.senders()} == {"127.0.0.1"}

    asyncio.run(main())


def test_a_proxy_that_only_looks_is_no_fault() -> None:
    """Health checks connect and leave; nothing is counted or said."""

    async def main() -> None:
        async with Case(proxy_from=LOOPBACK) as case:
            async with case.peer():
                await until(lambda: case.access.connections == 1)
            await until(lambda: case.access.connections == 0)
            assert case.metrics.refused == {}
            assert case.log.events() == []

    asyncio.run(main())


def test_the_end_does_not_wait_for_headers() -> None:
    """Who has not said for whom he speaks when the listener closes is closed with it."""

    async def main() -> None:
        async with Case(proxy_from=LOOPBACK) as case, case.peer(b"PRO") as (reader, _):
            await until(lambda: case.access.connections == 1)
            async with asyncio.timeout(1.0):
                await case.listener.close()
            await closed(reader)

    asyncio.run(main())


def test_http_is_behind_the_same_gate() -> None:
    """Peers are those the proxy names, and connections count together with the others'."""
    access = Access(Rules(proxy_from=LOOPBACK, max_connections_per_peer=1))
    peers: list[object] = []

    def handle(request: Request, respond: Respond) -> None:
        peers.append(request.peer)
        respond(json_response(200, {}))

    async def main() -> None:
        metrics, log = FakeMetrics(), FakeLog()
        listener = HttpListener(
            name="http",
            routes={("GET", "/"): Route(handle)},
            metrics=as_metrics(metrics),
            log=as_log(log),
            access=access,
        )
        await listener.start()
        port = port_of(listener.addresses[0])
        try:
            first = await asyncio.open_connection("127.0.0.1", port)
            first[1].write(PROXIED + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert await first[0].readline() == b"HTTP/1.1 200 OK\r\n"
            second = await asyncio.open_connection("127.0.0.1", port)
            second[1].write(PROXIED + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await closed(second[0])
            waiting = await asyncio.open_connection("127.0.0.1", port)
            await until(lambda: access.connections == 2)
        finally:
            await listener.close()
        for _, writer in (first, second, waiting):
            writer.close()
        assert metrics.refused == {"peer_limit": 1}

    asyncio.run(main())
    assert peers == ["192.0.2.1"]
    assert access.connections == 0
