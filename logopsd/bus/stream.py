"""Makes the stream that takes the messages, once, by hand."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from logopsd.errors import RemoteError

if TYPE_CHECKING:
    from nats.aio.client import Client

API_SECONDS: Final = 10.0
"""For the servers to agree on a stream, an election among them with it."""


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """What a stream is to be.

    Attributes:
        name: of the stream.
        subject: what it takes.
        replicas: servers that keep each message.
        max_age: seconds a message is kept.
        max_bytes: of all messages, beyond which the oldest go; None for no limit.
        duplicate_window: seconds for which a message's id is remembered.
    """

    name: str
    subject: str
    replicas: int
    max_age: float
    max_bytes: int | None
    duplicate_window: float


async def make_stream(client: "Client", plan: StreamPlan) -> tuple[bool, list[str]]:
    """Make a stream, if there is none of its name; one that is there is not changed.

    Returns:
        Whether it was made; and where the one that is there differs, in words.

    Raises:
        RemoteError: the servers refuse; names the mend.
    """
    from nats.errors import Error
    from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
    from nats.js.errors import APIError, NotFoundError, ServiceUnavailableError

    api = client.jetstream(timeout=API_SECONDS)
    config = StreamConfig(
        name=plan.name,
        subjects=[plan.subject],
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        storage=StorageType.FILE,
        num_replicas=plan.replicas,
        max_age=plan.max_age,
        max_bytes=-1 if plan.max_bytes is None else plan.max_bytes,
        duplicate_window=plan.duplicate_window,
    )
    try:
        try:
            there = (await api.stream_info(plan.name)).config
        except NotFoundError:
            await api.add_stream(config)
            return True, []
    except ServiceUnavailableError:
        raise RemoteError(
            "the servers have no JetStream; start nats-server with -js", passing=False
        ) from None
    except APIError as error:
        mend = " (give --replicas 1 for a server alone)" if plan.replicas > 1 else ""
        raise RemoteError(
            f"the servers refuse the stream: {error.description}{mend}", passing=False
        ) from None
    except (Error, OSError, TimeoutError) as error:
        raise RemoteError(
            f"the servers do not answer ({error or type(error).__name__}); is there a leader, and "
            "may our user ask JetStream?",
            passing=True,
        ) from None
    return False, _differences(there, config)


def _differences(there: Any, wanted: Any) -> list[str]:
    names = ("subjects", "num_replicas", "storage", "max_age", "max_bytes", "duplicate_window")
    return [
        f"{name} is {getattr(there, name)}, not {getattr(wanted, name)}"
        for name in names
        if getattr(there, name) != getattr(wanted, name)
    ]
