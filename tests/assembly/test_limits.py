"""How many connections there is room for."""

import resource
import subprocess
import sys

import pytest

from logopsd.assembly.limits import RESERVED, connections
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
