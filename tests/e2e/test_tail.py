"""`logopsd tail` beside a running daemon: in a pipe, in a terminal, and at its end."""

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import (
    DEADLINE_SECONDS,
    STOP_SECONDS,
    Daemon,
    clean_environment,
    end,
    logopsd,
    need,
    run,
    wait_for,
)


@contextlib.contextmanager
def at_a_terminal(
    command: list[str], directory: Path, **environ: str
) -> Iterator[tuple["subprocess.Popen[bytes]", "Screen"]]:
    """Run a command in a terminal of 80 columns."""
    master, slave = pty.openpty()
    env = {**clean_environment({}), "TERM": "xterm", **environ}
    child = subprocess.Popen(command, cwd=directory, env=env, stdout=slave, stderr=slave)
    os.close(slave)
    try:
        yield child, Screen(master)
    finally:
        end(child)
        os.close(master)


class Screen:
    """What a terminal was sent."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self.text = ""

    def wait_for(self, text: str) -> str:
        """Read until a text is there; return all that came."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while text not in self.text:
            assert select.select([self._terminal], [], [], deadline - time.monotonic())[0], (
                self.text
            )
            self.text += os.read(self._terminal, 65536).decode()
        return self.text


def test_a_terminal_gets_colours_and_no_controls(daemon: Daemon) -> None:
    """By level, cut to its width; what a message brings of escapes is text. Ctrl-C ends it."""
    daemon.send_tcp(
        b"<11>app: a\x1b[2J\x1b]0;owned\x07b " + b"x" * 200 + b"\n<14>app: all is well\n"
    )
    daemon.wait_records(2)
    with at_a_terminal(logopsd("tail"), daemon.directory) as (child, screen):
        screen.wait_for("all is well\r\n")
        daemon.send_udp(b"<10>app: it comes later")
        text = screen.wait_for("it comes later")
        screen.wait_for("\x1b[0m\r\n")
        child.send_signal(signal.SIGINT)
        assert child.wait(STOP_SECONDS) == 130
    assert re.search(
        r"\x1b\[31m\d\d:\d\d:\d\d ERROR    app: a\\x1b\[2J\\x1b\]0;owned\\x07b x+~\x1b\[0m", text
    )
    assert re.search(r"\x1b\[1;31m\d\d:\d\d:\d\d CRITICAL app: it", text)
    assert "Traceback" not in screen.text
    plain = re.sub(r"\x1b\[[\d;]*m", "", screen.text)
    assert "\x1b" not in plain
    assert "\x07" not in plain


def test_no_color_and_filters(daemon: Daemon) -> None:
    """Of what is there, and then the end."""
    daemon.send_tcp(b"<11>shop: one\n<14>shop: two\n<11>mail: three\n")
    daemon.wait_records(3)
    args = ("tail", "--no-follow", "--level", "warn", "--emitter", "shop", "--since", "1h")
    with at_a_terminal(logopsd(*args), daemon.directory, NO_COLOR="1") as (child, screen):
        screen.wait_for("shop: one\r\n")
        assert child.wait(DEADLINE_SECONDS) == 0
    assert screen.text.count("\n") == 1
    assert "\x1b" not in screen.text


def test_a_pipe_gets_what_is_stored(daemon: Daemon) -> None:
    """With --json, byte for byte, as it comes; over a size rotation in tests of its own."""
    daemon.send_udp(b"<13>app: mail from bob@example.com")
    daemon.wait_records(1)
    child = subprocess.Popen(
        logopsd("tail", "--json", "-n", "5"),
        cwd=daemon.directory,
        env=clean_environment({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        first = child.stdout.readline()
        daemon.send_udp(b"<13>app: two")
        assert first + child.stdout.readline() == daemon.raw()
        child.stdout.close()  # nothing more comes, and it ends all the same, in quiet
        child.wait(STOP_SECONDS)
        assert child.stderr is not None
        assert child.stderr.read() == b""
    finally:
        end(child)
        assert child.stderr is not None
        child.stderr.close()


def test_pieces_of_a_running_daemon_come_in_order(make_daemon: MakeDaemon) -> None:
    """While files of 4 KiB fill, one after the other."""
    daemon = make_daemon({"LOGOPS_SINK_MAX_BYTES": "4KiB"}).start()
    out = daemon.directory / "shown"
    with out.open("wb") as stdout:
        child = subprocess.Popen(
            logopsd("tail", "--json", "--since", "1h"),
            cwd=daemon.directory,
            env=clean_environment({}),
            stdout=stdout,
        )
    try:
        for start in range(0, 100, 10):
            daemon.send_tcp(b"".join(b"<13>app: number %d\n" % n for n in range(start, start + 10)))
        daemon.wait_records(100)
        wait_for(lambda: out.read_bytes().count(b"\n") >= 100, "the lines in the pipe")
    finally:
        end(child)
    assert len(list(daemon.sink.glob("*-*.ndjson"))) > 2
    shown = [int(n) for n in re.findall(rb'"msg":"number (\d+)"', out.read_bytes())]
    assert shown == list(range(100))


def clock_from(moment: str) -> dict[str, str]:
    """Return the environment of a process whose clock begins there.

    faketime itself would stand between us and the process, and not end it.
    """
    told = run([need("faketime"), "--exclude-monotonic", "-f", f"@{moment}", "env"]).stdout.decode()
    values = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    names = ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC")
    return {name: values[name] for name in names}


def test_midnight_of_a_running_daemon(make_daemon: MakeDaemon) -> None:
    """The clock of both passes it while records come; each is shown once, in order."""
    daemon = make_daemon()
    daemon.env |= {"TZ": "UTC"} | clock_from("2026-11-23 23:59:57")
    daemon.start()
    out = daemon.directory / "shown"
    with out.open("wb") as stdout:
        child = subprocess.Popen(
            logopsd("tail", "--json", "--emitter", "app", "-n", "1000"),
            cwd=daemon.directory,
            env=daemon.env,
            stdout=stdout,
        )
    sent = 0
    try:
        while not (daemon.sink / "20261124.ndjson").exists():
            daemon.send_udp(b"<13>app: number %d" % sent)
            sent += 1
            time.sleep(0.05)  # the clock is what is waited for
            assert sent < 1000
        wait_for(lambda: out.read_bytes().count(b"\n") >= sent, "the lines in the pipe")
    finally:
        end(child)
    assert (daemon.sink / "20261123.ndjson").stat().st_size
    shown = [int(n) for n in re.findall(rb'"msg":"number (\d+)"', out.read_bytes())]
    assert shown == list(range(sent))


def test_without_files_it_says_so(make_daemon: MakeDaemon) -> None:
    """Where the settings write none."""
    directory = make_daemon().directory
    directory.mkdir()
    done = subprocess.run(
        logopsd("tail"),
        cwd=directory,
        env=clean_environment({"LOGOPS_SINK_FILE": "false"}),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"LOGOPS_SINK_FILE is false" in done.stderr
