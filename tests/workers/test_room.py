"""Who has one worker pays for none of this."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SERVE = """
import sys
from logopsd import cli, daemon
daemon.run = lambda *args, **more: 0
assert cli.main([]) == 0
sys.exit("logopsd.workers" in sys.modules)
"""


@pytest.mark.parametrize("workers", ["", "1"])
def test_one_worker_loads_nothing_of_this_room(tmp_path: Path, workers: str) -> None:
    """Not even its package."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("LOGOPS_")}
    environ |= {"PYTHONPATH": str(ROOT)} | ({"LOGOPS_WORKERS": workers} if workers else {})
    done = subprocess.run([sys.executable, "-c", SERVE], env=environ, cwd=tmp_path, check=False)
    assert done.returncode == 0


def test_a_worker_that_nobody_started_says_so(tmp_path: Path) -> None:
    """By hand there is no one at the other end."""
    done = subprocess.run(
        [sys.executable, "-m", "logopsd.workers"],
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, b"set LOGOPS_WORKERS" in done.stderr) == (1, True)
