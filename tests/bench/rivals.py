"""The programs measured beside the daemon: each a process on one core that writes NDJSON files.

All are asked the same two questions in the same way: how many lines are in your files, and how
much CPU have you used.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from logopsd.listeners import sockets
from tests.bench.machine import cpu_seconds, peak_rss_mib
from tests.e2e.harness import PACKAGES, Daemon
from tests.e2e.harness import PEERS as FETCHED
from tests.ports import free_port

PEERS = Path(__file__).parent / "peers"
START_SECONDS = 20.0
SETTLE_SECONDS = 1.0  # once it is ready the daemon does what its start left for later
STOP_SECONDS = 15.0
READ_BYTES = 1 << 20
RECORDS = "*.ndjson"
UNPRIVILEGED = ["setpriv", "--bounding-set=-net_admin"] if os.geteuid() == 0 else []
"""Before each command: none gets more room for datagrams than net.core.rmem_max, which the daemon
and rsyslogd, but not syslog-ng, go beyond where they may."""

RECEIVE_BUFFER = sockets.RECEIVE_BUFFER  # of datagrams, bytes: what the daemon asks for
THREE = "email,ipv4,ipv6"  # what the others look for is less: IPv4, or IPv4 and mail

RSYSLOG_MASKING = 'action(type="mmanon" ipv4.mode="zero" ipv4.bits="16" ipv6.bits="96")'
RSYSLOG_RFC5424 = """
  property(outname="msgid" name="msgid" format="jsonf")
  property(outname="sd" name="structured-data" format="jsonf")"""
SYSLOG_NG_RFC5424 = "msgid=$MSGID sd=$SDATA "

Address = tuple[str, int]


class LineCount:
    """Counts the lines of the files in a folder, reading each byte once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[Path, int] = {}
        self._lines = 0

    def now(self) -> int:
        """Return how many there are by now."""
        for path in self._folder.glob(RECORDS):
            with path.open("rb") as file:
                file.seek(self._seen.get(path, 0))
                while data := file.read(READ_BYTES):
                    self._lines += data.count(b"\n")
                    self._seen[path] = self._seen.get(path, 0) + len(data)
        return self._lines


class Rival:
    """One program, started in a folder of its own.

    Args:
        folder: where its records go.
        pid: of its process.
        addresses: transport -> where it listens: `tcp`, `octet`, `udp`, `http`.
    """

    def __init__(self, folder: Path, pid: int, addresses: dict[str, Address]) -> None:
        self.addresses = addresses
        self.folder = folder
        self._pid = pid
        self._count = LineCount(folder)

    def stored(self) -> int:
        """Return how many records are in its files."""
        return self._count.now()

    def written_at(self) -> float:
        """Return when its files were last written to, seconds since the epoch."""
        return max(path.stat().st_mtime for path in self.folder.glob(RECORDS))

    def cpu(self) -> float:
        """Return the CPU seconds it has used."""
        return cpu_seconds(self._pid)

    def rss(self) -> float:
        """Return its peak resident size in MiB."""
        return peak_rss_mib(self._pid)


def path_of(program: str) -> str:
    """Return the path of a program; ends with what brings it where it is missing."""
    places = (os.environ.get("PATH", ""), "/usr/sbin", "/sbin", str(FETCHED))
    path = shutil.which(program, path=os.pathsep.join(places))
    if path is None:
        package = PACKAGES.get(program)
        mend = f"sudo apt-get install {package}" if package else "tests/e2e/peers/fetch.sh"
        raise SystemExit(f"{program} is missing: {mend}")
    return path


@contextlib.contextmanager
def logopsd(
    directory: Path, cpu: int, *, key: str | None = None, detectors: str | None = THREE
) -> Iterator[Rival]:
    """Run the daemon on its defaults, but for what it masks, in every field.

    Args:
        directory: of its own.
        cpu: the core.
        key: with it, every message is encrypted as well.
        detectors: what is looked for; None for all that are on by default.
    """
    settings = {} if detectors is None else {"LOGOPS_PII_DETECTORS": detectors}
    if key is not None:
        settings |= {"LOGOPS_ENCRYPT_PII": "true", "LOGOPS_SECRET_KEY": key}
    daemon = Daemon(directory, settings, cpu=cpu)
    daemon.prefix = UNPRIVILEGED
    daemon.start()
    try:
        addresses = {name: daemon.address(name) for name in ("tcp", "udp", "http")}
        time.sleep(SETTLE_SECONDS)
        yield Rival(daemon.sink, daemon.pid, addresses | {"octet": addresses["tcp"]})
    finally:
        daemon.end()


