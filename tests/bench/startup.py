"""How long the daemon takes to start, what it costs when nothing is sent, and its imports.

`python -m tests.bench.startup` lists the modules whose import takes longest.
"""

import re
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.bench.machine import rss_mib, take_a_core
from tests.bench.rivals import SETTLE_SECONDS
from tests.bench.throughput import Values
from tests.e2e.harness import Daemon

START_SECONDS = 30.0
IMPORTS = 25  # modules listed
_IMPORT = re.compile(r"^import time: +(\d+) \| +(\d+) \| +(\S+)$", re.M)


def measure(directory: Path, cpu: int, seconds: float) -> Values:
    """Start the daemon twice, and leave it alone the second time.

    The first start leaves compiled bytecode, as an installation does.

    Returns:
        `ready`: milliseconds from the start of the process to READY=1 (sd_notify(3)); `busy`: of
        CPU until then, which a busy machine changes less; `idle`: its share of a core with nothing
        to do; `rss`: MiB then.
    """
    with _started(directory / "first", cpu, directory / "bytecode"):
        time.sleep(SETTLE_SECONDS)  # once it is ready, it imports more
    with _started(directory / "second", cpu, directory / "bytecode") as (daemon, ready):
        busy = _run_seconds(daemon.pid)
        time.sleep(SETTLE_SECONDS)
        used, begin = _run_seconds(daemon.pid), time.monotonic()
        time.sleep(seconds)
        idle = (_run_seconds(daemon.pid) - used) / (time.monotonic() - begin)
        return {"ready": ready * 1e3, "busy": busy * 1e3, "idle": idle, "rss": rss_mib(daemon.pid)}


@contextmanager
def _started(
    directory: Path, cpu: int, bytecode: Path, **settings: str
) -> Iterator[tuple[Daemon, float]]:
    """Start a daemon on its defaults; yield it and the seconds until it was ready."""
    directory.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(directory / "notify"))
        notify.settimeout(START_SECONDS)
        daemon = Daemon(directory, {"NOTIFY_SOCKET": str(directory / "notify")} | settings, cpu=cpu)
        daemon.env.pop("PYTHONDONTWRITEBYTECODE", None)
        daemon.env["PYTHONPYCACHEPREFIX"] = str(bytecode)
        begin = time.monotonic()
        daemon.spawn()
        try:
            while b"READY=1" not in notify.recv(4096):
                pass
            yield daemon, time.monotonic() - begin
        finally:
            daemon.end()


def _run_seconds(pid: int) -> float:
    """Return the time on a core of all threads there are, to the nanosecond (schedstat)."""
    nanoseconds = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended between list and look
            nanoseconds += int(task.read_text().split()[0])
    return nanoseconds / 1e9


def imports(directory: Path, cpu: int) -> list[tuple[str, float, float]]:
    """Return module, own and total milliseconds of each import, the dearest of its own first."""
    with _started(directory / "first", cpu, directory / "bytecode"):
        pass
    timed = directory / "timed"
    with _started(timed, cpu, directory / "bytecode", PYTHONPROFILEIMPORTTIME="1") as (daemon, _):
        found = _IMPORT.findall(daemon.log_text())
    rows = [(name, int(own) / 1e3, int(total) / 1e3) for own, total, name in found]
    return sorted(rows, key=lambda row: -row[1])


def main() -> int:
    """Print the dearest imports."""
    core = take_a_core()
    with tempfile.TemporaryDirectory(prefix="logopsd-bench-") as directory:
        rows = imports(Path(directory), core)
    print(f"{len(rows)} modules, {sum(own for _, own, _ in rows):.0f} ms")
    for name, own, total in rows[:IMPORTS]:
        print(f"{own:8.2f} ms  {total:8.2f} ms with what it imports  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
