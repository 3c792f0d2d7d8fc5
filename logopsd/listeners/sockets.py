"""Sockets: made, bound, given a buffer, and their addresses as text."""

import asyncio
import contextlib
import errno
import os
import socket
import stat
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from logopsd.errors import ListenError

RECEIVE_BUFFER = 8 * 1024 * 1024
"""Receive buffer asked for datagrams, bytes: a third of a second at 100,000 datagrams/s.

The kernel reckons with 768 bytes for a datagram of 150.
"""

SO_RCVBUFFORCE = 33
"""As SO_RCVBUF, beyond net.core.rmem_max; needs CAP_NET_ADMIN. Python has no name for it."""

SO_MEMINFO = 55
"""Nine counters of a socket, u32 each (linux/sock_diag.h); Python has no name for it."""

_MEMINFO = struct.Struct("9I")
_MEMINFO_DROPS = 8

UNIX_MODE = 0o666
"""Access to a Unix socket: as for /dev/log, everyone may send."""

_MENDS: Mapping[int, str] = {
    errno.EADDRINUSE: "another program has it: stop that one, or choose another {port}",
    errno.EACCES: "not permitted: a port below 1024 needs CAP_NET_BIND_SERVICE; "
    "choose another {port}",
    errno.EADDRNOTAVAIL: "this machine has no such address: change {bind}",
    errno.EAFNOSUPPORT: "this machine has no such address family, or forbids it "
    "(RestrictAddressFamilies=): change {bind}, have systemd hand the socket over, or set {port}=0",
}
_PATH_MENDS: Mapping[int, str] = {
    errno.EADDRINUSE: "another program listens there: stop that one, or choose another {path}",
    errno.EACCES: "no permission to create it there: change the directory's, or {path}",
    errno.ENOENT: "its directory does not exist: create it, or change {path}",
}


_AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]
"""What getaddrinfo(3) tells of each address."""


async def _resolve(kind: socket.SocketKind, host: str, port: int) -> Sequence[_AddressInfo]:
    """Return the addresses of a host; of an address itself at once, without a thread.

    Raises:
        OSError: there is no such host.
    """
    with contextlib.suppress(OSError):  # it is a name
        # Bytes are taken as they are; for text the codec of IDNA is loaded.
        return socket.getaddrinfo(host.encode(), port, type=kind, flags=socket.AI_NUMERICHOST)
    return await asyncio.get_running_loop().getaddrinfo(host, port, type=kind)


async def bind(
    kind: socket.SocketKind,
    host: str,
    port: int,
    *,
    setting: str,
    bind_setting: str,
    share: bool = False,
) -> socket.socket:
    """Make a socket of a kind, bound to the first address that `host` resolves to.

    An IPv6 socket on `::` takes IPv4 too.

    Args:
        kind: SOCK_STREAM or SOCK_DGRAM.
        host: an address or a name.
        port: 0 lets the kernel choose.
        setting: the name of the setting that holds the port, for the text of an error.
        bind_setting: the same for the host.
        share: with others that have SO_REUSEPORT set and are of the same user.

    Raises:
        ListenError: it cannot be bound; the text names the mend.
    """
    where = text(host, port)
    try:
        found = await _resolve(kind, host, port)
    except OSError as error:
        raise ListenError(f"{where}: no such host: change {bind_setting}") from error
    # A name such as localhost has both: senders are sure to reach the older family.
    family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    sock = None
    try:
        sock = socket.socket(family, kind)
        if kind == socket.SOCK_STREAM:
            # Else a restart waits a minute for the last connections. On UDP the same option
            # would let a second daemon take the datagrams of the first.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.setblocking(False)
        sock.bind(address)
    except OSError as error:
        if sock is not None:
            sock.close()
        mend = _mend(error, _MENDS).format(port=setting, bind=bind_setting)
        raise ListenError(f"{where}: {mend}") from error
    return sock


def bind_path(kind: socket.SocketKind, path: str, *, setting: str) -> socket.socket:
    """Make a Unix socket bound to a path; one that a dead process left there is replaced.

    Args:
        kind: SOCK_STREAM or SOCK_DGRAM.
        path: where in the file system.
        setting: the name of the setting that holds the path, for the text of an error.

    Raises:
        ListenError: it cannot be bound; the text names the mend.
    """
    sock = socket.socket(socket.AF_UNIX, kind)
    try:
        sock.setblocking(False)
        _remove_stale(kind, path)
        sock.bind(path)
        os.chmod(path, UNIX_MODE)
    except OSError as error:
        sock.close()
        raise ListenError(f"{path}: {_mend(error, _PATH_MENDS).format(path=setting)}") from error
    return sock


def unlink(path: str) -> None:
    """Remove the name of a Unix socket of ours, if it is still there."""
    try:
        os.unlink(path)
    except OSError:
        pass


def _remove_stale(kind: socket.SocketKind, path: str) -> None:
    """Remove a socket nobody listens on; anything else is left for bind to complain about."""
    try:
        if not stat.S_ISSOCK(Path(path).lstat().st_mode):
            return
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, kind) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        except OSError:
            pass


def _mend(error: OSError, mends: Mapping[int, str]) -> str:
    reason = error.strerror or str(error)  # a path too long comes without a number
    return mends.get(error.errno or 0, reason)


def set_receive_buffer(sock: socket.socket, size: int) -> int:
    """Ask for a receive buffer, beyond the system's limit where that is permitted.

    Where it is not, one that is as large already stays: systemd may have given an inherited
    socket more than we may ask for.

    Args:
        sock: any socket.
        size: bytes.

    Returns:
        The bytes granted, in the same measure.
    """
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, size)
    except OSError:
        if receive_buffer(sock) < size:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    return receive_buffer(sock)


def receive_buffer(sock: socket.socket) -> int:
    """Return the bytes of a socket's receive buffer, in the measure of `set_receive_buffer`."""
    # The kernel doubles what it grants, to allow for its own bookkeeping (socket(7)).
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2


def end_sending(transport: asyncio.WriteTransport) -> None:
    """Tell the peer that nothing more comes; a peer that is gone by a reset is let go at once."""
    try:
        transport.write_eof()
    except OSError:  # ENOTCONN: asyncio would learn of the reset only when it reads
        transport.abort()


def kernel_drops(sock: socket.socket) -> int:
    """How many datagrams found no room in the socket's buffer since it was opened; u32, wraps."""
    try:
        info = sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, _MEMINFO.size)
    except OSError:  # not Linux, or closed
        return 0
    return int(_MEMINFO.unpack(info)[_MEMINFO_DROPS])


def text(host: str, port: int) -> str:
    """Address and port as in a URL: `127.0.0.1:5514`, `[::1]:5514`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def address_of(scheme: str, sock: socket.socket) -> str:
    """Where a socket listens, as a URL: `udp://127.0.0.1:5514`, `unix:///dev/log`."""
    name = sock.getsockname()
    if sock.family == socket.AF_UNIX:
        return f"{scheme}://{os.fsdecode(name)}"
    return f"{scheme}://{text(name[0], name[1])}"


def peer_of(address: object) -> str:
    """The IP address of a peer alone, as text; `unix` where it has none.

    An IPv4 address inside IPv6 (`::ffff:192.0.2.1`, on a socket that takes both) is given as
    IPv4, and a zone (`%eth0`) is left out.
    """
    if not isinstance(address, tuple) or not address:
        return "unix"
    host = str(address[0])
    if ":" not in host:
        return host
    return host.partition("%")[0].removeprefix("::ffff:") if "." in host else host.partition("%")[0]
