"""The real daemon as a process on free ports, and what a test asks of it.

Everything waits through `wait_for`: by polling, with a deadline, and with the daemon's own log
in the failure. Nothing here knows the inside of logopsd; it is used as an operator uses it.
"""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 30.0  # far beyond what anything here takes; reached only where it hangs
STOP_SECONDS = 10.0  # the daemon's own promise: SIGTERM to exit
POLL_SECONDS = 0.02
LOG_TAIL = 30  # lines of the daemon's log shown with a failure

PACKAGES = {
    "bash": "bash",
    "chromedriver": "chromium-driver",
    "chromium": "chromium",
    "curl": "curl",
    "dot": "graphviz",
    "faketime": "faketime",
    "fish": "fish",
    "groff": "groff-base",
    "haproxy": "haproxy",
    "jq": "jq",
    "logger": "bsdutils",
    "nc": "netcat-openbsd",
    "nginx": "nginx-light",
    "openssl": "openssl",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "rsyslogd": "rsyslog",
    "setpriv": "util-linux",
    "systemd-journal-remote": "systemd-journal-remote",
    "systemd-journal-upload": "systemd-journal-remote",
    "systemd-analyze": "systemd",
    "systemd-socket-activate": "systemd",
    "zsh": "zsh",
}
"""Program -> the Debian package that brings it."""

PEERS = ROOT / ".cache" / "peers" / "bin"
"""Programs whose packages exclude others that the tests need; peers/fetch.sh brings them."""

ABSENT = ROOT / "tests" / "e2e" / "absent"
"""What an environment of development has and an installed daemon has not, made to be missing."""

T = TypeVar("T")
Record = dict[str, Any]


def need(program: str) -> str:
    """Return the path of a program; skip the test without it, or fail if LOGOPS_E2E=require."""
    import pytest  # here, as the benchmark uses this module without the test packages

    places = (os.environ.get("PATH", ""), "/usr/sbin", "/sbin", str(PEERS))
    path = shutil.which(program, path=os.pathsep.join(places))
    if path is None:
        package = PACKAGES.get(program)
        mend = f"apt-get install {package}" if package else "tests/e2e/peers/fetch.sh"
        reason = f"{program} is not installed: {mend}"
        if os.environ.get("LOGOPS_E2E") == "require":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return path


def wait_for(
    predicate: Callable[[], T],
    what: str,
    *,
    timeout: float = DEADLINE_SECONDS,
    hint: Callable[[], str] = str,
) -> T:
    """Ask until the answer is true, and return it; the one place that waits.

    Args:
        predicate: asked again and again.
        what: what is waited for, for the failure.
        timeout: seconds.
        hint: more for the failure, asked only then.
    """
    deadline = time.monotonic() + timeout
    while not (answer := predicate()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:g} s for {what}, last {answer!r}\n{hint()}")
        time.sleep(POLL_SECONDS)
    return answer


