"""Tests of logopsd.listeners.tls_server, by a stream listener over real sockets."""

import asyncio
import errno
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from logopsd.framing.newline import NewlineFramer
from logopsd.listeners import stream, tls_server
from logopsd.listeners.access import Access, Rules
from logopsd.listeners.stream import StreamListener
from logopsd.listeners.stream_connection import StreamConnection
from logopsd.listeners.tls import Certificates, TlsFiles, load
from tests.certificates import Authority, Issued
from tests.listeners.helpers import (
    FakeLog,
    FakeMetrics,
    Taken,
    as_log,
    as_metrics,
    port_of,
    until,
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority."""
    return Authority(tmp_path_factory.mktemp("authority"))


class Case:
    """A TLS listener with everything it is given."""

    def __init__(
        self,
        authority: Authority,
        *,
        ca: Path | None = None,
        permitted: str = "",
        access: Access | None = None,
    ) -> None:
        own = authority.issue("localhost", dns=["localhost"])
        self.taken = Taken()
        self.metrics = FakeMetrics()
        self.log = FakeLog()
        self.certificates = Certificates(
            TlsFiles(own.cert, own.key, ca, permitted.split()), as_log(self.log)
        )
        self.listener = StreamListener(
            input="tls",
            tls=self.certificates,
            access=access,
            new_connection=partial(
                StreamConnection,
                make_framer=lambda: NewlineFramer(max_message=1024),
                take_frames=self.taken,
            ),
            metrics=as_metrics(self.metrics),
            log=as_log(self.log),
        )

    async def __aenter__(self) -> "Case":
        await self.listener.start()
        self.port = port_of(self.listener.addresses[0])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.listener.close()

    def dial(self) -> socket.socket:
        """Connect, and say nothing."""
        return socket.create_connection(("127.0.0.1", self.port))

    async def send(self, context: ssl.SSLContext, line: bytes) -> None:
        """Send a line by TLS and close; nothing, where the handshake fails."""
        try:
            _, writer = await asyncio.open_connection(
                "127.0.0.1", self.port, ssl=context, server_hostname="localhost"
            )
            writer.write(line)
            writer.close()
            await writer.wait_closed()
        except OSError:
            pass


class TestHandshake:
    def refused(
        self, authority: Authority, attempt: Callable[[Case], None], **options: object
    ) -> FakeLog:
        """Make a listener, attempt something that it refuses, and give what it logged."""
        log = FakeLog()

        async def main() -> None:
            async with Case(authority, **options) as case:  # type: ignore[arg-type]
                await asyncio.to_thread(attempt, case)
                await until(lambda: case.metrics.refused == {"handshake": 1})
                assert case.metrics.connections == 0
                log.calls[:] = case.log.calls

        asyncio.run(main())
        return log

    def test_plain_text(self, authority: Authority) -> None:
        """A sender that speaks no TLS is told of, with the mend."""

        def attempt(case: Case) -> None:
            with case.dial() as sock:
                sock.sendall(b"<13>plain text, user anna@example.com\n")
                sock.recv(100)

        values = self.refused(authority, attempt).values("TLS handshake failed")

        assert (values["peer"], values["reason"]) == ("127.0.0.1", "WRONG_VERSION_NUMBER")
        assert "anna" not in str(values)
        assert "no TLS" in str(values["hint"])

    def test_an_expired_certificate(self, authority: Authority) -> None:
        """What is wrong with the certificate of a client is said in the words of OpenSSL."""
        context = authority.client(authority.issue("old", days=-1))

        def attempt(case: Case) -> None:
            asyncio.run(case.send(context, b"never\n"))

        log = self.refused(authority, attempt, ca=authority.cert)
        values = log.values("TLS handshake failed")

        assert values["reason"] == "CERTIFICATE_VERIFY_FAILED"
        assert values["detail"] == "certificate has expired"

    def test_a_probe_of_the_port(self, authority: Authority) -> None:
        """Who connects and leaves is counted, and not worth a line."""

        def attempt(case: Case) -> None:
            case.dial().close()

        assert self.refused(authority, attempt).events() == []

    def test_silence(self, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who takes too long is let go."""
        monkeypatch.setattr(tls_server, "HANDSHAKE_TIMEOUT", 0.05)

        def attempt(case: Case) -> None:
            with case.dial() as sock:
                assert sock.recv(100) == b""

        values = self.refused(authority, attempt).values("TLS handshake failed")

        assert values["reason"] == "timeout"


class TestAccepting:
    def test_many_at_once(self, authority: Authority) -> None:
        """More connections than are accepted in one go, all of them served."""

        async def main() -> None:
            async with Case(authority) as case:
                context = authority.client()
                count = 2 * tls_server.ACCEPT_BURST
                lines = [b"<13>n%d\n" % number for number in range(count)]
                await asyncio.gather(*(case.send(context, line) for line in lines))
                await until(lambda: len(case.taken.frames) == count)

        asyncio.run(main())

    def test_who_is_silent_does_not_take_all_the_room(
        self, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With all handshakes taken newcomers wait in the kernel, until one comes to its end."""
        monkeypatch.setattr(tls_server, "MAX_HANDSHAKES", 2)

        async def main() -> None:
            async with Case(authority) as case:
                with case.dial(), case.dial() as second:
                    server = case.listener._tls_server
                    assert server is not None
                    await until(lambda: len(server._handshakes) == 2)
                    assert not server._accepting
                    sending = asyncio.create_task(case.send(authority.client(), b"<13>x\n"))
                    second.close()
                    await sending
                    await until(lambda: case.taken.frames == [b"<13>x"])

        asyncio.run(main())

    def test_no_descriptors_left(
        self, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is told, and accepting goes on when there may be some again."""
        monkeypatch.setattr(tls_server, "RETRY_SECONDS", 0.01)
        log = FakeLog()

        class Exhausted:
            """A socket that has a bad moment."""

            def __init__(self, sock: socket.socket) -> None:
                self._sock = sock
                self._error = errno.EMFILE

            def accept(self) -> tuple[socket.socket, object]:
                """Fail once."""
                if self._error:
                    number, self._error = self._error, 0
                    raise OSError(number, os.strerror(number))
                return self._sock.accept()

            def __getattr__(self, name: str) -> object:
                return getattr(self._sock, name)

        async def main() -> None:
            async with Case(authority) as case:
                server = case.listener._tls_server
                assert server is not None
                server._sock = cast(socket.socket, Exhausted(server._sock))
                await case.send(authority.client(), b"<13>x\n")
                await until(lambda: case.taken.frames == [b"<13>x"])
                log.calls[:] = case.log.calls

        asyncio.run(main())

        assert log.values("cannot accept")["hint"] == "raise LimitNOFILE="


class TestAccess:
    def test_a_stranger_is_not_shaken_hands_with(self, authority: Authority) -> None:
        """Who may not send is closed before a byte is read, and counted as such."""
        networks = [ipaddress.ip_network("192.0.2.0/24")]

        async def main() -> None:
            async with Case(authority, access=Access(Rules(networks))) as case:
                with case.dial() as sock:
                    assert await asyncio.to_thread(sock.recv, 1) == b""
                assert case.metrics.refused == {"address": 1}

        asyncio.run(main())

    def test_who_leaves_makes_room(self, authority: Authority) -> None:
        """Connections count from the handshake on, and no longer, however they end."""
        access = Access(Rules(max_connections=1))

        async def main() -> None:
            async with Case(authority, access=access) as case:
                with case.dial():
                    await until(lambda: access.connections == 1)
                    await case.send(authority.client(), b"<13>too many\n")
                    assert case.metrics.refused == {"limit": 1}
                await until(lambda: access.connections == 0)
                await case.send(authority.client(), b"<13>x\n")
                await until(lambda: case.taken.frames == [b"<13>x"])
                await until(lambda: access.connections == 0)
                assert case.metrics.refused == {"limit": 1, "handshake": 1}

        asyncio.run(main())

    def test_a_handshake_at_the_end_is_let_go(
        self, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Closing waits for it for a moment, and leaves nothing behind."""
        monkeypatch.setattr(stream, "READ_OUT_TIMEOUT", 0.01)
        access = Access()

        async def main() -> None:
            async with Case(authority, access=access) as case:
                with case.dial():
                    await until(lambda: access.connections == 1)
                    await case.listener.close()
                assert access.connections == 0

        asyncio.run(main())


class TestPermitted:
    def test_only_who_is_named_may_send(self, authority: Authority) -> None:
        """Another one with a certificate of the same authority is closed, counted and said."""
        good = authority.issue("good", dns=["good.example.org"])
        bad = authority.issue("bad", dns=["bad.example.net"])

        async def main() -> None:
            async with Case(authority, ca=authority.cert, permitted="*.example.org") as case:
                await case.send(authority.client(bad), b"<13>bad\n")
                await until(lambda: case.metrics.refused == {"peer": 1})
                await case.send(authority.client(good), b"<13>good\n")
                await until(lambda: case.taken.frames == [b"<13>good"])
                await until(lambda: case.metrics.connections == 0)

                values = case.log.values("TLS peer not permitted")
                assert str(values["fingerprint"]).lower() == bad.fingerprint.lower()
                assert "bad" not in str(values).replace(str(values["fingerprint"]), "")

        asyncio.run(main())

    def test_a_new_certificate_is_for_new_connections(self, authority: Authority) -> None:
        """A session that is there goes on, and the next one sees the new certificate."""

        async def peek(case: Case) -> tuple[bytes, asyncio.StreamWriter]:
            _, writer = await asyncio.open_connection(
                "127.0.0.1", case.port, ssl=authority.client(), server_hostname="localhost"
            )
            shown: ssl.SSLObject = writer.get_extra_info("ssl_object")
            return shown.getpeercert(binary_form=True) or b"", writer

        async def main() -> None:
            async with Case(authority) as case:
                old, first = await peek(case)
                other: Issued = authority.issue("other", dns=["localhost"])
                case.certificates.use(load(TlsFiles(other.cert, other.key)))
                new, second = await peek(case)
                first.write(b"<13>first\n")
                await until(lambda: case.taken.frames == [b"<13>first"])
                assert old != new
                for writer in (first, second):
                    writer.close()
                    await writer.wait_closed()

        asyncio.run(main())
