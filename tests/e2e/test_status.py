"""`logopsd status` against a running daemon, and without one."""

import json
import os
import pty
import re
import subprocess
from pathlib import Path

from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import Daemon, clean_environment, logopsd, run


def test_status_shows_the_running_daemon(daemon: Daemon) -> None:
    """What was sent stands in the table, as JSON too, and senders in theirs."""
    daemon.send_udp(b"<13>Oct 11 22:14:15 web1 app: one", b"<13>Oct 11 22:14:15 web2 app: two")
    daemon.send_tcp(b"<13>three\n")
    daemon.wait_records(3)
    url = daemon.url("", "metrics")

    table = run(logopsd("status", "--url", url)).stdout.decode()
    found = json.loads(run(logopsd("status", "--url", url, "--json", "--sources")).stdout)
    senders = run(logopsd("status", "--url", url, "--sources")).stdout.decode()

    assert re.search(r"^udp +2 +2 +0 +0 +0 +0 +0$", table, re.MULTILINE)
    assert "account   closes" in table
    assert found["inputs"]["tcp"]["accepted"] == 1
    assert {s["host"] for s in found["sources"]["sources"]} == {"web1", "web2", None}
    assert "web1" in senders
    assert max(map(len, (table + senders).splitlines())) <= 80
    assert "\x1b" not in table + senders


def test_status_finds_the_daemon_by_its_settings(make_daemon: MakeDaemon) -> None:
    """Without --url the side port is that of the settings; a port of 0 is told."""
    daemon = make_daemon().start()
    settings = {"LOGOPS_METRICS_PORT": daemon.port("metrics"), "LOGOPS_METRICS_BIND": "127.0.0.1"}
    table = status(settings, daemon.directory)
    assert (table.returncode, b"receiving" in table.stdout) == (0, False)
    assert b"udp" in table.stdout

    off = status({"LOGOPS_METRICS_PORT": "0"}, daemon.directory)
    assert (off.returncode, off.stdout) == (1, b"")
    assert b"the daemon has no side port; set one, or name" in off.stderr


def test_status_without_a_daemon_says_how_to_mend_it(daemon: Daemon, tmp_path: Path) -> None:
    """Exit status 1 and one line on standard error; 2 for a URL that is none."""
    url = daemon.url("", "metrics")
    assert daemon.stop() == 0

    gone = subprocess.run(logopsd("status", "--url", url), capture_output=True, check=False)
    assert (gone.returncode, gone.stdout) == (1, b"")
    assert gone.stderr.decode().count("\n") == 1
    assert b"systemctl start logopsd" in gone.stderr

    wrong = subprocess.run(logopsd("status", "--url", "ftp://x"), capture_output=True, check=False)
    assert (wrong.returncode, b"must look like http://" in wrong.stderr) == (2, True)


def test_status_is_in_colour_on_a_terminal_alone(daemon: Daemon) -> None:
    """A pseudo-terminal gets colour, and none with NO_COLOR."""
    url = daemon.url("", "metrics")
    assert "\x1b[1m" in on_terminal(url, {})
    assert "\x1b[" not in on_terminal(url, {"NO_COLOR": "1"})


def status(settings: dict[str, str], directory: Path) -> subprocess.CompletedProcess[bytes]:
    """Run the command with these settings."""
    env = clean_environment(settings)
    return subprocess.run(
        logopsd("status"), env=env, cwd=directory, capture_output=True, check=False
    )


def on_terminal(url: str, environ: dict[str, str]) -> str:
    """Run the command in a terminal; what it printed there."""
    master, slave = pty.openpty()
    try:
        env = {**clean_environment({}), "TERM": "xterm", **environ}
        env = {k: v for k, v in env.items() if k != "NO_COLOR" or k in environ}
        done = subprocess.run(
            logopsd("status", "--url", url), env=env, stdout=slave, stderr=slave, check=False
        )
        assert done.returncode == 0
        return os.read(master, 65536).decode()
    finally:
        os.close(master)
        os.close(slave)
