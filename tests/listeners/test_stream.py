"""Tests of logopsd.listeners.stream, over real sockets."""

import asyncio
import socket
import ssl
import struct
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from logopsd.errors import ListenError
from logopsd.framing.syslog_stream import SyslogStreamFramer
from logopsd.listeners import stream
from logopsd.listeners.access import Access, Rules
from logopsd.listeners.stream import StreamListener
from logopsd.listeners.stream_connection import StreamConnection
from logopsd.listeners.tls import Certificates, TlsFiles
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


class Case:
    """A listener with everything it is given."""

    def __init__(self, **options: object) -> None:
        self.taken = Taken()
        self.metrics = FakeMetrics()
        self.log = FakeLog()
        self.listener = StreamListener(
            input="tcp",
            new_connection=partial(
                StreamConnection,
                make_framer=lambda: SyslogStreamFramer(max_message=1024),
                take_frames=self.taken,
            ),
            metrics=as_metrics(self.metrics),
            log=as_log(self.log),
            **options,  # type: ignore[arg-type]
        )

    async def __aenter__(self) -> "Case":
        await self.listener.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.listener.close()

    def dial(self) -> socket.socket:
        """Connect to the listener by a plain blocking socket over IPv4."""
        return socket.create_connection(("127.0.0.1", port_of(self.listener.addresses[0])))

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the listener over IPv4."""
        return await asyncio.open_connection("127.0.0.1", port_of(self.listener.addresses[0]))


class TestReading:
    def test_frames_of_a_connection_come_with_its_peer(self) -> None:
        """Lines and counted frames of one connection are handed down with the peer's address."""

        async def main() -> None:
            async with Case() as case:
                _, writer = await case.connect()
                writer.write(b"<34>one\n8 <34>two!<34>three")
                writer.close()
                await until(lambda: len(case.taken.frames) == 3)

                assert case.taken.frames == [b"<34>one", b"<34>two!", b"<34>three"]
                assert {peer for _, peer in case.taken.calls} == {"127.0.0.1"}
                await until(lambda: case.metrics.connections == 0)

        asyncio.run(main())

    def test_what_peers_had_sent_is_read_out_at_the_end(self) -> None:
        """Bytes that the kernel holds when the listener is closed are handed down."""

        async def main() -> None:
            async with Case() as case:
                _, writer = await case.connect()
                await until(lambda: case.metrics.connections == 1)
                writer.write(b"<34>one\n<34>two")
                await case.listener.close()

                assert case.taken.frames == [b"<34>one", b"<34>two"]
                writer.close()

        asyncio.run(main())

    def test_each_connection_has_its_own_framer(self) -> None:
        """What one peer has begun is not mixed with what another sends."""

        async def main() -> None:
            async with Case() as case:
                with case.dial() as one, case.dial() as two:
                    one.sendall(b"<34>one ")
                    two.sendall(b"<34>two ")
                    await until(lambda: case.metrics.connections == 2)
                    one.sendall(b"half\n")
                    two.sendall(b"half\n")
                    await until(lambda: len(case.taken.frames) == 2)

                assert sorted(case.taken.frames) == [b"<34>one half", b"<34>two half"]

        asyncio.run(main())

    def test_faults_are_counted(self) -> None:
        """What the framer found malformed is counted, also where it gave no frame."""

        async def main() -> None:
            async with Case() as case:
                with case.dial() as sock:
                    sock.sendall(b"8 <34>abcdef")
                    await until(lambda: case.metrics.faults == {"resync": 1})

        asyncio.run(main())

    def test_the_last_line_is_kept_when_a_peer_resets(self) -> None:
        """A connection that is torn down gives what had arrived of it, just as one that ends."""

        async def main() -> None:
            async with Case() as case:
                with case.dial() as sock:
                    sock.sendall(b"<34>one\n<34>last")
                    await until(lambda: case.taken.frames)
                    linger = struct.pack("ii", 1, 0)  # a close is a reset
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                await until(lambda: case.metrics.connections == 0)

                assert case.taken.frames == [b"<34>one", b"<34>last"]

        asyncio.run(main())

    def test_a_unix_socket(self, tmp_path: Path) -> None:
        """Peers of a Unix socket are called `unix`, and its name goes with the listener."""
        path = tmp_path / "log"

        async def main() -> None:
            async with Case(path=str(path)) as case:
                with socket.socket(socket.AF_UNIX) as sock:
                    sock.connect(str(path))
                    sock.sendall(b"<34>one\n")
                    await until(lambda: case.taken.frames)

                assert case.listener.addresses == [f"unix://{path}"]
                assert case.taken.calls[0][1] == "unix"
            assert not path.exists()

        asyncio.run(main())

    def test_an_inherited_socket(self) -> None:
        """A socket that was bound by another is listened on."""

        async def main() -> None:
            async with Case(sock=socket.create_server(("127.0.0.1", 0))) as case:
                with case.dial() as sock:
                    sock.sendall(b"<34>one\n")
                    await until(lambda: case.taken.frames == [b"<34>one"])

        asyncio.run(main())

    def test_a_taken_port_is_refused(self) -> None:
        """The error names the setting."""

        async def main() -> None:
            async with Case() as case:
                other = Case(port=port_of(case.listener.addresses[0]))
                with pytest.raises(ListenError, match="LOGOPS_TCP_PORT"):
                    await other.listener.start()

        asyncio.run(main())

    def test_a_socket_that_cannot_listen_is_refused(self) -> None:
        """A port that another began to listen on meanwhile is refused with its setting."""

        async def main() -> None:
            with socket.socket() as one, socket.socket() as two:
                for sock in (one, two):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                one.bind(("127.0.0.1", 0))
                two.bind(one.getsockname())
                one.listen()
                with pytest.raises(ListenError, match="LOGOPS_TCP_PORT"):
                    await Case(sock=two).listener.start()

        asyncio.run(main())


