"""Tests of logopsd.listeners.datagram, over real sockets."""

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from logopsd import compiled
from logopsd.errors import ListenError
from logopsd.listeners import datagram, sockets
from logopsd.listeners.access import Access, Rules
from logopsd.listeners.datagram import DatagramListener
from logopsd.listeners.turns import Turns
from logopsd.records import Frames
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

    def send(self, *messages: bytes, family: int = socket.AF_INET) -> None:
        """Send from one socket to the listener."""
        host = "127.0.0.1" if family == socket.AF_INET else "::1"
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            for message in messages:
                sock.sendto(message, (host, port_of(self.listener.addresses[0])))


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

    def test_one_wake_up_hands_down_once(self) -> None:
        """All datagrams of a wake-up, up to the bound, go down in one call."""

        async def main() -> None:
            async with Case() as case:
                case.send(*[b"x"] * 700)
                await until(lambda: len(case.taken.frames) == 700)

                assert [len(frames.frames) for frames, _ in case.taken.calls] == [512, 188]

        asyncio.run(main())

    def test_trailing_delimiters_are_no_content(self) -> None:
        """LF, CRLF and NUL at the end of a datagram are stripped, those inside are kept."""

        async def main() -> None:
            async with Case() as case:
                case.send(b"one\n", b"two\r\n", b"three\0", b"a\nb\0c")
                await until(lambda: len(case.taken.frames) == 4)

                assert case.taken.frames == [b"one", b"two", b"three", b"a\nb\0c"]

        asyncio.run(main())

    def test_an_empty_datagram_is_counted(self) -> None:
        """A datagram without content is received and dropped; the others keep their peers."""

        async def main() -> None:
            async with Case(host="::1") as case:
                case.send(b"", b"\n", b"one", family=socket.AF_INET6)
                await until(lambda: case.taken.frames)

                assert case.taken.frames == [b"one"]
                assert case.taken.calls[0][1] == ["::1"]
                assert (case.metrics.received, case.metrics.dropped) == (2, {"empty": 2})

        asyncio.run(main())

    def test_only_empty_datagrams_hand_nothing_down(self) -> None:
        """A wake-up without content makes no call."""

        async def main() -> None:
            async with Case() as case:
                case.send(b"\n")
                await until(lambda: case.metrics.received == 1)

                assert case.taken.calls == []

        asyncio.run(main())

    def test_the_longest_datagram_is_whole(self) -> None:
        """No UDP datagram is cut by the read."""

        async def main() -> None:
            async with Case() as case:
                case.send(b"x" * 65507)
                await until(lambda: case.taken.frames)

                assert case.taken.frames == [b"x" * 65507]

        asyncio.run(main())

    def test_a_longer_message_is_cut(self) -> None:
        """A datagram over max_message is cut there, and its length is said."""

        async def main() -> None:
            async with Case(max_message=10) as case:
                case.send(b"short", b"x" * 100)
                await until(lambda: case.taken.frames)

                [(frames, _)] = case.taken.calls
                assert (frames.frames, frames.cut) == ([b"short", b"x" * 10], {1: 100})

        asyncio.run(main())

    def test_a_socket_on_the_ipv6_wildcard_takes_ipv4(self) -> None:
        """On `::` senders of both families are heard, each under its own kind of address."""

        async def main() -> None:
            async with Case(host="::") as case:
                case.send(b"four")
                case.send(b"six", family=socket.AF_INET6)
                await until(lambda: len(case.taken.frames) == 2)

                peers = [peer for _, each in case.taken.calls for peer in each]  # type: ignore[attr-defined]
                assert peers == ["127.0.0.1", "::1"]
                assert case.listener.addresses[0].startswith("udp://[::]:")

        asyncio.run(main())

    def test_an_error_of_the_kernel_does_not_end_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A read that fails is warned of, once, and the next one is tried."""
        monkeypatch.setattr(compiled, "DatagramReader", None)

        class Failing(socket.socket):
            failing = 2

            def recvfrom(self, size: int) -> tuple[bytes, object]:  # type: ignore[override]
                """Fail at first."""
                if self.failing:
                    Failing.failing -= 1
                    raise OSError(errno.ENOMEM, "no memory")
                return super().recvfrom(size)

        async def main() -> None:
            sock = Failing(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind(("127.0.0.1", 0))
            async with Case(sock=sock) as case:
                case.send(b"one")
                await until(lambda: case.taken.frames)

                assert case.taken.frames == [b"one"]
                assert case.log.events().count("cannot receive") == 1

        asyncio.run(main())

    def test_it_may_be_closed_at_any_time(self) -> None:
        """Closing what was never started, or twice, is no error."""

        async def main() -> None:
            case = Case()
            await case.listener.close()
            async with case:
                case.listener.stop_accepting()

        asyncio.run(main())

    def test_the_read_out_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A sender who goes on and on does not keep the listener from closing."""
        monkeypatch.setattr(datagram, "LAST_WAKE_UPS", 2)

        async def main() -> None:
            case = Case()
            await case.listener.start()
            case.send(*[b"x"] * 2000)
            await case.listener.close()

            assert len(case.taken.frames) == 1024

        asyncio.run(main())


