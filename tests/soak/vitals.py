"""What /proc says of a process: its memory and its open files."""

import os
from pathlib import Path


def _status(pid: int, field: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition(f"{field}:")[2].split()[0])


def rss_mib(pid: int) -> float:
    """Return the resident size of a process now (VmRSS of proc(5))."""
    return _status(pid, "VmRSS") / 1024


def peak_rss_mib(pid: int) -> float:
    """Return the largest resident size of a process so far (VmHWM of proc(5))."""
    return _status(pid, "VmHWM") / 1024


def open_files(pid: int) -> int:
    """Return how many descriptors a process has."""
    return len(os.listdir(f"/proc/{pid}/fd"))
