"""Syslog lines over UDP, TCP in both framings, and HTTP."""

import random
import re
import socket
import subprocess

import pytest

from emitters.emit_syslog import line
from tests.emitters.helpers import DEADLINE_SECONDS, command, http_receiver, run
from tests.ports import free_port

RFC3164 = re.compile(r"<\d{1,3}>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ [\w/.-]+\[\d+\]: .")
RFC5424 = re.compile(r"<\d{1,3}>1 \S+Z \S+ \S+ \d+ ID\d+ \[user@32473 .*\] .")


def test_rich_lines_are_of_either_rfc() -> None:
    """Without poor lines each is whole, by one RFC or the other."""
    lines = [line(random.Random(seed), 0.0) for seed in range(50)]

    assert all(RFC3164.match(text) or RFC5424.match(text) for text in lines)
    assert any(RFC3164.match(text) for text in lines)
    assert any(RFC5424.match(text) for text in lines)


def test_poor_lines_lack_a_part() -> None:
    """With a ratio of 1 no line is whole; some lack even the PRI."""
    lines = [line(random.Random(seed), 1.0) for seed in range(50)]

    assert not any(RFC3164.match(text) or RFC5424.match(text) for text in lines)
    assert any(not text.startswith("<") for text in lines)
    assert any(">1 - - - - - - " in text for text in lines)


def test_udp_sends_a_datagram_a_line() -> None:
    """Each line is one datagram, without a line feed, and the count is printed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(DEADLINE_SECONDS)
        to = f"udp://127.0.0.1:{server.getsockname()[1]}"
        done = run("emit_syslog", "-n", "7", "--seed", "1", "--to", to)
        lines = [server.recv(65536).decode() for _ in range(7)]

    assert (0, f"sent: 7 lines to {to}\n") == (done.returncode, done.stdout)
    assert not any("\n" in text for text in lines)


def received_over_tcp(*args: str, framing: str) -> bytes:
    """Run the emitter with 40 lines against a TCP receiver; return all that arrived."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        to = f"tcp://127.0.0.1:{server.getsockname()[1]}{framing}"
        with subprocess.Popen(
            command("emit_syslog", "-n", "40", *args, "--to", to), stdout=subprocess.PIPE, text=True
        ) as process:
            peer, _ = server.accept()
            with peer, peer.makefile("rb") as stream:
                data = stream.read()
            stdout, _ = process.communicate(timeout=DEADLINE_SECONDS)

    assert (process.returncode, stdout) == (0, f"sent: 40 lines to {to}\n")
    return data


@pytest.mark.parametrize("framing", ["", "?framing=lf"])
def test_tcp_ends_each_line_with_lf(framing: str) -> None:
    """LF after each line, the last one too; the sender waits until all was read."""
    data = received_over_tcp(framing=framing)

    assert len(data.splitlines()) == 40
    assert data.endswith(b"\n")


def test_tcp_counts_octets_where_asked() -> None:
    """The length before each message; a line without PRI, which nobody may count, ends in LF."""
    data = received_over_tcp("--partial-ratio", "0.5", "--seed", "1", framing="?framing=octet")

    counted, lines = 0, 0
    while data:
        if data[:1].isdigit():
            length, _, data = data.partition(b" ")
            frame, data = data[: int(length)], data[int(length) :]
            assert frame.startswith(b"<")
            counted += 1
        else:
            line, _, data = data.partition(b"\n")
            assert b"<" not in line[:1]
            lines += 1
    assert counted + lines == 40
    assert counted > lines > 0


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
def test_refused_is_one_line_with_the_mend(scheme: str) -> None:
    """Nobody listening is told for TCP and, as far as the kernel knows, for UDP."""
    done = run("emit_syslog", "-n", "3", "--to", f"{scheme}://127.0.0.1:{free_port()}")

    assert (done.returncode, done.stdout) == (1, "")
    assert "connection refused" in done.stderr
    assert "--to" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_by_http_the_lines_are_plain_text() -> None:
    """--url POSTs the lines as text/plain, a line each."""
    with http_receiver() as receiver:
        done = run("emit_syslog", "-n", "5", "--seed", "1", "--url", receiver.url)

    (request,) = receiver.requests
    assert (done.returncode, request.content_type) == (0, "text/plain")
    assert len(request.body.splitlines()) == 5


@pytest.mark.parametrize(
    "bad",
    [
        "http://127.0.0.1:80",
        "udp://127.0.0.1",
        "udp://:514",
        "tcp://127.0.0.1:70000",
        "udp://127.0.0.1:514?framing=octet",
        "tcp://127.0.0.1:514?framing=morse",
        "tcp://127.0.0.1:514?color=red",
    ],
)
def test_bad_targets_are_refused(bad: str) -> None:
    """An address that cannot be meant is refused with status 2."""
    done = run("emit_syslog", "--to", bad)

    assert done.returncode == 2
    assert "--to" in done.stderr


def test_to_and_url_exclude_each_other() -> None:
    """One run goes to one place."""
    done = run("emit_syslog", "--to", "udp://h:1", "--url", "http://h/")

    assert done.returncode == 2
