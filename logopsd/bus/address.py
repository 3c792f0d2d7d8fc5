"""Where the servers of a bus are: `nats://host:4222,host2` or `tls://...`. Pure.

Credentials never stand in an address, which a process list and a log show.
"""

import re
from typing import Final

import msgspec

from logopsd.patterns import lazy_pattern

DEFAULT_PORT: Final = 4222
"""Of NATS clients, as IANA has it."""

SCHEMES: Final = ("nats", "tls")

_SERVER: Final = lazy_pattern(
    r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}))(?::([0-9]{1,5}))?", re.ASCII
)


class BusAddress(msgspec.Struct, frozen=True):
    """The servers of one cluster.

    Attributes:
        servers: `host:port` each.
        tls: whether they must speak TLS; others may ask for it themselves.
    """

    servers: tuple[str, ...]
    tls: bool

    @property
    def urls(self) -> list[str]:
        """One for each server."""
        scheme = "tls" if self.tls else "nats"
        return [f"{scheme}://{server}" for server in self.servers]

    def __str__(self) -> str:
        """As one would write it."""
        return f"{'tls' if self.tls else 'nats'}://{','.join(self.servers)}"


def parse_address(text: str) -> BusAddress:
    """Read an address.

    Raises:
        ValueError: it is none; the text says why and quotes no credentials.
    """
    scheme, sep, rest = text.partition("://")
    if not sep or scheme not in SCHEMES:
        raise ValueError("takes nats://host:4222,host2 or tls://host:4222")
    if "@" in rest:
        raise ValueError(
            "holds credentials, which a process list shows; name a file with "
            "LOGOPS_SHIP_CREDENTIALS_FILE, or set LOGOPS_SHIP_USER and LOGOPS_SHIP_PASSWORD_FILE"
        )
    servers = [_server(each.removeprefix(f"{scheme}://")) for each in rest.rstrip("/").split(",")]
    return BusAddress(tuple(dict.fromkeys(servers)), scheme == "tls")


def _server(text: str) -> str:
    match = _SERVER.fullmatch(text)
    if match is None:
        raise ValueError("takes servers as host:port, separated by commas, and nothing behind them")
    if match[1] is None:
        return f"{text}:{DEFAULT_PORT}"
    if not 0 < int(match[1]) < 65536:
        raise ValueError("takes ports from 1 to 65535")
    return text