class TestPaused:
    def test_nothing_is_read_until_resumed(self) -> None:
        """While the sink is full neither old nor new connections are read; then nothing is lost."""

        async def main() -> None:
            async with Case() as case:
                with case.dial() as old:
                    await until(lambda: case.metrics.connections == 1)
                    case.listener.pause()
                    case.listener.pause()
                    with case.dial() as new:
                        await until(lambda: case.metrics.connections == 2)
                        old.sendall(b"<34>old\n")
                        new.sendall(b"<34>new\n")
                        for _ in range(100):
                            await asyncio.sleep(0)
                        assert case.taken.frames == []

                        case.listener.resume()
                        case.listener.resume()
                        await until(lambda: len(case.taken.frames) == 2)

        asyncio.run(main())

    def test_closing_while_paused_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What cannot be read out in time is said in the log."""
        monkeypatch.setattr(stream, "READ_OUT_TIMEOUT", 0.05)

        async def main() -> None:
            async with Case() as case:
                with case.dial() as sock:
                    await until(lambda: case.metrics.connections == 1)
                    case.listener.pause()
                    sock.sendall(b"<34>unread\n")
                    await case.listener.close()

                    assert case.log.values("closed with data unread")["connections"] == 1
                    assert case.metrics.connections == 0

        asyncio.run(main())


class TestClosing:
    def test_connections_not_yet_accepted_are_read_out(self) -> None:
        """A peer that the kernel accepted for us sees no difference: its messages are taken."""

        async def main() -> None:
            async with Case() as case:
                with case.dial() as sock:
                    sock.sendall(b"<34>one\n<34>two")
                    await case.listener.close()

                assert case.taken.frames == [b"<34>one", b"<34>two"]

        asyncio.run(main())

    def test_all_that_had_arrived_is_read_out(self) -> None:
        """More than one read's worth in the kernel is handed down, from every peer."""

        async def main() -> None:
            async with Case() as case:
                with case.dial() as one, case.dial() as two:
                    await until(lambda: case.metrics.connections == 2)
                    case.listener.pause()
                    for sock in (one, two):
                        sock.setblocking(False)
                        sent = sock.send(b"<34>line of a peer\n" * 30_000)
                        assert sent > 300_000
                    case.listener.resume()
                    await case.listener.close()

                assert len(case.taken.frames) >= 2 * 300_000 // 19

        asyncio.run(main())

    def test_after_stop_accepting_peers_go_on(self) -> None:
        """A connection that is open stays so, a new one is refused."""

        async def main() -> None:
            async with Case() as case:
                with case.dial() as sock:
                    await until(lambda: case.metrics.connections == 1)
                    case.listener.stop_accepting()
                    case.listener.stop_accepting()
                    with pytest.raises(ConnectionRefusedError):
                        case.dial()
                    sock.sendall(b"<34>one\n")
                    await until(lambda: case.taken.frames)

        asyncio.run(main())

    def test_a_peer_is_told(self) -> None:
        """The peer reads an end of the stream."""

        async def main() -> None:
            async with Case() as case:
                reader, writer = await case.connect()
                await until(lambda: case.metrics.connections == 1)
                await case.listener.close()

                assert await reader.read() == b""
                writer.close()

        asyncio.run(main())


