"""All inputs at once for minutes, with faults; ends with flat memory and a closed account.

    make soak ARGS="--seconds 600 --seed 1"

The files are on a small tmpfs where that may be mounted, so that the disk can be really full.
"""

import argparse
import contextlib
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.certificates import Authority
from tests.e2e.harness import Daemon, Page
from tests.soak import senders
from tests.soak.ledger import Ledger
from tests.soak.result import Result
from tests.soak.vitals import open_files, rss_mib

DISK_MIB = 96
FULL_SECONDS = 2.0
STOPPED_SECONDS = 1.0
CALM_SECONDS = (1.5, 3.5)  # between two faults
SAMPLE_SECONDS = 0.5
GROWTH_MIB = 10.0  # of the median memory, of the last third over the one before
SETTLE_SECONDS = 60.0


class Soak:
    """One run.

    Args:
        daemon: to be started; its settings are those of `settings`.
        authority: signed its certificate.
        seed: of the faults.
        is_disk: whether its files are on a disk of their own, that may be filled.
        calm: seconds between two faults, at least and at most.
    """

    def __init__(
        self,
        daemon: Daemon,
        authority: Authority,
        *,
        seed: int,
        is_disk: bool,
        calm: tuple[float, float] = CALM_SECONDS,
    ) -> None:
        self.result = Result()
        self._daemon = daemon
        self._authority = authority
        self._rng = random.Random(seed)
        self._calm = calm
        self._ledger = Ledger(daemon.sink)
        self._faults: list[Callable[[], None]] = [
            *(self._reload, self._move_file, self._stop_and_go, self._idle_peers),
        ]
        self._bag: list[Callable[[], None]] = []
        if is_disk:
            self._faults.append(self._fill_disk)
        else:
            self.result.notes.append("no tmpfs may be mounted here: the disk was never full")

    def run(self, seconds: float) -> Result:
        """Send, disturb and watch for so long and until each fault came; then check all in calm."""
        result, daemon = self.result, self._daemon
        daemon.start()
        daemon.send_tcp(b"<13>the first opens the file\n")
        daemon.wait_records(1)
        self._ledger.read()
        result.files = (open_files(daemon.pid), 0)
        running = self._senders()
        began = time.monotonic()
        for sender in running:
            sender.start()
        fault_at = began + self._rng.uniform(*self._calm)
        while time.monotonic() - began < seconds or len(result.faults) < len(self._faults):
            self._sample()
            if time.monotonic() >= fault_at:
                fault = self._next_fault()
                fault()
                name = fault.__name__.strip("_").replace("_", " ")
                result.faults[name] = result.faults.get(name, 0) + 1
                fault_at = time.monotonic() + self._rng.uniform(*self._calm)
            time.sleep(SAMPLE_SECONDS)
        result.seconds = time.monotonic() - began
        for sender in running:
            sender.stop()
        for sender in running:
            sender.join(senders.PATIENCE_SECONDS + SETTLE_SECONDS)
        self._settle()
        self._check(running)
        return result

    def _senders(self) -> list[senders.Sender]:
        daemon = self._daemon
        tls = ssl.create_default_context(cafile=self._authority.cert)

        def connect(name: str) -> socket.socket:
            return socket.create_connection(daemon.address(name), senders.PATIENCE_SECONDS)

        def connect_unix(name: str, kind: socket.SocketKind) -> socket.socket:
            sock = socket.socket(socket.AF_UNIX, kind)
            sock.settimeout(senders.PATIENCE_SECONDS)
            sock.connect(daemon.env[name])
            return sock

        def connect_udp() -> socket.socket:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.connect(daemon.address("udp"))
            return sock

        def connect_tls() -> socket.socket:
            return tls.wrap_socket(connect("tls"), server_hostname="localhost")

        def unix(name: str, kind: socket.SocketKind) -> Callable[[], socket.socket]:
            return lambda: connect_unix(name, kind)

        ndjson = "application/x-ndjson"
        return [
            senders.Datagrams("soak-udp", daemon, connect_udp),
            senders.Datagrams(
                "soak-unixgram", daemon, unix("LOGOPS_UNIX_DGRAM", socket.SOCK_DGRAM)
            ),
            senders.Stream("soak-tcp", daemon, lambda: connect("tcp"), counted=False),
            senders.Stream("soak-octet", daemon, lambda: connect("tcp"), counted=True),
            senders.Stream(
                "soak-unix", daemon, unix("LOGOPS_UNIX_STREAM", socket.SOCK_STREAM), counted=False
            ),
            senders.Stream("soak-tls", daemon, connect_tls, counted=True),
            senders.Relp("soak-relp", daemon),
            senders.Http("soak-json", daemon, senders.as_json),
            senders.Http("soak-ndjson", daemon, senders.as_ndjson, content_type=ndjson),
            senders.Http(
                "soak-gzip", daemon, senders.as_lines, content_type="text/plain", packed=True
            ),
            senders.Http(
                "soak-journal",
                daemon,
                senders.as_journal,
                path="/upload",
                content_type="application/vnd.fdo.journal",
            ),
            senders.Rude("rude", daemon, self._rng.randrange(1 << 30)),
        ]

    # Watching

    def _sample(self) -> Page:
        """Scrape once: the account must close at any moment."""
        page = self._daemon.metrics()
        result = self.result
        result.samples += 1
        result.rss.append(rss_mib(self._daemon.pid))
        for name in page.inputs():
            if lacking := page.unaccounted(name):
                result.problems.append(f"the account of {name} lacks {lacking:g}")
        self._ledger.read()
        return page

    def _settle(self) -> None:
        """Wait until nothing is under way, and as few files are open as at the start."""
        daemon, result = self._daemon, self.result

        def calm() -> bool:
            page = daemon.metrics()
            return not page.sum("logops_inflight") and not page.sum("logops_connections")

        daemon.wait_for(calm, "calm", SETTLE_SECONDS)
        with contextlib.suppress(AssertionError):
            daemon.wait_for(
                lambda: open_files(daemon.pid) <= result.files[0], "its files", SETTLE_SECONDS
            )
        result.files = (result.files[0], open_files(daemon.pid))

    def _check(self, running: list[senders.Sender]) -> None:
        """Compare what was sent, what the page says, and what is in the files."""
        result, daemon, ledger = self.result, self._daemon, self._ledger
        page = self._sample()
        if status := daemon.stop():
            result.problems.append(f"it ended with status {status}")
        ledger.read(last=True)
        result.problems += daemon.unexpected()
        if result.files[1] > result.files[0]:
            result.problems.append("files were left open")
        _, middle, last = result.memory()
        if last > middle + GROWTH_MIB:
            result.problems.append(f"memory grew from {middle:.1f} to {last:.1f} MiB")
        for name in page.inputs():
            accepted = int(page.sum("logops_accepted_total", input=name))
            if accepted != ledger.stored[name]:
                result.problems.append(f"{name}: {accepted} accepted, {ledger.stored[name]} stored")
            if dropped := int(page.sum("logops_dropped_total", input=name)):
                result.dropped[name] = dropped
        if kernel := int(page.sum("logops_udp_kernel_drops_total")):
            result.dropped["kernel"] = kernel
        result.stored = sum(ledger.stored.values())
        for sender in running:
            self._check_sender(sender, page)

    def _check_sender(self, sender: senders.Sender, page: Page) -> None:
        result, ledger, name = self.result, self._ledger, sender.name
        result.problems += [f"{name}: {failure}" for failure in sender.failures]
        if sender.is_alive():
            result.problems.append(f"{name} hangs")
        if isinstance(sender, senders.Rude):
            return
        result.sent[name] = sender.sent
        missing, beyond = ledger.missing(name, sender.sent), ledger.beyond(name, sender.sent)
        if isinstance(sender, senders.Datagrams):
            # Here a loss is no fault, if it is in the account.
            lost = page.sum("logops_dropped_total", input="unix", reason="backpressure")
            if name == "soak-udp":
                lost = page.sum("logops_dropped_total", input="udp", reason="backpressure")
                lost += page.sum("logops_udp_kernel_drops_total")
            if missing > lost:
                result.problems.append(f"{name}: {missing} missing, {lost:g} accounted for")
        elif missing or beyond:
            result.problems.append(f"{name}: {missing} missing, {beyond} not told as taken")
        if ledger.doubled[name]:
            result.problems.append(f"{name}: {ledger.doubled[name]} stored twice")

    # Faults

    def _next_fault(self) -> Callable[[], None]:
        """Give each of them once, in any order, before any comes again."""
        if not self._bag:
            self._bag = self._rng.sample(self._faults, len(self._faults))
        return self._bag.pop()

    def _reload(self) -> None:
        self._daemon.signal(signal.SIGHUP)

    def _move_file(self) -> None:
        """Move the file that is written to, as logrotate would."""
        newest = max(self._daemon.sink.glob("2*.ndjson"), key=lambda path: path.stat().st_mtime)
        newest.rename(newest.with_name(f"moved-{time.monotonic_ns()}.ndjson"))

    def _stop_and_go(self) -> None:
        """Let the daemon stand still, as a machine does that is out of memory."""
        self._daemon.signal(signal.SIGSTOP)
        time.sleep(STOPPED_SECONDS)
        self._daemon.signal(signal.SIGCONT)

    def _idle_peers(self) -> None:
        """Connect two hundred times, say half a word, and leave."""
        with contextlib.ExitStack() as stack:
            for _ in range(200):
                sock = stack.enter_context(socket.create_connection(self._daemon.address("tcp")))
                sock.sendall(b"<13>half a w")

    def _fill_disk(self) -> None:
        """Take all the room there is, for a while."""
        ballast = self._daemon.sink / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(b"x" * 65536):
                pass
        end = time.monotonic() + FULL_SECONDS
        while time.monotonic() < end:
            self._sample()
            time.sleep(SAMPLE_SECONDS)
        ballast.unlink()