@contextlib.contextmanager
def rsyslogd(directory: Path, cpu: int, *, masking: bool, rfc5424: bool = False) -> Iterator[Rival]:
    """Run rsyslogd with one worker, with mmanon (IPv4 and IPv6 in the message) or only parsing."""
    out, port = directory / "out", free_port()
    out.mkdir(parents=True)
    config = directory / "rsyslog.conf"
    config.write_text(
        (PEERS / "rsyslog.conf")
        .read_text()
        .format(
            work=directory,
            out=out,
            port=port,
            receive_buffer=RECEIVE_BUFFER,
            masking=RSYSLOG_MASKING if masking else "",
            more=RSYSLOG_RFC5424 if rfc5424 else "",
        )
    )
    command: list[str | Path] = [path_of("rsyslogd"), "-n", "-f", config, "-i", directory / "pid"]
    address = ("127.0.0.1", port)
    with _process(command, directory, cpu, port) as pid:
        yield Rival(out, pid, {"tcp": address, "octet": address, "udp": address})


@contextlib.contextmanager
def syslog_ng(directory: Path, cpu: int, *, rfc5424: bool = False) -> Iterator[Rival]:
    """Run syslog-ng with a PCRE subst for IPv4 and mail in the message."""
    out, port, counted = directory / "out", free_port(), free_port()
    out.mkdir(parents=True)
    config = directory / "syslog-ng.conf"
    config.write_text(
        (PEERS / "syslog-ng.conf")
        .read_text()
        .format(
            out=out,
            port=port,
            counted_port=counted,
            receive_buffer=RECEIVE_BUFFER,
            flags="syslog-protocol" if rfc5424 else '"validate-utf8"',
            more=SYSLOG_NG_RFC5424 if rfc5424 else "",
        )
    )
    state = [f"--{name}={directory}/{name}" for name in ("persist-file", "control", "pidfile")]
    command: list[str | Path] = [path_of("syslog-ng"), "-F", "-f", config, *state]
    with _process(command, directory, cpu, port) as pid:
        host = "127.0.0.1"
        addresses = {"tcp": (host, port), "octet": (host, counted), "udp": (host, port)}
        yield Rival(out, pid, addresses)


@contextlib.contextmanager
def gateway(directory: Path, cpu: int, *, key: str | None = None) -> Iterator[Rival]:
    """Run the FastAPI gateway under uvicorn, one process."""
    out, port = directory / "out", free_port()
    out.mkdir(parents=True)
    command: list[str | Path] = [sys.executable, "-m", "uvicorn", "tests.bench.peers.gateway:app"]
    command += ["--port", str(port), "--no-access-log", "--log-level", "warning"]
    env = os.environ | {"GATEWAY_OUT": str(out)} | ({"GATEWAY_KEY": key} if key else {})
    with _process(command, directory, cpu, port, env) as pid:
        yield Rival(out, pid, {"http": ("127.0.0.1", port)})


@contextlib.contextmanager
def _process(
    command: list[str | Path],
    directory: Path,
    cpu: int,
    port: int,
    env: dict[str, str] | None = None,
) -> Iterator[int]:
    """Run a program pinned to a core until the block ends; wait until its TCP port answers."""
    with (directory / "output.log").open("wb") as log:
        child = subprocess.Popen(
            [*UNPRIVILEGED, "taskset", "-c", str(cpu), *map(str, command)],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for_port(child, port, directory)
        time.sleep(SETTLE_SECONDS)
        yield child.pid
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait_for_port(child: subprocess.Popen[bytes], port: int, directory: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if child.poll() is not None or time.monotonic() > deadline:
                said = (directory / "output.log").read_text(errors="replace")
                raise RuntimeError(f"{child.args!r} does not listen:\n{said}") from None
            time.sleep(0.05)
