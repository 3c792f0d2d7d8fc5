"""Where records are sent to: a NATS cluster, or Loki. Pure."""

import re
from typing import Final

import msgspec

from logopsd.bus.address import BusAddress, parse_address
from logopsd.patterns import lazy_pattern

PUSH_PATH: Final = "/loki/api/v1/push"
"""Of Loki's HTTP API; a path in the address goes before it."""

_LOKI: Final = lazy_pattern(
    r"loki\+(https?)://(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9][A-Za-z0-9._-]{0,252})"
    r"(?::([0-9]{1,5}))?(/[A-Za-z0-9._~/-]{0,200})?",
    re.ASCII,
)
_PORTS: Final = {"http": 3100, "https": 443}


class LokiAddress(msgspec.Struct, frozen=True):
    """One Loki, or what stands before several.

    Attributes:
        host: name or address, without brackets.
        port: 3100 for HTTP and 443 for HTTPS where none was given.
        tls: whether it speaks HTTPS.
        path: where it takes pushes.
    """

    host: str
    port: int
    tls: bool
    path: str

    def __str__(self) -> str:
        """As one would write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "loki+https" if self.tls else "loki+http"
        return f"{scheme}://{host}:{self.port}{self.path.removesuffix(PUSH_PATH)}"


TargetAddress = BusAddress | LokiAddress


def parse_target(text: str) -> TargetAddress:
    """Read the address of a target.

    Raises:
        ValueError: it is none; the text says why and quotes no credentials.
    """
    if not text.startswith("loki"):
        return parse_address(text)
    if "@" in text:
        raise ValueError(
            "holds credentials, which a process list shows; set LOGOPS_SHIP_USER with "
            "LOGOPS_SHIP_PASSWORD_FILE, or LOGOPS_SHIP_TOKEN_FILE"
        )
    match = _LOKI.fullmatch(text)
    if match is None:
        raise ValueError("takes loki+http://host:3100 or loki+https://host")
    port = int(match[3] or _PORTS[match[1]])
    if not 0 < port < 65536:
        raise ValueError("takes ports from 1 to 65535")
    prefix = (match[4] or "").rstrip("/").removesuffix(PUSH_PATH)
    return LokiAddress(match[2].strip("[]"), port, match[1] == "https", prefix + PUSH_PATH)