@contextlib.contextmanager
def small_disk(path: Path) -> Iterator[bool]:
    """Mount a tmpfs; whether that was allowed."""
    path.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0700", "logopsd-soak"]
    try:
        done = subprocess.run([*command, str(path)], capture_output=True, check=False).returncode
    except FileNotFoundError:
        done = 1
    try:
        yield done == 0
    finally:
        if done == 0:
            subprocess.run(["umount", "--lazy", str(path)], check=True)


def settings(directory: Path, authority: Authority) -> dict[str, str]:
    """Return the settings: all inputs, small limits, so that they are reached."""
    server = authority.issue("localhost", dns=["localhost"])
    return {
        "LOGOPS_TLS_PORT": "any",
        "LOGOPS_TLS_CERT": str(server.cert),
        "LOGOPS_TLS_KEY": str(server.key),
        "LOGOPS_RELP_PORT": "any",
        "LOGOPS_UNIX_DGRAM": str(directory / "dgram"),
        "LOGOPS_UNIX_STREAM": str(directory / "stream"),
        "LOGOPS_SINK_DIR": str(directory / "d" / "data" / "ingest"),
        "LOGOPS_SINK_MAX_BYTES": "4MiB",
        "LOGOPS_SINK_HIGH_WATER": "2MiB",
        "LOGOPS_FSYNC": "1s",
    }


def soak(seconds: float, seed: int, calm: tuple[float, float] = CALM_SECONDS) -> Result:
    """Run once, in a directory of its own that is removed again."""
    with tempfile.TemporaryDirectory(prefix="logopsd-soak-") as made:
        directory = Path(made)
        authority = Authority(directory / "certificates")
        with small_disk(directory / "d" / "data") as is_disk:
            daemon = Daemon(directory / "d", settings(directory, authority))
            # A full disk is said as an error, and so are connections that break off over TLS.
            daemon.allowed |= {"sink stalled"}
            run = Soak(daemon, authority, seed=seed, is_disk=is_disk, calm=calm)
            try:
                return run.run(seconds)
            except AssertionError as error:
                run.result.problems.append(str(error))
                return run.result
            finally:
                daemon.end()


def main() -> int:
    """Run from the command line; 1 where something is not well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    args = parser.parse_args()
    print(f"soaking for {args.seconds:g} s, seed {args.seed}", flush=True)
    result = soak(args.seconds, args.seed)
    print("\n".join(result.lines()))
    return 1 if result.problems else 0


if __name__ == "__main__":
    sys.exit(main())
