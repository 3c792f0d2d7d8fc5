"""Can each port be bound here, or who has it; and what receive buffer the kernel grants."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from logopsd.commands.findings import Finding, ok, problem, warning
from logopsd.config import ANY_PORT, Settings
from logopsd.errors import ListenError
from logopsd.listeners import sockets

_PROC: Final = Path("/proc")
_UDP, _TCP = socket.SOCK_DGRAM, socket.SOCK_STREAM

Running = Mapping[str, Any] | None
"""What the daemon says of itself, see logopsd.commands.status; None where none answers."""


def ports(settings: Settings) -> Iterator[tuple[str, socket.SocketKind, str, int]]:
    """Each port that is on: input (or `metrics`), kind, address and number."""
    kinds = {"udp": _UDP, "tcp": _TCP, "tls": _TCP, "relp": _TCP, "http": _TCP}
    for input, kind in kinds.items():
        number = getattr(settings, f"{input}_port")
        if number is not None:
            yield input, kind, settings.bind, number
    if settings.metrics_port is not None:
        yield "metrics", _TCP, settings.metrics_bind, settings.metrics_port


def check_ports(settings: Settings, running: Running) -> Iterator[Finding]:
    """Try to bind each port, for a moment, and to find out who has those that are taken."""
    for input, kind, host, number in ports(settings):
        yield _check_port(input, kind, host, number, running)
    for input, path in (("unix datagram", settings.unix_dgram), ("unix", settings.unix_stream)):
        if path is not None:
            yield _check_path(input, path, running)


def _check_port(
    input: str, kind: socket.SocketKind, host: str, number: int, running: Running
) -> Finding:
    check = f"port {input}"
    setting = f"LOGOPS_{input.upper()}_PORT"
    bind_setting = "LOGOPS_METRICS_BIND" if input == "metrics" else "LOGOPS_BIND"
    where = sockets.text(host, number)
    if number == ANY_PORT:
        return ok(check, f"any free one on {host}; the daemon's log says which")
    ours = running is not None and (input == "metrics" or input in running["inputs"])
    try:
        bound = sockets.bind(kind, host, number, setting=setting, bind_setting=bind_setting)
        asyncio.run(bound).close()
    except ListenError as error:
        holder = holder_of(kind, number)
        if (
            ours
            and isinstance(error.__cause__, OSError)
            and error.__cause__.errno == errno.EADDRINUSE
        ):
            return ok(check, f"{where} is the running daemon's{holder}")
        found, _, mend = str(error).removeprefix(f"{where}: ").partition(": ")
        if holder:
            found = f"another program has it{holder}"
        return problem(check, f"{where}: {found}", mend or f"change {setting}")
    if running is not None:
        return warning(
            check,
            f"{where} is free, although a daemon runs",
            "restart the daemon, so that it takes these settings: systemctl restart logopsd",
        )
    return ok(check, f"{where} can be bound")


def _check_path(input: str, path: Path, running: Running) -> Finding:
    setting = "LOGOPS_UNIX_DGRAM" if input == "unix datagram" else "LOGOPS_UNIX_STREAM"
    if path.is_socket():
        kind = _UDP if input == "unix datagram" else _TCP
        with socket.socket(socket.AF_UNIX, kind) as probe:
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                return ok(input, f"{path} is left over; the daemon replaces it")
            except OSError as error:
                return problem(input, f"{path}: {error.strerror}", f"mend it, or change {setting}")
        if running is not None:
            return ok(input, f"{path} is the running daemon's, or systemd's for it")
        mend = f"stop that one, or choose another {setting}"
        return problem(input, f"{path}: another program listens there", mend)
    if path.exists():
        mend = f"remove it, or choose another {setting}"
        return problem(input, f"{path} is there and is no socket", mend)
    if not os.access(path.parent, os.W_OK | os.X_OK):
        mend = f"create it, change its permissions, or choose another {setting}"
        return problem(input, f"{path.parent} is missing or not writable", mend)
    return ok(input, f"{path} can be made")


def holder_of(kind: socket.SocketKind, port: int, proc: Path = _PROC) -> str:
    """Who has a port, ` (rsyslogd, pid 12)`; empty where that may not be seen."""
    protocol = "udp" if kind == _UDP else "tcp"
    inodes = set()
    for name in (protocol, f"{protocol}6"):
        with suppress(OSError):
            for line in (proc / "net" / name).read_text().splitlines()[1:]:
                _, local, _, state, *rest = line.split()
                if int(local.rpartition(":")[2], 16) == port and (kind == _UDP or state == "0A"):
                    inodes.add(f"socket:[{rest[5]}]")
    for process in proc.iterdir() if inodes else ():
        with suppress(OSError):
            if process.name.isdigit() and any(
                os.readlink(fd) in inodes for fd in (process / "fd").iterdir()
            ):
                return f" ({(process / 'comm').read_text().strip()}, pid {process.name})"
    return ""


def check_buffer(
    settings: Settings,
    running: Running,
    grant: Callable[[socket.socket, int], int] = sockets.set_receive_buffer,
) -> Iterator[Finding]:
    """Ask for the receive buffer of datagrams as the daemon does."""
    if settings.udp_port is None:
        return
    asked = sockets.RECEIVE_BUFFER
    with socket.socket(socket.AF_INET, _UDP) as probe:
        granted = grant(probe, asked)
    dropped = running["kernel_drops"] if running is not None else 0
    text = f"{granted // 1024} KiB granted of {asked // 1024} KiB asked"
    if os.geteuid() == 0 and grant is sockets.set_receive_buffer:
        with suppress(OSError, ValueError):
            most = int((_PROC / "sys/net/core/rmem_max").read_text()) // 1024
            text += f", as root; without CAP_NET_ADMIN {min(most, asked // 1024)} KiB at most"
    if dropped:
        text += f"; the running daemon's kernel dropped {dropped} datagrams"
    if granted < asked:
        mend = (
            f"sysctl -w net.core.rmem_max={asked}, and the line net.core.rmem_max={asked} in "
            "/etc/sysctl.d/logopsd.conf; then restart the daemon"
        )
        yield warning("receive buffer", text, mend)
    elif dropped:
        mend = "it is too little for these bursts: send over TCP, or fewer at once"
        yield warning("receive buffer", text, mend)
    else:
        yield ok("receive buffer", text)
