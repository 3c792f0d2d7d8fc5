"""Tests of logopsd.listeners.datagram, over real sockets."""

import asyncio
import socket

from logopsd.listeners.datagram import DatagramListener
from tests.listeners.helpers import FakeLog, FakeMetrics, Taken, as_log, as_metrics, port_of, until


class Case:
    """A listener with everything it is given, and a sender."""

    def __init__(self, **options: object) -> None:
        self.taken = Taken()
        self.metrics = FakeMetrics()
        self.log = FakeLog()
        self.listener = DatagramListener(
            input="udp",
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

    def send(self, *datagrams: bytes) -> None:
        """Send from one socket to the listener over IPv4."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for datagram in datagrams:
                sock.sendto(datagram, ("127.0.0.1", port_of(self.listener.addresses[0])))


class TestReading:
    def test_a_datagram_is_a_frame_with_its_peer(self) -> None:
        """Each datagram is one frame, with the address of its sender beside it."""

        async def main() -> None:
            async with Case() as case:
                case.send(b"<34>one", b"<34>two")
                await until(lambda: len(case.taken.frames) == 2)

                assert case.taken.frames == [b"<34>one", b"<34>two"]
                assert case.taken.calls[0][1] == ["127.0.0.1", "127.0.0.1"]

        asyncio.run(main())

    def test_datagrams_in_the_kernel_are_read_out_at_the_end(self) -> None:
        """What the kernel holds when the listener is closed is handed down."""

        async def main() -> None:
            case = Case()
            await case.listener.start()
            case.send(*[b"%d" % i for i in range(1000)])
            await case.listener.close()

            assert case.taken.frames == [b"%d" % i for i in range(1000)]

        asyncio.run(main())
