"""Reads a stream of NATS JetStream from a time to what was its end when the reading began.

A consumer that nobody else sees and that ends by itself; where a connection breaks, reading goes
on behind the last message that came, so that none is left out and none comes twice.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from logopsd.bus.address import BusAddress
from logopsd.bus.connection import close, connect
from logopsd.bus.login import Login
from logopsd.commands.replay.batches import growing
from logopsd.errors import LogopsError, RemoteError

if TYPE_CHECKING:
    from nats.aio.client import Client

BATCH: Final = 16
"""Messages that are asked for at once: of 512 KiB each, some MiB in memory."""

FETCH_SECONDS: Final = 5.0
"""For the first of them to come."""

API_SECONDS: Final = 10.0
"""For the servers to make a consumer, or to say what a stream holds."""

PATIENCE_SECONDS: Final = 60.0
"""How long servers may be away: an election takes seconds, a restart some more."""

IDLE_SECONDS: Final = 300.0
"""The servers forget the consumer when it asks for nothing that long: a receiver may be slow."""

SLACK: Final = timedelta(minutes=5)
"""By how much the clocks of receivers and servers may differ."""


@dataclass(frozen=True, slots=True)
class StreamMessage:
    """One message.

    Attributes:
        headers: of it.
        payload: whole lines.
    """

    headers: Mapping[str, str]
    payload: bytes


def stream_messages(
    address: BusAddress,
    login: Login,
    *,
    stream: str,
    since: str,
    progress: Callable[[int, int], None],
) -> Iterator[StreamMessage]:
    """Give the messages of a stream, in its order.

    Args:
        address: of the servers.
        login: who we are.
        stream: its name.
        since: what was published before is left out, RFC 3339 UTC without its `Z`; empty for all.
        progress: told how many messages of how many are read.

    Raises:
        LogopsError: there is no such stream, or the servers were away for too long.
    """
    reader = _Reader(address, login, stream, since)
    with asyncio.Runner() as runner:
        try:
            while messages := runner.run(reader.next()):
                yield from messages
                progress(*reader.progress)
        finally:
            runner.run(reader.close())


class _Reader:
    """Where the reading is."""

    def __init__(self, address: BusAddress, login: Login, stream: str, since: str) -> None:
        self._address = address
        self._login = login
        self._stream = stream
        self._since = datetime.fromisoformat(f"{since}+00:00") - SLACK if since else None
        self._client: Client | None = None
        self._consumer: Any = None
        self._first = 0  # numbers in the stream: the first that came, the last, and the end
        self._last = 0
        self._end: int | None = None

    @property
    def progress(self) -> tuple[int, int]:
        """How far, of how far."""
        end, before = self._end or 0, self._first - 1
        return min(self._last, end) - before, end - before

    async def next(self) -> list[StreamMessage]:
        """The next messages; none at the end."""
        pauses = growing(0.2, 5.0)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return await self._fetch()
            except RemoteError as error:
                await self.close()
                if not error.passing or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(next(pauses))

    async def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            client, self._client = self._client, None
            await close(client)

    async def _fetch(self) -> list[StreamMessage]:
        from nats.errors import Error
        from nats.js.errors import NotFoundError, ServiceUnavailableError

        if self._client is None:
            self._client = await connect(self._address, self._login, name="logopsd replay")
            self._consumer = None
        try:
            if self._consumer is None:
                await self._subscribe(self._client)
            if self._end is None or self._last >= self._end:
                return []
            messages = await self._consumer.fetch(BATCH, timeout=FETCH_SECONDS)
        except NotFoundError:
            raise LogopsError(
                f"{self._address} has no stream {self._stream}; name another with --stream"
            ) from None
        except ServiceUnavailableError as error:
            raise RemoteError(f"{self._address}: {error.description}", passing=True) from None
        except (Error, OSError, TimeoutError) as error:
            text = str(error) or type(error).__name__
            raise RemoteError(f"{self._address}: {text}", passing=True) from None
        return self._taken(messages)

    def _taken(self, messages: list[Any]) -> list[StreamMessage]:
        taken = []
        for message in messages:
            sequence = message.metadata.sequence.stream
            if sequence <= self._last:
                continue
            self._first = self._first or sequence
            self._last = sequence
            if self._end is not None and sequence <= self._end:
                taken.append(StreamMessage(message.headers or {}, message.data))
        return taken

    async def _subscribe(self, client: "Client") -> None:
        """Make a consumer from where we are, and learn of the end if that is not known yet."""
        from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

        api = client.jetstream(timeout=API_SECONDS)
        if self._end is None:
            self._end = (await api.stream_info(self._stream)).state.last_seq
        config = ConsumerConfig(
            ack_policy=AckPolicy.NONE,
            inactive_threshold=IDLE_SECONDS,
            mem_storage=True,
            num_replicas=1,
        )
        if self._last:
            config.deliver_policy = DeliverPolicy.BY_START_SEQUENCE
            config.opt_start_seq = self._last + 1
        elif self._since is not None:
            config.deliver_policy = DeliverPolicy.BY_START_TIME
            config.opt_start_time = self._since
        self._consumer = await api.pull_subscribe(">", stream=self._stream, config=config)
        if not (await self._consumer.consumer_info()).num_pending:
            self._end = self._last  # nothing is as new as that
