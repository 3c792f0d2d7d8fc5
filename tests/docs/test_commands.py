"""The page of the daemon names every command and every exit status."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from logopsd import cli

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "services" / "logopsd.md").read_text()


def help_text() -> str:
    """Return what `logopsd --help` prints."""
    command = [sys.executable, "-m", "logopsd", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)
    return done.stdout


def test_every_command_has_its_row() -> None:
    """Each that `logopsd --help` lists."""
    commands = re.findall(r"^    ([a-z]+) ", help_text(), re.MULTILINE)

    assert {"serve", "check", "housekeep"} <= set(commands)
    for command in commands:
        assert re.search(rf"^\| `{command}\b", PAGE, re.MULTILINE), command


@pytest.mark.parametrize(
    "status", [cli.OK, cli.FAILURE, cli.USAGE, cli.CONFIG, cli.INTERRUPTED], ids=str
)
def test_every_exit_status_has_its_row(status: int) -> None:
    """With what it means."""
    assert f"\n| {status} | " in PAGE
