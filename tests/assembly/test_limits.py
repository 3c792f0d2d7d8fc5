"""How many connections there is room for."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from logopsd.assembly.limits import RESERVED, connections, cores, worker_count
from tests.listeners.helpers import FakeLog, as_log


@pytest.mark.parametrize(
    ("wanted", "descriptors", "possible", "told"),
    [
        (100, 1024, 100, False),
        (10_000, 1024, 1024 - RESERVED, True),
        (0, 1024, 1024 - RESERVED, False),
        (10_000, resource.RLIM_INFINITY, 10_000, False),
        (5, 10, 1, True),
    ],
)
def test_descriptors_bound_connections(
    wanted: int, descriptors: int, possible: int, told: bool
) -> None:
    """What is wanted is had where there is room; less than that is told."""
    log = FakeLog()

    assert connections(wanted, descriptors, as_log(log)) == possible
    assert bool(log.events()) == told


CHILD = """
import resource
from logopsd.assembly.limits import raise_descriptors

_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (50, hard))
print(raise_descriptors() == hard, resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard))
"""


def test_all_descriptors_granted_are_taken() -> None:
    """The soft limit is 1024 on most systems, for the sake of select(), which we do not use."""
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=30)

    assert (done.stdout, done.stderr) == ("True True\n", "")


@pytest.mark.parametrize(
    ("quota", "allowed"),
    [
        ("max 100000", 64),
        ("250000 100000", 2),
        ("50000 100000", 1),
        ("9900000 100000", 64),
        ("nonsense", 64),
        (None, 64),
    ],
)
def test_cores_are_those_allowed_and_paid_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str | None, allowed: int
) -> None:
    """By affinity, and in a container by its quota; never none."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    if quota is not None:
        (tmp_path / "cpu.max").write_text(quota + "\n")
    assert cores(tmp_path / "cpu.max") == allowed


def test_auto_is_a_worker_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to the most there may be; a number is that number."""
    monkeypatch.setattr("logopsd.assembly.limits.cores", lambda: 96)
    assert worker_count("auto") == 64
    assert worker_count(3) == 3