def run(
    command: Sequence[str | Path], *, stdin: bytes = b"", timeout: float = DEADLINE_SECONDS
) -> subprocess.CompletedProcess[bytes]:
    """Run a client to its end and return what it said; it must end with status 0."""
    done = subprocess.run(
        list(command), input=stdin, capture_output=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, (command, done.returncode, done.stdout, done.stderr)
    return done


@contextlib.contextmanager
def process(command: Sequence[str | Path], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server beside the test, its output in `log`, and end it whatever happens."""
    with log.open("wb") as output:
        child = subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield child
    finally:
        end(child)


def end(child: subprocess.Popen[bytes]) -> None:
    """End a process we started: kindly, then by force."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
    child.wait()


class Page:
    """One scrape of the metrics page."""

    def __init__(self, text: str) -> None:
        self.text = text

    def sum(self, name: str, **labels: str) -> float:
        """Return the sum of a metric over all children that carry these labels."""
        return sum(
            sample.value
            for sample in self._samples(name)
            if labels.items() <= sample.labels.items()
        )

    def inputs(self) -> set[str]:
        """Return the inputs that have figures."""
        return {sample.labels["input"] for sample in self._samples("logops_received_total")}

    def unaccounted(self, name: str) -> float:
        """Return what the account of an input lacks: received less what became of it."""
        return (
            self.sum("logops_received_total", input=name)
            - self.sum("logops_accepted_total", input=name)
            - self.sum("logops_dropped_total", input=name)
            - self.sum("logops_suppressed_total", input=name)
            - self.sum("logops_inflight", input=name)
        )

    def _samples(self, name: str) -> list[Sample]:
        # The parser is slow, and most who wait for a figure ask for a page every 20 ms.
        lines = re.findall(rf"^{name}[ {{].*\n", self.text, re.MULTILINE)
        return [
            sample
            for family in text_string_to_metric_families("".join(lines))
            for sample in family.samples
        ]


def logopsd(*args: str) -> list[str]:
    """Return the command line of logopsd with these arguments."""
    return [sys.executable, "-m", "logopsd", *args]


def lasting_ports(*names: str) -> dict[str, str]:
    """Settings of inputs' ports that a daemon still has when it is started again; see `ports`."""
    ports = map(str, free_ports(len(names)))
    return dict(zip((f"LOGOPS_{name.upper()}_PORT" for name in names), ports, strict=True))


def clean_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return our environment without settings of ours or systemd's, and with `settings`."""
    ours = ("LOGOPS_", "NOTIFY_", "WATCHDOG_", "LISTEN_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**env, "PYTHONPATH": f"{ABSENT}{os.pathsep}{ROOT}", **settings}


class Daemon:
    """The daemon in a directory of its own, all its ports free ones.

    Args:
        directory: its working directory; the files are under `data/ingest` there.
        settings: more settings, by name; they win over the free ports.
        cpu: the one core it may use; None for all.

    Attributes:
        prefix: a command before the daemon's own, which must exec it.
        pass_fds: descriptors that the prefix inherits.
        allowed: events its log may hold as errors; any other one fails the test in the end.
        stdout: a file for its standard output alone; None has it in the log.
    """

    def __init__(
        self,
        directory: Path,
        settings: Mapping[str, str] | None = None,
        *,
        args: Sequence[str] = (),
        cpu: int | None = None,
    ) -> None:
        self.directory = directory
        self.sink = directory / "data" / "ingest"
        self.log_file = directory / "daemon.log"
        self.allowed: set[str] = set()
        self.stdout: Path | None = None
        ports = {f"LOGOPS_{name}_PORT": "any" for name in ("UDP", "TCP", "HTTP", "METRICS")}
        self.env = clean_environment(ports | dict(settings or {}))
        self.prefix: list[str] = []
        self.pass_fds: tuple[int, ...] = ()
        self._args = args
        self._cpu = cpu
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0
        self._counted: dict[Path, tuple[int, int, int]] = {}
        self._skipped = 0

    # --- its life ---------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """The process id of the daemon."""
        assert self._process is not None
        return self._process.pid

    def spawn(self) -> None:
        """Start the process, and do not wait for it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._started_at = self.log_file.stat().st_size if self.log_file.exists() else 0
        with self.log_file.open("ab") as log, (self.stdout or self.log_file).open("ab") as out:
            self._process = subprocess.Popen(
                [*self.prefix, *logopsd(*self._args)],
                cwd=self.directory,
                env=self.env,
                pass_fds=self.pass_fds,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
            )
        if self._cpu is not None:  # before it has a thread: a new thread inherits the core
            os.sched_setaffinity(self._process.pid, {self._cpu})

    def start(self) -> "Daemon":
        """Start the process and wait until it says that it is ready."""
        self.spawn()
        self.wait_for(lambda: self.events("ready"), "the event `ready` in the daemon's log")
        return self

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the end within the daemon's promise, return the status."""
        self.signal(number)
        return self.wait_exit(STOP_SECONDS)

    def signal(self, number: int) -> None:
        """Send a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait_exit(self, timeout: float = DEADLINE_SECONDS) -> int:
        """Wait for the end and return the status."""
        assert self._process is not None
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout:g} s\n{self.tail()}") from None

    def end(self) -> None:
        """End the process if it still runs; for the very end of a test."""
        if self._process is not None:
            end(self._process)

    def wait_for(
        self, predicate: Callable[[], T], what: str, timeout: float = DEADLINE_SECONDS
    ) -> T:
        """Wait for something that needs the daemon alive."""

        def asked() -> T:
            if self._process is not None and self._process.poll() is not None:
                status = self._process.returncode
                raise AssertionError(
                    f"ended with status {status}, waiting for {what}\n{self.tail()}"
                )
            return predicate()

        return wait_for(asked, what, timeout=timeout, hint=self.tail)

    # --- what it says -----------------------------------------------------------------------

    def events(self, name: str | None = None) -> list[Record]:
        """Return the events of its log since it was last started, of one name or all."""
        data = self.log_file.read_bytes()[self._started_at :]
        whole = data[: data.rfind(b"\n") + 1]  # the last line may be half written
        events = [json.loads(line) for line in whole.splitlines() if line.startswith(b"{")]
        return [event for event in events if name in (None, event["event"])]

    def log_text(self) -> str:
        """Return all its log as text."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def tail(self) -> str:
        """Return the end of its log, for a failure."""
        return "--- daemon.log\n" + "\n".join(self.log_text().splitlines()[-LOG_TAIL:])

    def unexpected(self) -> list[str]:
        """Return what its log should not hold: errors, and lines that are no JSON."""
        bad = []
        for line in self.log_text().splitlines():
            event = json.loads(line) if line.startswith("{") else None
            if event is None or (
                event["level"] in ("error", "critical") and event["event"] not in self.allowed
            ):
                bad.append(line)
        return bad

    def address(self, name: str) -> tuple[str, int]:
        """Return host and port of an input (`udp`, `tcp`, `http`) or of the side port `metrics`."""
        for event in self.events("listening"):
            if name in (event.get("input"), event.get("name")):
                parts = urllib.parse.urlsplit(event["address"])
                assert parts.hostname is not None
                assert parts.port is not None
                return parts.hostname, parts.port
        raise AssertionError(f"nothing listens as {name}\n{self.tail()}")

    def port(self, name: str) -> str:
        """Return the port of an input as text, for a command line."""
        return str(self.address(name)[1])

    def url(self, path: str, name: str = "http") -> str:
        """Return the URL of a path at the input `http` or at the side port `metrics`."""
        host, port = self.address(name)
        return f"http://{host}:{port}{path}"

    def metrics(self) -> Page:
        """Scrape the metrics page."""
        with urllib.request.urlopen(
            self.url("/metrics", "metrics"), timeout=DEADLINE_SECONDS
        ) as page:
            return Page(page.read().decode())

    # --- what it stored ---------------------------------------------------------------------

    def raw(self) -> bytes:
        """Return the bytes of all its NDJSON files, in order."""
        whole = b"".join(path.read_bytes() for path in sorted(self.sink.glob("*.ndjson")))
        return whole[self._skipped :]

    def skip(self) -> None:
        """Pass over what is stored by now: `raw` and `records` give only what comes after it."""
        self._skipped += len(self.raw())

    def stored(self) -> int:
        """Return how many lines its NDJSON files have; each byte is read once, ask as you like."""
        total = 0
        for path in self.sink.glob("*.ndjson"):
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                inode = os.fstat(file.fileno()).st_ino
                known, size, lines = self._counted.get(path, (inode, 0, 0))
                if known != inode or os.fstat(file.fileno()).st_size < size:
                    size = lines = 0
                file.seek(size)
                added = file.read()
                lines += added.count(b"\n")
                # Up to the last whole line, as a start cuts off what a kill has torn.
                self._counted[path] = (inode, size + added.rfind(b"\n") + 1, lines)
                total += lines
        return total

    def records(self) -> list[Record]:
        """Return what is stored; every line must be whole."""
        raw = self.raw()
        assert raw == b"" or raw.endswith(b"\n"), raw[-200:]
        return [json.loads(line) for line in raw.splitlines()]

    def wait_records(self, count: int, timeout: float = DEADLINE_SECONDS) -> list[Record]:
        """Wait until so many records are stored, and return them; more than that is an error."""
        self.wait_for(
            lambda: self.stored() >= count, f"{count} records (there are {self.stored()})", timeout
        )
        records = self.records()
        assert len(records) == count, f"{len(records)} records instead of {count}"
        return records

    # --- sending to it ----------------------------------------------------------------------

    def post(
        self, body: bytes, content_type: str = "application/json", path: str = "/v1/logs"
    ) -> tuple[int, Record]:
        """POST a body on a connection of its own; return status and parsed answer."""
        connection = http.client.HTTPConnection(*self.address("http"), timeout=DEADLINE_SECONDS)
        with contextlib.closing(connection):
            connection.request("POST", path, body, {"Content-Type": content_type})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def get(self, path: str, name: str = "http") -> tuple[int, str]:
        """GET a path; return status and text."""
        connection = http.client.HTTPConnection(*self.address(name), timeout=DEADLINE_SECONDS)
        with contextlib.closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def send_udp(self, *datagrams: bytes) -> None:
        """Send datagrams."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(self.address("udp"))
            for datagram in datagrams:
                sock.send(datagram)

    def send_tcp(self, data: bytes) -> None:
        """Send bytes on a connection of their own, and wait until the daemon has closed it."""
        with socket.create_connection(self.address("tcp"), timeout=DEADLINE_SECONDS) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(1) == b""
