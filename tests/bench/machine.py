"""The machine that is measured on: its cores, and what the kernel says of a process."""

import os
import platform
import sys
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process with all its threads (proc(5), stat 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_rss_mib(pid: int) -> float:
    """Return the largest resident size of a process so far (VmHWM of proc(5))."""
    return _status_mib(pid, "VmHWM:")


def rss_mib(pid: int) -> float:
    """Return the resident size of a process now (VmRSS of proc(5))."""
    return _status_mib(pid, "VmRSS:")


def _status_mib(pid: int, name: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition(name)[2].split()[0]) / 1024


def take_a_core() -> int:
    """Pin this process, the sender, to the first core; return the last one, for what is measured.

    They are the same where there is but one, and that is said.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        print("one core only: the sender takes its share of it", file=sys.stderr)
    os.sched_setaffinity(0, {cores[0]})
    return cores[-1]


def go_first() -> None:
    """Have all that this session starts go before the other programs of the machine; as root.

    A session is a group of its own for the scheduler, of which each gets the same share whatever
    the niceness of what is in it (autogroup of sched(7)).
    """
    try:
        Path("/proc/self/autogroup").write_text("-15")
    except OSError as error:
        raise SystemExit(f"/proc/self/autogroup: {error.strerror}; --urgent wants root") from None


def machine() -> str:
    """Return what the figures were measured on."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"Python {platform.python_version()}, Linux {platform.release()}, {model}"


def progress(text: str) -> None:
    """Show on a terminal what is being measured; an empty text clears the line."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
