"""Killed at random moments, the daemon keeps every record that it acknowledged."""

from pathlib import Path

from tests.e2e.harness import need
from tests.e2e.kill import kill_rounds

ROUNDS = 6
"""`make kill` does 200."""


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    """HTTP clients and rsyslogd by RELP: after each SIGKILL all that was answered is there."""
    need("rsyslogd")
    figures = kill_rounds(tmp_path, ROUNDS, seed=7)
    print(figures)

    assert figures.missing == []
    assert figures.unanswered > 0  # else nothing was shown
    assert figures.acknowledged > 50 * ROUNDS
