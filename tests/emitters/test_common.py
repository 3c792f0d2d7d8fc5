"""What every emitter does alike: options, answers, errors, the end."""

import ast
import json
import signal
import socket
import subprocess
import sys
import time

import pytest

from emitters import common
from tests.emitters.helpers import (
    DEADLINE_SECONDS,
    EMITTERS,
    ROOT,
    command,
    http_receiver,
    run,
)
from tests.ports import free_port


@pytest.mark.parametrize("name", EMITTERS)
@pytest.mark.parametrize("as_module", [False, True])
def test_runs_as_a_file_and_as_a_module(name: str, as_module: bool) -> None:
    """`python emitters/X.py`, from any directory, is the same as `python -m emitters.X`."""
    with http_receiver() as receiver:
        done = run(name, "-n", "2", "--url", receiver.url, as_module=as_module)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == 'status: 200\nbody: {"accepted": 1}\n'
    assert [request.path for request in receiver.requests] == ["/v1/logs"]


@pytest.mark.parametrize("name", EMITTERS)
def test_help_names_each_option_and_an_example(name: str) -> None:
    """--help says what the emitter sends, its options and one line to copy."""
    done = run(name, "--help")

    assert done.returncode == 0
    for text in ("-n N", "--rate", "--seed", "--url", "--batch", f"example: {name}"):
        assert text in done.stdout


@pytest.mark.parametrize("name", EMITTERS)
def test_refused_connection_is_one_line_with_the_mend(name: str) -> None:
    """Where nobody listens the emitter says so, and what to do, in one line, and exits 1."""
    done = run(name, "--url", f"http://127.0.0.1:{free_port()}/v1/logs")

    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "connection refused" in done.stderr
    assert "make run" in done.stderr
    assert "--url" in done.stderr


@pytest.mark.parametrize("name", EMITTERS)
def test_bad_answer_is_shown_and_exits_1(name: str) -> None:
    """An answer other than 200 is printed as any other, and the exit status tells."""
    with http_receiver(503, b'{"error": "busy"}') as receiver:
        done = run(name, "--url", receiver.url)

    assert done.returncode == 1
    assert done.stdout == 'status: 503\nbody: {"error": "busy"}\n'
    assert "status 503" in done.stderr


def test_an_answer_that_is_no_http_exits_1() -> None:
    """A peer that hangs up without an answer is an error of one line, not a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with subprocess.Popen(
            command("emit_minimal", "-n", "1", "--url", url), stderr=subprocess.PIPE, text=True
        ) as process:
            peer, _ = server.accept()
            peer.recv(65536)
            peer.close()
            _, stderr = process.communicate(timeout=DEADLINE_SECONDS)

    assert process.returncode == 1
    assert len(stderr.splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_an_endless_run_quietly(number: signal.Signals) -> None:
    """-n 0 goes on until Ctrl-C, which is its ordinary end: no traceback, status 0."""
    with (
        http_receiver() as receiver,
        subprocess.Popen(
            command("emit_minimal", "-n", "0", "--batch", "1", "--url", receiver.url),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        for _ in range(5):
            assert process.stdout.readline() != ""
        process.send_signal(number)
        _, stderr = process.communicate(timeout=DEADLINE_SECONDS)

    assert (process.returncode, stderr) == (0, "")


def test_a_reader_that_left_is_no_error() -> None:
    """`emit_minimal -n 0 | head -1` ends without a traceback."""
    with (
        http_receiver() as receiver,
        subprocess.Popen(
            command("emit_minimal", "-n", "0", "--batch", "1", "--url", receiver.url),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        stderr = process.stderr.read()

    assert stderr == ""


def test_batches_split_a_run() -> None:
    """--batch sets how many records a request carries; a record alone is not a list."""
    with http_receiver() as receiver:
        done = run("emit_minimal", "-n", "5", "--batch", "2", "--url", receiver.url)

    bodies = [json.loads(request.body) for request in receiver.requests]
    assert done.returncode == 0
    assert [len(body) for body in bodies[:2]] == [2, 2]
    assert list(bodies[2]) == ["msg"]


@pytest.mark.parametrize(
    "bad",
    [
        ("-n", "-1"),
        ("-n", "many"),
        ("--rate", "-1"),
        ("--rate", "inf"),
        ("--rate", "nan"),
        ("--batch", "0"),
        ("--url", "ftp://127.0.0.1/"),
        ("--url", "http:///v1/logs"),
        ("--url", "http://127.0.0.1:nine/"),
    ],
)
def test_bad_options_are_refused(bad: tuple[str, str]) -> None:
    """A value that makes no sense is refused by name, with argparse's status 2."""
    done = run("emit_minimal", *bad)

    assert done.returncode == 2
    assert bad[0] in done.stderr


def test_rate_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a rate of 10 a second, 25 records leave as 10, 10 and 5 at 0, 1 and 2 seconds."""
    clock = [100.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", sleep)

    sizes = [(size, clock[0]) for size in common.paced(25, 500, 10.0)]

    assert sizes == [(10, 100.0), (10, 101.0), (5, 102.0)]


def test_emitters_know_the_standard_library_only() -> None:
    """They import the standard library and each other, and nothing of logopsd."""
    for path in (ROOT / "emitters").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                assert name.partition(".")[0] in {*sys.stdlib_module_names, "emitters"}, path
