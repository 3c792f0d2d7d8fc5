"""Tests of logopsd.listeners.relp, over real sockets."""

import asyncio
import socket
import struct
from collections.abc import Callable
from functools import partial

import pytest

from logopsd.framing.relp import RelpSession
from logopsd.listeners import stream
from logopsd.listeners.relp import RelpConnection
from logopsd.listeners.stream import StreamListener
from logopsd.records import Frames
from tests.listeners.helpers import (
    TIMEOUT,
    FakeLog,
    FakeMetrics,
    as_log,
    as_metrics,
    port_of,
    until,
)

OPEN = b"1 open 0\n"
OPENED = b"1 rsp 61 200 OK\nrelp_version=0\nrelp_software=logopsd,1\ncommands=syslog\n"


def message(txnr: int, text: bytes = b"<13>x") -> bytes:
    """A frame with a message."""
    return b"%d syslog %d %s\n" % (txnr, len(text), text)


def answer(txnr: int) -> bytes:
    """The answer to one."""
    return b"%d rsp 6 200 OK\n" % txnr


class Pipeline:
    """Takes frames, and stores them when a test says so."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.receipts: list[Callable[[], None]] = []
        self.failures: list[Callable[[Exception], None]] = []

    def take(
        self,
        frames: Frames,
        peer: str,
        *,
        on_stored: Callable[[], None],
        on_failed: Callable[[Exception], None],
    ) -> None:
        """Take the frames of one read."""
        assert peer == "127.0.0.1"
        self.frames += frames.frames
        self.receipts.append(on_stored)
        self.failures.append(on_failed)

    def store(self) -> None:
        """Store all that was taken, the last first: answers go out in order all the same."""
        while self.receipts:
            self.receipts.pop()()


class Case:
    """A listener with everything it is given, and a client."""

    def __init__(self) -> None:
        self.pipeline = Pipeline()
        self.metrics = FakeMetrics()
        self.log = FakeLog()
        self.listener = StreamListener(
            input="relp",
            new_connection=partial(
                RelpConnection,
                make_session=partial(RelpSession, max_message=1024, software="logopsd,1"),
                take_frames=self.pipeline.take,
            ),
            metrics=as_metrics(self.metrics),
            log=as_log(self.log),
        )

    async def __aenter__(self) -> "Case":
        await self.listener.start()
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", port_of(self.listener.addresses[0])
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        self.pipeline.store()
        await self.listener.close()

    async def open(self) -> None:
        """Open the session."""
        self.writer.write(OPEN)
        assert await self.read(len(OPENED)) == OPENED

    async def taken(self, *messages: bytes) -> None:
        """Send messages and wait until they are handed down."""
        count = len(self.pipeline.frames) + len(messages)
        for text in messages:
            self.writer.write(text)
        await until(lambda: len(self.pipeline.frames) == count)

    async def read(self, size: int) -> bytes:
        """Read so many bytes."""
        async with asyncio.timeout(TIMEOUT):
            return await self.reader.readexactly(size)

    async def rest(self) -> bytes:
        """Read to the end."""
        async with asyncio.timeout(TIMEOUT):
            return await self.reader.read()


class TestAnswers:
    def test_come_when_it_is_stored(self) -> None:
        """A message is handed down at once, and answered no sooner than it is stored."""

        async def main() -> None:
            async with Case() as case:
                await case.open()
                await case.taken(message(2), message(3))
                assert case.listener._connections
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.01):
                        await case.reader.read(1)
                case.pipeline.store()
                assert await case.read(2 * len(answer(2))) == answer(2) + answer(3)

        asyncio.run(main())

    def test_come_in_order(self) -> None:
        """A batch that is stored before an earlier one waits for it."""

        async def main() -> None:
            async with Case() as case:
                await case.open()
                await case.taken(message(2))
                await case.taken(message(3))
                first, second = case.pipeline.receipts
                case.pipeline.receipts.clear()
                second()
                await asyncio.sleep(0)
                first()
                assert await case.read(2 * len(answer(2))) == answer(2) + answer(3)

        asyncio.run(main())

    def test_to_a_close_come_behind_those_to_messages(self) -> None:
        """The session ends when all of it is answered, and then the connection."""

        async def main() -> None:
            async with Case() as case:
                await case.open()
                await case.taken(message(2) + b"3 close 0\n")
                case.writer.write(message(4))
                case.pipeline.store()
                end = b"3 rsp 0\n0 serverclose 0\n"
                assert await case.rest() == answer(2) + end
                await until(lambda: case.metrics.connections == 0)
                assert len(case.pipeline.frames) == 1

        asyncio.run(main())

    def test_reach_a_client_that_has_stopped_sending(self) -> None:
        """The end of its stream is not the end of its interest."""

        async def main() -> None:
            async with Case() as case:
                await case.open()
                await case.taken(message(2))
                case.writer.write_eof()
                [connection] = case.listener._connections
                await until(lambda: connection._finished)
                case.pipeline.store()
                assert await case.rest() == answer(2)
                await until(lambda: case.metrics.connections == 0)

        asyncio.run(main())

    def test_to_a_client_that_is_gone_are_forgotten(self) -> None:
        """A receipt that comes after the connection has ended does no harm."""

        async def main() -> None:
            async with Case() as case:
                await case.open()
                await case.taken(message(2))
                sock: socket.socket = case.writer.get_extra_info("socket")
                linger = struct.pack("ii", 1, 0)  # close by a reset
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                case.writer.transport.abort()
                await until(lambda: case.metrics.connections == 0)
                case.pipeline.store()
                await asyncio.sleep(0)

        asyncio.run(main())


class TestErrors:
    def test_the_connection_is_closed_when_what_came_before_is_answered(self) -> None:
        """Counted, said once without a byte of the peer's, and nothing behind it is taken."""

        async def main() -> None:
            async with Case() as case:
                await case.open()
                await case.taken(message(2) + b"anna@example.com\n")
                case.pipeline.store()
                assert await case.rest() == answer(2)
                assert case.metrics.faults == {"protocol": 1}
                values = case.log.values("RELP protocol error")
                assert values["peer"] == "127.0.0.1"
                assert "anna" not in str(values)

        asyncio.run(main())

    def test_what_cannot_be_stored_is_not_answered(self) -> None:
        """The connection ends, so that the client sends it again."""

        async def main() -> None:
            async with Case() as case:
                await case.open()
                await case.taken(message(2))
                case.pipeline.failures[0](RuntimeError("a bug"))
                assert await case.rest() == b""

        asyncio.run(main())

    def test_tls_on_the_plain_port_is_explained(self) -> None:
        """A hello gets one line that names the setting."""

        async def main() -> None:
            async with Case() as case:
                case.writer.write(b"\x16\x03\x01\x02\x00")
                assert await case.rest() == b""
                assert "LOGOPS_RELP_TLS" in str(case.log.values("TLS on a plain port")["hint"])

        asyncio.run(main())