class TestLimits:
    def test_a_connection_too_many_is_refused(self) -> None:
        """It is closed at once, counted, and the others stay."""

        async def main() -> None:
            async with Case(access=Access(Rules(max_connections=1))) as case:
                with case.dial() as one:
                    await until(lambda: case.metrics.connections == 1)
                    reader, writer = await case.connect()
                    assert await reader.read() == b""
                    writer.close()
                    one.sendall(b"<34>one\n")
                    await until(lambda: case.taken.frames)

                    assert case.metrics.refused == {"limit": 1}
                    assert case.log.values("connection refused")["reason"] == "limit"
                    assert case.metrics.connections == 1

        asyncio.run(main())

    def test_a_silent_connection_is_closed(self) -> None:
        """After the idle time-out a connection ends, and its last line is kept."""

        async def main() -> None:
            async with Case(idle_timeout=0.05) as case:
                with case.dial() as sock:
                    sock.sendall(b"<34>last")
                    await until(lambda: case.taken.frames == [b"<34>last"])
                    await until(lambda: case.metrics.connections == 0)

        asyncio.run(main())

    def test_the_idle_time_out_may_change(self) -> None:
        """One that is set later holds for connections that are there; so does its end."""

        async def main() -> None:
            async with Case() as case:
                with case.dial(), case.dial():
                    await until(lambda: case.metrics.connections == 2)
                    case.listener.set_idle_timeout(1000.0)
                    case.listener.set_idle_timeout(0.02)
                    await until(lambda: case.metrics.connections == 0)
                case.listener.set_idle_timeout(0.0)
                with case.dial():
                    await until(lambda: case.metrics.connections == 1)
            case.listener.set_idle_timeout(0.02)  # closed: there is nobody to watch

        asyncio.run(main())

    def test_while_paused_nobody_is_silent(self) -> None:
        """A peer is not closed for what we did not read."""

        async def main() -> None:
            async with Case(idle_timeout=0.02) as case:
                with case.dial() as sock:
                    case.listener.pause()
                    await until(lambda: case.metrics.connections == 1)
                    sock.sendall(b"<34>one\n")
                    await asyncio.sleep(0.06)
                    assert case.metrics.connections == 1
                    case.listener.resume()
                    await until(lambda: case.taken.frames)

        asyncio.run(main())


class TestTls:
    @pytest.mark.parametrize("hello", [b"\x16\x03\x01\x02\x00\x01", b"\x16"])
    def test_a_hello_on_the_plain_port_is_explained_once(self, hello: bytes) -> None:
        """A TLS sender is turned away with one log line, and nothing of it becomes a record."""

        async def main() -> None:
            async with Case() as case:
                for _ in range(2):
                    reader, writer = await case.connect()
                    writer.write(hello)
                    assert await reader.read() == b""
                    writer.close()

                assert case.taken.calls == []
                assert case.log.values("TLS on a plain port")["peer"] == "127.0.0.1"

        asyncio.run(main())

    def test_a_session(self, certificate: Path) -> None:
        """With a context given, what comes inside TLS is taken, and read out at the end."""
        client = ssl.create_default_context(cafile=str(certificate))

        async def main() -> None:
            async with Case(tls=certificates_of(certificate)) as case:
                port = port_of(case.listener.addresses[0])
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", port, ssl=client, server_hostname="localhost"
                )
                writer.write(b"7 <34>one")
                await until(lambda: case.taken.frames == [b"<34>one"])
                writer.write(b"<34>last")
                await case.listener.close()

                assert case.taken.frames == [b"<34>one", b"<34>last"]
                assert await reader.read() == b""
                writer.close()

        asyncio.run(main())

    def test_who_speaks_no_tls_does_not_hold_up_the_end(
        self, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A peer that the kernel accepted for us and that is silent or talks nonsense is let go."""
        monkeypatch.setattr(stream, "READ_OUT_TIMEOUT", 0.05)

        async def main() -> None:
            async with Case(tls=certificates_of(certificate)) as case:
                with case.dial(), case.dial() as nonsense:
                    nonsense.sendall(b"<34>one\n")
                    async with asyncio.timeout(TIMEOUT):
                        await case.listener.close()

                assert case.taken.frames == []

        asyncio.run(main())

    def test_who_takes_no_goodbye_is_cut_off(
        self, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A peer that does not answer the end of a TLS session is torn down in time."""
        monkeypatch.setattr(stream, "CLOSE_TIMEOUT", 0.05)
        client = ssl.create_default_context(cafile=str(certificate))

        async def main() -> None:
            async with Case(tls=certificates_of(certificate)) as case:
                _, writer = await asyncio.open_connection(
                    "127.0.0.1",
                    port_of(case.listener.addresses[0]),
                    ssl=client,
                    server_hostname="localhost",
                )
                await until(lambda: case.metrics.connections == 1)
                cast(asyncio.Transport, writer.transport).pause_reading()
                async with asyncio.timeout(TIMEOUT):
                    await case.listener.close()

                assert case.metrics.connections == 0
                writer.transport.abort()

        asyncio.run(main())


def certificates_of(path: Path) -> Certificates:
    """Use a file with certificate and key."""
    return Certificates(TlsFiles(path, path), as_log(FakeLog()))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of localhost, with its key."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path
