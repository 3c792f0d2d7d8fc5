"""One connection to NATS, made anew by whoever uses it when it breaks.

`nats-py` is an extra: it is imported here, when a connection is made. It would reconnect by
itself, and keep what was published meanwhile in a buffer; a caller that waits for each
acknowledgement, and knows what to send again, needs neither, and nothing grows in memory.
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from logopsd.bus.address import BusAddress
from logopsd.bus.login import Login
from logopsd.errors import LogopsError, RemoteError

if TYPE_CHECKING:
    from nats.aio.client import Client

CONNECT_SECONDS: Final = 5.0
"""For one server to take a connection, TLS and login with it."""

CLOSE_SECONDS: Final = 1.0
"""For a connection to close: after a failed TLS handshake, nats-py waits for it for ever."""

PING_SECONDS: Final = 10
"""Between two questions whether a silent server is still there; two without an answer end it."""

MISSING: Final = "NATS needs nats-py, which is not installed: pip install 'logopsd[nats]'"


async def connect(address: BusAddress, login: Login, *, name: str = "logopsd") -> "Client":
    """Connect to one of the servers, whichever answers.

    Args:
        address: the servers, tried in the order given; a login that one refuses is not tried
            with the next.
        login: who we are.
        name: shown by the server's monitoring.

    Returns:
        A client that is connected, and that closes itself once its connection breaks.

    Raises:
        LogopsError: nats-py is not installed.
        SettingsError: a file of TLS cannot be used.
        RemoteError: no server takes us.
    """
    try:
        from nats.aio.client import Client
    except ImportError:
        raise LogopsError(MISSING) from None
    options = _options(address, login, name)
    problems: list[Exception] = []
    for url in address.urls:
        client = Client()
        told = _Told()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await client.connect(url, error_cb=told.take, **options)
        except Exception as error:
            await close(client)
            problems.append(told.first or error)
            if _refused(problems[-1]):
                break
        except asyncio.CancelledError:
            await close(client)
            raise
        else:
            return client
    raise _explained(address, problems[-1]) from None


def _options(address: BusAddress, login: Login, name: str) -> dict[str, Any]:
    options: dict[str, Any] = {
        "name": name,
        "allow_reconnect": False,
        "connect_timeout": CONNECT_SECONDS,
        "ping_interval": PING_SECONDS,
        # Also without reconnects it tries the one server it has again and again, up to these.
        "max_reconnect_attempts": 1,
        "reconnect_time_wait": 0,
    }
    if address.tls or login.has_tls:
        options["tls"] = login.tls_context()
    if login.credentials_file is not None:
        options["user_credentials"] = str(login.credentials_file)
    elif login.user:
        options |= {"user": login.user, "password": login.password}
    elif login.token:
        options["token"] = login.token
    return options


class _Told:
    """Takes the errors that a client tells of on the way; later ones only follow from the first."""

    def __init__(self) -> None:
        self.first: Exception | None = None

    async def take(self, error: Exception) -> None:
        """Keep an error, if it is the first."""
        self.first = self.first or error


async def close(client: "Client") -> None:
    """Close a client, whatever state its connection is in."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await client.close()
    except Exception:  # noqa: S110  # what was not acknowledged is sent again, by whoever waited
        pass


def _refused(error: Exception) -> bool:
    """Whether a server answered that it does not want us."""
    text = str(error).lower()
    return "authorization" in text or "authentication" in text


def _explained(address: BusAddress, error: Exception) -> RemoteError:
    if isinstance(error, ImportError):  # of nkeys, which a credentials file needs
        return RemoteError(MISSING, passing=False)
    if isinstance(error, FileNotFoundError | PermissionError):
        return RemoteError(
            f"LOGOPS_SHIP_CREDENTIALS_FILE cannot be read ({error.strerror})", passing=False
        )
    if _refused(error):
        return RemoteError(
            f"{address} refuses our login; check LOGOPS_SHIP_CREDENTIALS_FILE, LOGOPS_SHIP_USER "
            "with LOGOPS_SHIP_PASSWORD_FILE, or LOGOPS_SHIP_TOKEN_FILE",
            passing=False,
        )
    reason = _reason(error)
    return RemoteError(f"{address} cannot be reached ({reason}); is it running?", passing=True)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