class TestBackPressure:
    def test_paused_nothing_is_read(self) -> None:
        """While the sink is full messages stay with their sender, and get no answer."""

        async def main() -> None:
            async with Case() as case:
                await case.open()
                case.listener.pause()
                case.writer.write(message(2))
                [connection] = case.listener._connections
                await until(lambda: connection.unread() > 0)
                assert case.pipeline.frames == []
                case.listener.resume()
                await until(lambda: case.pipeline.frames)

        asyncio.run(main())

    def test_a_client_that_reads_no_answers_is_read_no_more(self) -> None:
        """Answers that nobody reads do not pile up, whatever the sink says meanwhile."""

        async def main() -> None:
            async with Case() as case:
                await case.open()
                [connection] = case.listener._connections
                assert isinstance(connection, RelpConnection)
                connection.pause_writing()
                case.listener.pause()
                case.listener.resume()
                case.writer.write(message(2))
                await until(lambda: connection.unread() > 0)
                case.listener.pause()
                connection.resume_writing()
                assert connection.unread() > 0
                assert case.pipeline.frames == []
                case.listener.resume()
                await until(lambda: case.pipeline.frames)
                connection.pause_writing()
                connection.resume_writing()
                await case.taken(message(3))

        asyncio.run(main())


class TestEnd:
    def test_what_was_read_is_answered_and_then_we_say_so(self) -> None:
        """Closing waits for the receipts; what comes meanwhile is left to the next session."""

        async def main() -> None:
            async with Case() as case:
                await case.open()
                await case.taken(message(2))
                closing = asyncio.create_task(case.listener.close())
                await asyncio.sleep(0)
                case.writer.write(message(3))
                [connection] = case.listener._connections
                await until(lambda: connection.unread() == 0)
                case.pipeline.store()
                assert await case.rest() == answer(2) + b"0 serverclose 0\n"
                case.writer.close()
                await closing
                assert len(case.pipeline.frames) == 1
                assert case.metrics.connections == 0

        asyncio.run(main())

    def test_nobody_waits_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where nothing is stored in time the connection ends without an answer or a goodbye."""
        monkeypatch.setattr(stream, "READ_OUT_TIMEOUT", 0.01)
        monkeypatch.setattr(stream, "CLOSE_TIMEOUT", 0.01)

        async def main() -> None:
            async with Case() as case:
                await case.open()
                await case.taken(message(2))
                await case.listener.close()
                try:
                    assert await case.rest() == b""
                except ConnectionResetError:
                    pass
                assert case.metrics.connections == 0

        asyncio.run(main())

    def test_a_client_that_left_first_hears_nothing(self) -> None:
        """A connection that is closing is not told that it closes."""

        async def main() -> None:
            async with Case() as case:
                await case.open()
                [connection] = case.listener._connections
                connection.transport.abort()
                connection.goodbye()
                await until(lambda: case.metrics.connections == 0)

        asyncio.run(main())


def test_the_segments_are_small() -> None:
    """A peer is asked for segments that a few messages fill, where the listener wants that."""

    async def main() -> None:
        case = Case()
        case.listener._max_segment = 1400
        async with case:
            sock: socket.socket = case.writer.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) <= 1400

    asyncio.run(main())
