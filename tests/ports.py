"""Ports for programs that cannot be told to take any: a port of 0 is not to be had everywhere."""

import random
import socket
from pathlib import Path

EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""From which ports the kernel gives outgoing connections, and sockets bound to 0, theirs."""

LOWEST = 15_000
"""Below are the ports that services are known by, and those that logopsd has by default."""

_reserved: list[socket.socket] = []
"""As long as this process lives, its ports are nobody else's who asks here."""


def free_ports(count: int) -> list[int]:
    """Ports on which nobody listens, on TCP and UDP, and which nobody is given by chance.

    A port that the kernel gave, and that is free again, may belong to any connection of a test
    beside this one by the time a program is up to listen on it, or starts again. So these are
    from below that range, and those who ask here agree on them by the names of abstract sockets.

    Raises:
        OSError: none is left.
    """
    ephemeral = int(EPHEMERAL.read_text().split()[0])
    candidates = list(range(LOWEST, max(ephemeral, LOWEST + 1000)))
    random.SystemRandom().shuffle(candidates)
    found: list[int] = []
    while len(found) < count:
        if not candidates:
            raise OSError(f"no port is free below {ephemeral}")
        port = candidates.pop()
        if _reserve(port):
            found.append(port)
    return found


def free_port() -> int:
    """One of `free_ports`."""
    return free_ports(1)[0]


def _reserve(port: int) -> bool:
    mark = socket.socket(socket.AF_UNIX)
    try:
        mark.bind(f"\0logopsd-test-port-{port}")
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as probe:
                probe.bind(("127.0.0.1", port))
    except OSError:
        mark.close()
        return False
    _reserved.append(mark)
    return True