class TestTurns:
    """When the socket is read; `test_turns` has the rules."""

    def test_a_flow_over_udp_may_wait_in_its_buffer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The listener reads in turns, with the room that the kernel granted."""
        rooms = rooms_of(monkeypatch)

        async def main() -> None:
            async with Case(receive_buffer=100_000):
                assert rooms == [100_000]

        asyncio.run(main())

    def test_nothing_waits_in_a_unix_socket(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Its queue is counted in datagrams, and its senders are held up once it is full."""
        rooms = rooms_of(monkeypatch)

        async def main() -> None:
            async with Case(path=str(tmp_path / "log")):
                assert rooms == [0]

        asyncio.run(main())

    def test_a_flow_outlives_a_batch_that_failed(self) -> None:
        """What is raised below costs its batch; what comes behind it is read."""

        async def main() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda *_: None)
            case = Case()
            calls = []

            def fail_at_third(frames: Frames, peers: list[str]) -> None:
                calls.append(frames)
                if len(calls) == 3:
                    raise MemoryError
                case.taken(frames, peers)

            def flows() -> bool:
                case.send(b"a", b"b")
                return len(calls) > 3

            case.listener._take_frames = fail_at_third
            async with case:
                await until(flows)

        asyncio.run(main())


def rooms_of(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have the rooms kept that turns are made with."""
    rooms = []

    class Kept(Turns):
        def __init__(self, fd: int, read: Callable[[], int], room: int) -> None:
            rooms.append(room)
            super().__init__(fd, read, room)

    monkeypatch.setattr(datagram, "Turns", Kept)
    return rooms


class TestPaused:
    def test_datagrams_are_counted_and_dropped(self) -> None:
        """While the sink is full, each datagram is received and dropped for back-pressure."""

        async def main() -> None:
            async with Case() as case:
                case.listener.pause()
                case.listener.pause()
                case.send(b"lost", b"lost")
                await until(lambda: case.metrics.received == 2)
                case.listener.resume()
                case.send(b"kept")
                await until(lambda: case.taken.frames)

                assert case.metrics.dropped == {"backpressure": 2}
                assert case.taken.frames == [b"kept"]

        asyncio.run(main())


class TestKernelDrops:
    def test_they_are_told_once_each(self) -> None:
        """What the kernel dropped for want of room is told as a difference."""

        async def main() -> None:
            told: list[int] = []
            async with Case(receive_buffer=1, count_kernel_drops=told.append) as case:
                case.send(*[b"x" * 500] * 200)
                drops = case.listener.kernel_drops()
                case.listener.poll()
                case.listener.poll()

                assert 0 < drops < 200
                assert told == [drops]

        asyncio.run(main())

    def test_they_are_polled_by_a_timer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody needs to ask."""
        monkeypatch.setattr(datagram, "DROPS_INTERVAL", 0.01)

        async def main() -> None:
            told: list[int] = []
            async with Case(receive_buffer=1, count_kernel_drops=told.append) as case:
                case.send(*[b"x" * 500] * 200)
                await until(lambda: told)

        asyncio.run(main())

    def test_their_counter_may_wrap(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The kernel counts in 32 bits."""
        drops = iter([0, 0xFFFFFFFF, 4, 4])
        monkeypatch.setattr(sockets, "kernel_drops", lambda _: next(drops))

        async def main() -> None:
            told: list[int] = []
            async with Case(count_kernel_drops=told.append) as case:
                case.listener.poll()
                case.listener.poll()

                assert told == [0xFFFFFFFF, 5]

        asyncio.run(main())

    def test_a_closed_listener_has_none(self) -> None:
        """Asking after the end is no error."""

        async def main() -> None:
            case = Case()
            assert case.listener.kernel_drops() == 0
            async with case:
                pass
            case.listener.poll()

        asyncio.run(main())


class TestSocket:
    def test_the_buffer_granted_is_logged(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The log says what was asked and granted, and how to have more where it is less."""
        monkeypatch.setattr(sockets, "set_receive_buffer", lambda _, size: size // 2)

        async def main() -> None:
            async with Case(receive_buffer=1000) as case:
                values = case.log.values("receive buffer")

                assert (values["asked"], values["granted"]) == (1000, 500)
                assert "net.core.rmem_max" in str(values["hint"])

        asyncio.run(main())

    def test_a_taken_port_is_refused(self) -> None:
        """Two daemons cannot share a port; the error names the setting."""

        async def main() -> None:
            async with Case() as case:
                other = Case(port=port_of(case.listener.addresses[0]))
                with pytest.raises(ListenError, match="LOGOPS_UDP_PORT"):
                    await other.listener.start()

        asyncio.run(main())

    def test_a_unix_socket(self, tmp_path: Path) -> None:
        """Datagrams of a Unix socket come from `unix`, and its name goes with the listener."""
        path = tmp_path / "log"

        async def main() -> None:
            async with Case(path=str(path), max_message=100_000) as case:
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                    sock.connect(str(path))
                    sock.send(b"one")
                    sock.send(b"x" * 100_000)
                    sock.send(b"x" * 120_000)
                await until(lambda: len(case.taken.frames) == 3)

                assert case.listener.addresses == [f"unixgram://{path}"]
                assert [len(frame) for frame in case.taken.frames] == [3, 100_000, 100_000]
                [cut] = [cut for frames, _ in case.taken.calls for cut in frames.cut.values()]
                assert cut > 100_000
                assert case.taken.calls[0][1][0] == "unix"  # type: ignore[index]
            assert not path.exists()

        asyncio.run(main())

    def test_a_socket_that_is_kept_keeps_its_path(self, tmp_path: Path) -> None:
        """Who keeps it over a restart is given it, and senders find it meanwhile."""
        path = tmp_path / "log"
        kept: list[socket.socket] = []

        async def main() -> None:
            async with Case(path=str(path)) as case:
                case.listener.keep(lambda input, sock: kept.append(sock.dup()))
            case.listener.keep(lambda *_: pytest.fail("it is closed"))

        asyncio.run(main())
        [sock] = kept
        with sock, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"meanwhile", str(path))
            assert sock.recv(99) == b"meanwhile"

    def test_who_is_not_in_the_list_is_dropped_and_counted(self, tmp_path: Path) -> None:
        """Reason `refused`, told once; a Unix socket is no network's."""
        access = Access(Rules(allow_from=(ipaddress.ip_network("127.0.0.2"),)))

        async def main() -> None:
            async with Case(access=access) as case:
                target = ("127.0.0.1", port_of(case.listener.addresses[0]))
                with (
                    socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
                    socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as allowed,
                ):
                    allowed.bind(("127.0.0.2", 0))
                    other.sendto(b"no", target)
                    other.sendto(b"no", target)
                    allowed.sendto(b"yes", target)
                    await until(lambda: case.taken.frames)
                assert case.taken.frames == [b"yes"]
                assert (case.metrics.received, case.metrics.dropped) == (2, {"refused": 2})
                assert case.log.values("datagrams refused")["peer"] == "127.0.0.1"
            path = tmp_path / "log"
            async with Case(path=str(path), access=access) as case:
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as local:
                    local.sendto(b"yes", str(path))
                await until(lambda: case.taken.frames)

        asyncio.run(main())
