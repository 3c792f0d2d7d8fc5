"""Tests of logopsd.listeners.stream, over real sockets."""

import asyncio

from logopsd.framing.syslog_stream import SyslogStreamFramer
from logopsd.listeners.stream import StreamListener
from tests.listeners.helpers import FakeLog, FakeMetrics, Taken, as_log, as_metrics, port_of, until


class Case:
    """A listener with everything it is given."""

    def __init__(self, **options: object) -> None:
        self.taken = Taken()
        self.metrics = FakeMetrics()
        self.log = FakeLog()
        self.listener = StreamListener(
            input="tcp",
            make_framer=lambda: SyslogStreamFramer(max_message=1024),
            take_frames=self.taken,
            metrics=as_metrics(self.metrics),
            log=as_log(self.log),
            **options,  # type: ignore[arg-type]
        )

    async def __aenter__(self) -> "Case":
        await self.listener.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.listener.close()

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
