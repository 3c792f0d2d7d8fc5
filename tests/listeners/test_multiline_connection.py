"""Tests of logopsd.listeners.multiline_connection."""

import asyncio
import socket
from functools import partial

from logopsd.framing.multiline import MultilineJoiner
from logopsd.framing.syslog_stream import SyslogStreamFramer
from logopsd.listeners.multiline_connection import MultilineConnection
from logopsd.listeners.stream import StreamListener
from tests.listeners.helpers import FakeLog, FakeMetrics, Taken, as_log, as_metrics, port_of, until

NEVER = 3600.0
SOON = 0.02


class Case:
    """A listener of such connections, with everything it is given."""

    def __init__(self, *, timeout: float) -> None:
        self.taken = Taken()
        self.metrics = FakeMetrics()
        self.listener = StreamListener(
            input="tcp",
            new_connection=partial(
                MultilineConnection,
                make_framer=lambda: SyslogStreamFramer(max_message=1024),
                make_joiner=lambda: MultilineJoiner(max_message=1024, timeout=timeout),
                take_frames=self.taken,
            ),
            metrics=as_metrics(self.metrics),
            log=as_log(FakeLog()),
        )

    async def __aenter__(self) -> "Case":
        await self.listener.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.listener.close()

    def dial(self) -> socket.socket:
        """Connect to the listener."""
        return socket.create_connection(("127.0.0.1", port_of(self.listener.addresses[0])))


class TestMultilineConnection:
    def test_the_record_held_comes_with_the_next(self) -> None:
        """A record is whole once another begins, and what is open when the peer ends comes too."""

        async def main() -> None:
            async with Case(timeout=NEVER) as case:
                with case.dial() as sock:
                    sock.sendall(b"<13>one\n  more\n<13>two\n")
                    await until(lambda: case.taken.frames)
                    assert case.taken.frames == [b"<13>one\n  more"]
                    sock.sendall(b"  of two\n  no LF")
                await until(lambda: len(case.taken.frames) == 2)
                assert case.taken.frames[1] == b"<13>two\n  of two\n  no LF"

        asyncio.run(main())

    def test_the_record_held_comes_by_itself(self) -> None:
        """After the time-out it is handed down though the peer stays and is silent; each time."""

        async def main() -> None:
            async with Case(timeout=SOON) as case:
                with case.dial() as sock:
                    sock.sendall(b"<13>one\n  more\n")
                    await until(lambda: len(case.taken.frames) == 1)
                    sock.sendall(b"<13>two\n  more\n")
                    await until(lambda: len(case.taken.frames) == 2)
                assert case.taken.frames == [b"<13>one\n  more", b"<13>two\n  more"]

        asyncio.run(main())

    def test_connections_do_not_mix(self) -> None:
        """A continuation belongs to the record of its own connection."""

        async def main() -> None:
            async with Case(timeout=NEVER) as case:
                with case.dial() as one, case.dial() as two:
                    one.sendall(b"<13>one\n<13>a\n")
                    two.sendall(b"<13>two\n<13>b\n")
                    await until(lambda: len(case.taken.frames) == 2)
                    one.sendall(b"  of a\n<13>c\n")
                    two.sendall(b"  of b\n<13>d\n")
                    await until(lambda: len(case.taken.frames) == 4)
                assert set(case.taken.frames[2:]) == {b"<13>a\n  of a", b"<13>b\n  of b"}

        asyncio.run(main())

    def test_closing_loses_nothing(self) -> None:
        """What is held and what was sent but not read is handed down when the listener closes."""

        async def main() -> None:
            async with Case(timeout=NEVER) as case:
                with case.dial() as sock:
                    sock.sendall(b"<13>one\n<13>two\n")
                    await until(lambda: case.taken.frames)
                    sock.sendall(b"  more\n")
                    await case.listener.close()
                assert case.taken.frames == [b"<13>one", b"<13>two\n  more"]

        asyncio.run(main())

    def test_time_does_not_count_while_nobody_reads(self) -> None:
        """A paused listener waits with the record: its other lines may lie in the kernel."""

        async def main() -> None:
            async with Case(timeout=10 * SOON) as case:
                with case.dial() as sock:
                    sock.sendall(b"<13>zero\n<13>one\n")
                    await until(lambda: case.taken.frames)
                    case.listener.pause()
                    sock.sendall(b"  more\n")
                    await asyncio.sleep(25 * SOON)  # nothing may happen
                    assert case.taken.frames == [b"<13>zero"]
                    case.listener.resume()
                    await until(lambda: len(case.taken.frames) == 2)
                assert case.taken.frames[1] == b"<13>one\n  more"

        asyncio.run(main())

    def test_faults_are_counted(self) -> None:
        """The joiner lets the faults of the framer through."""

        async def main() -> None:
            async with Case(timeout=NEVER) as case:
                with case.dial() as sock:
                    sock.sendall(b"8 <13>one!lost\n8 <13>two!")
                await until(lambda: len(case.taken.frames) == 3)
                assert case.metrics.faults == {"resync": 1}

        asyncio.run(main())
