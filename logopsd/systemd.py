"""sd_notify(3) and sd_listen_fds(3), without libsystemd; see also systemd.service(5).

Outside systemd, where the variables are not set, nothing happens.
"""

import contextlib
import os
import socket
import struct
import time
from collections.abc import Mapping, MutableMapping

FIRST_FD = 3
"""SD_LISTEN_FDS_START: inherited sockets begin behind the three standard streams."""

MAX_FDS = 1024
"""More than any unit hands over; a larger number is a mistake, not sockets."""


class Notifier:
    """Tells systemd how the daemon fares; an error on the way never hurts the daemon.

    Args:
        environ: where `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` are looked for.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the NUL byte of the abstract namespace (unix(7)).
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_interval = _watchdog_interval(environ) if address else None
        """Seconds between two calls of `watchdog`; None where nobody waits for them."""
        self.is_heard = bool(address)
        """Whether there is a service manager."""

    def ready(self) -> None:
        """The start, or a reload, is done."""
        self._send("READY=1")

    def stopping(self) -> None:
        """The shutdown has begun."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`; line breaks become blanks."""
        self._send("STATUS=" + " ".join(text.split()))

    def reloading(self) -> None:
        """A reload has begun (Type=notify-reload wants the time of it); `ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def watchdog(self) -> None:
        """The daemon is alive."""
        self._send("WATCHDOG=1")

    def store(self, name: str, sock: socket.socket) -> None:
        """Have a socket kept over a restart and handed over again under a name.

        Needs FileDescriptorStoreMax= in the unit; a socket that is kept already is not kept twice.
        """
        self._send(f"FDSTORE=1\nFDNAME={name}", sock)

    def unstore(self, name: str) -> None:
        """Have what is kept under a name closed."""
        self._send(f"FDSTOREREMOVE=1\nFDNAME={name}")

    def _send(self, text: str, passed: socket.socket | None = None) -> None:
        if not self._address:
            return
        # Non-blocking: a service manager that does not read must not hold up the loop.
        with (
            contextlib.suppress(OSError, ValueError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as notify,
        ):
            rights: list[tuple[int, int, bytes]] = []
            if passed is not None:
                number = struct.pack("i", passed.fileno())
                rights.append((socket.SOL_SOCKET, socket.SCM_RIGHTS, number))
            notify.sendmsg([text.encode("utf-8", "replace")], rights, 0, self._address)


def _watchdog_interval(environ: Mapping[str, str]) -> float | None:
    """Half of the time after which systemd would act, as sd_watchdog_enabled(3) advises."""
    try:
        microseconds = int(environ.get("WATCHDOG_USEC", ""))
        pid = int(environ.get("WATCHDOG_PID", os.getpid()))
    except ValueError:
        return None
    return microseconds / 2_000_000 if microseconds > 0 and pid == os.getpid() else None


def inherited_sockets(environ: MutableMapping[str, str]) -> dict[str, list[socket.socket]]:
    """The sockets that systemd opened for this process, by their FileDescriptorName=.

    The variables are dropped from `environ`, so that no child takes them for its own, and the
    descriptors are closed on exec. Descriptors that are no sockets are closed.

    Returns:
        Name -> its sockets, in order; without a name `unknown`, as in sd_listen_fds_with_names.
    """
    pid = environ.pop("LISTEN_PID", "")
    count = environ.pop("LISTEN_FDS", "")
    names = environ.pop("LISTEN_FDNAMES", "").split(":")
    found: dict[str, list[socket.socket]] = {}
    if pid != str(os.getpid()) or not count.isdecimal() or int(count) > MAX_FDS:
        return found
    for index in range(int(count)):
        taken = _adopt(FIRST_FD + index)
        if taken is not None:
            name = names[index] if index < len(names) and names[index] else "unknown"
            found.setdefault(name, []).append(taken)
    return found


def _adopt(fd: int) -> socket.socket | None:
    """The descriptor as a socket of the kind it is; None, and closed, where it is none."""
    try:
        os.set_inheritable(fd, False)
        adopted = socket.socket(fileno=fd)  # finds family, type and protocol out by itself
        adopted.setblocking(False)
    except OSError:
        with contextlib.suppress(OSError):
            os.close(fd)
        return None
    return adopted
