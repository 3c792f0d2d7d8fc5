"""Who may send, and how much: decisions alone, without sockets; the time is handed in.

Peers are IP addresses as text. Unix sockets (`unix`) are none of a network's: who may write to
them, the file system says.
"""

import ipaddress
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_REMEMBERED: Final = 8192
"""Peers whose verdict is remembered, so that the list is searched once for each; 1 MiB."""

LOCAL: Final = "unix"
"""The peer of a Unix socket."""

Refusal = Literal["address", "limit", "peer_limit"]
"""Why a connection is not wanted: not in the list, too many in all, too many of this peer."""


class Rules(msgspec.Struct, frozen=True):
    """What the operator allows.

    Attributes:
        allow_from: networks that may send; none at all for everyone.
        proxy_from: networks of proxies, who must say for whom they speak.
        max_connections: of all inputs together; 0 for no limit.
        max_connections_per_peer: likewise of one address; 0 for no limit.
    """

    allow_from: Sequence[Network] = ()
    proxy_from: Sequence[Network] = ()
    max_connections: int = 0
    max_connections_per_peer: int = 0


class Access(msgspec.Struct):
    """Keeps the rules, and counts connections; one for all inputs.

    Attributes:
        restricted: whether there is anybody who may not send.
        connections: how many there are now.
    """

    rules: Rules = msgspec.field(default_factory=Rules)
    restricted: bool = False
    connections: int = 0
    _by_peer: dict[str, int] = msgspec.field(default_factory=dict)
    _allowed: dict[str, bool] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        self.replace(self.rules)

    def replace(self, rules: Rules) -> None:
        """Take other rules; connections that are there stay."""
        self.rules = rules
        self.restricted = bool(rules.allow_from)
        self._allowed.clear()

    def allows(self, peer: str) -> bool:
        """Whether a peer may send."""
        if not self.restricted:
            return True
        verdict = self._allowed.get(peer)
        if verdict is None:
            if len(self._allowed) >= MAX_REMEMBERED:
                self._allowed.clear()
            verdict = peer == LOCAL or _within(peer, self.rules.allow_from)
            self._allowed[peer] = verdict
        return verdict

    def is_proxy(self, peer: str) -> bool:
        """Whether a peer must say for whom it speaks."""
        return bool(self.rules.proxy_from) and _within(peer, self.rules.proxy_from)

    def enter(self, peer: str, *, proxy: bool = False) -> Refusal | None:
        """Count a connection, or say why it is not wanted; then it is not counted.

        Args:
            peer: whose it is.
            proxy: it is a proxy's, and for whom it speaks is not known yet.
        """
        rules = self.rules
        if not proxy and not self.allows(peer):
            return "address"
        if rules.max_connections and self.connections >= rules.max_connections:
            return "limit"
        of_peer = self._by_peer.get(peer, 0)
        limit = 0 if proxy or peer == LOCAL else rules.max_connections_per_peer
        if limit and of_peer >= limit:
            return "peer_limit"
        self.connections += 1
        self._by_peer[peer] = of_peer + 1
        return None

    def leave(self, peer: str) -> None:
        """Count that a connection that had entered is gone."""
        self.connections -= 1
        left = self._by_peer[peer] - 1
        if left:
            self._by_peer[peer] = left
        else:
            del self._by_peer[peer]


def _within(peer: str, networks: Sequence[Network]) -> bool:
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:  # no address: a Unix socket
        return False
    return any(address in network for network in networks)
