"""Publishes ranges to a JetStream stream, and waits for the acknowledgement of every message."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from logopsd.bus.address import BusAddress
from logopsd.bus.connection import close, connect
from logopsd.bus.login import Login
from logopsd.bus.messages import HEADER_BYTES, Message, Origin, Subjects, messages
from logopsd.errors import RemoteError
from logopsd.shipping.cut import Cut
from logopsd.shipping.target import Sent

if TYPE_CHECKING:
    from nats.aio.client import Client

ACK_SECONDS: Final = 5.0
"""For a message to be stored by the stream; an election of a leader takes about as long, and
after it the range is sent again."""

LOOK_SECONDS: Final = 0.1
"""How soon it is noticed that the connection broke, while acknowledgements are waited for."""

TOO_LARGE: Final = 10054
"""JetStream's error for a message above the stream's max_msg_size."""


class JetStream:
    """The target of `nats://` and `tls://`.

    Args:
        address: of the servers.
        login: who we are.
        subjects: gives each record its subject.
    """

    kind = "nats"

    def __init__(self, address: BusAddress, login: Login, subjects: Subjects) -> None:
        self._address = address
        self._login = login
        self._subjects = subjects
        self._client: Client | None = None

    async def send(self, cut: Cut, source: str) -> Sent:
        """See `Target.send`; a message that the stream had already counts as a duplicate."""
        if self._client is None or self._client.is_closed:
            self._client = await connect(self._address, self._login, name="logopsd ship")
        client = self._client
        limit = client.max_payload - HEADER_BYTES
        origin = Origin(source, cut.file, cut.start, cut.end)
        made, too_long = messages(cut.data, origin, self._subjects, limit)
        try:
            refused, duplicates = await self._publish_all(client, made)
        except BaseException:
            await self.close()  # an answer that comes late must meet nobody
            raise
        left_out = sum(message.records for message in refused)
        too_large = left_out + len(too_long)
        return Sent(
            records=sum(message.records for message in made) - left_out,
            publishes=len(made) - len(refused),
            duplicates=duplicates,
            skipped={"too_large": too_large} if too_large else {},
        )

    async def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            client, self._client = self._client, None
            await close(client)

    async def _publish_all(
        self, client: "Client", made: list[Message]
    ) -> tuple[list[Message], int]:
        """Publish in rounds, of each subject one message: a later one never passes an earlier."""
        refused: list[Message] = []
        duplicates = 0
        for round_ in _rounds(made):
            acks = await self._acknowledged(client, round_)
            for message, ack in zip(round_, acks, strict=True):
                if ack is None:
                    refused.append(message)
                else:
                    duplicates += bool(ack.duplicate)
        return refused, duplicates

    async def _acknowledged(self, client: "Client", made: list[Message]) -> list[Any]:
        tasks = [asyncio.ensure_future(self._publish(client, message)) for message in made]
        all_of_them = asyncio.gather(*tasks)
        try:
            while not all_of_them.done():
                await asyncio.wait({all_of_them}, timeout=LOOK_SECONDS)
                if not all_of_them.done():
                    self._look_after(client)
            return all_of_them.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(all_of_them, *tasks, return_exceptions=True)

    async def _publish(self, client: "Client", message: Message) -> Any:
        """Publish one message; None where the stream refuses it for its size."""
        from nats.errors import Error
        from nats.js.errors import APIError, NoStreamResponseError

        try:
            return await client.jetstream().publish(
                message.subject, message.payload, timeout=ACK_SECONDS, headers=dict(message.headers)
            )
        except NoStreamResponseError:
            raise await self._no_stream(client, message.subject) from None
        except APIError as error:
            if error.err_code == TOO_LARGE:
                return None
            raise RemoteError(f"the stream refuses: {error.description}", passing=True) from None
        except (Error, OSError, TimeoutError) as error:
            raise self._failed(error) from None

    async def _no_stream(self, client: "Client", subject: str) -> RemoteError:
        """Why nobody takes a subject."""
        from nats.errors import Error
        from nats.js.errors import NotFoundError, ServiceUnavailableError

        try:
            await client.jetstream(timeout=ACK_SECONDS).find_stream_name_by_subject(subject)
        except NotFoundError:
            return RemoteError(
                f"no stream takes {self._subjects.pattern}; make it: logopsd ship --init",
                passing=False,
            )
        except ServiceUnavailableError:
            return RemoteError(
                f"{self._address} has no JetStream; start nats-server with -js, or with "
                "jetstream { store_dir: ... } in its configuration",
                passing=False,
            )
        except (Error, OSError, TimeoutError):  # who may only publish is not told
            pass
        return RemoteError(
            f"no stream answers for {subject}: it has no leader now, or there is none "
            "(logopsd ship --init makes it)",
            passing=True,
        )

    def _look_after(self, client: "Client") -> None:
        """Raise what the server says beside the acknowledgements, which then do not come."""
        if "permissions violation" in str(client.last_error or "").lower():
            raise RemoteError(
                f"our user may not publish to {self._subjects.pattern}; permit it at the servers",
                passing=False,
            )
        if client.is_closed:
            raise RemoteError(f"{self._address}: the connection broke", passing=True)

    def _failed(self, error: Exception) -> RemoteError:
        if isinstance(error, TimeoutError):
            return RemoteError(
                f"{self._address}: no acknowledgement within {ACK_SECONDS:g} s", passing=True
            )
        return RemoteError(f"{self._address}: {error or type(error).__name__}", passing=True)


def _rounds(made: list[Message]) -> list[list[Message]]:
    """Messages in rounds: the first of each subject, then the second of each that has one, ..."""
    rounds: list[list[Message]] = []
    seen: dict[str, int] = {}
    for message in made:
        number = seen[message.subject] = seen.get(message.subject, -1) + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(message)
    return rounds
