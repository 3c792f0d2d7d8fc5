import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import logopsd
from logopsd.commands import status
from logopsd.commands.status import SidePort, parse
from logopsd.errors import LogopsError
from logopsd.figures.metrics import Metrics


@contextlib.contextmanager
def serving(answers: Mapping[str, tuple[int, bytes]]) -> Iterator[str]:
    """Serve these answers by path; gives the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, body = answers.get(self.path, (404, b"{}"))
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def page() -> bytes:
    """Make the page of a daemon that took something over UDP."""
    metrics = Metrics()
    udp = metrics.input("udp")
    udp.received, udp.accepted, udp.inflight, udp.connections = 10, 6, 1, 0
    udp.drop("backpressure", 3)
    udp.fault("resync", 2)
    metrics.input("tcp")
    metrics.kernel_dropped(5)
    metrics.sources_silent = 1
    return metrics.page(None)[0]


def test_a_page_is_read():
    """Every figure of the account, by input, and what belongs to none."""
    found = parse(page().decode())

    udp = found["inputs"]["udp"]
    assert (udp["received"], udp["accepted"], udp["dropped"], udp["inflight"]) == (10, 6, 3, 1)
    assert (udp["dropped_by"], udp["malformed_by"]) == ({"backpressure": 3}, {"resync": 2})
    assert (udp["unaccounted"], found["inputs"]["tcp"]["unaccounted"]) == (0, 0)
    assert found["version"] == logopsd.__version__
    assert (found["kernel_drops"], found["sources"]["silent"]) == (5, 1)
    assert found["process"]["resident_bytes"] > 1_000_000


def test_an_account_that_does_not_close_is_seen():
    """What is lacking stands beside the figures."""
    metrics = Metrics()
    metrics.input("udp").received = 4
    assert parse(metrics.page(None)[0].decode())["inputs"]["udp"]["unaccounted"] == 4


@pytest.mark.parametrize("text", ["", "<html>hello</html>", "a{b=", "x 1\ny z\n", "{}"])
def test_another_page_is_no_status(text):
    """Whatever it is, nothing breaks, and no daemon is found in it."""
    assert parse(text)["version"] == ""


def test_the_side_port_is_asked():
    """Status and state in one; the table of senders by itself."""
    answers = {
        "/metrics": (200, page()),
        "/readyz": (503, b'{"status": "not ready", "reason": "the sink is full"}'),
        "/sources": (200, b'{"sources": [], "now": 1}'),
    }
    with serving(answers) as url:
        port = SidePort(f"{url}/metrics")
        found = port.status()
        assert port.sources()["now"] == 1

    assert (found["url"], found["state"]) == (url, "the sink is full")


@pytest.mark.parametrize(
    ("answers", "mend"),
    [
        ({}, "answered 404; name the side port"),
        ({"/metrics": (200, b"hello")}, "not the side port of a logopsd"),
        ({"/metrics": (500, b"")}, "answered 500"),
    ],
)
def test_what_is_no_daemon_is_told_with_its_mend(answers, mend):
    """Another program's port is not taken for a daemon's."""
    with serving(answers) as url, pytest.raises(LogopsError, match=mend):
        SidePort(url).status()


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff"])
def test_what_is_no_table_of_senders_is_told(body):
    """A daemon that knows no senders yet is older."""
    with serving({"/sources": (200, body)}) as url, pytest.raises(LogopsError, match="no table"):
        SidePort(url).sources()


def test_a_daemon_that_is_not_there_is_told_with_the_mend():
    """Nobody listens: start it, or name another."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(LogopsError, match="systemctl start logopsd"):
            SidePort(f"127.0.0.1:{port}").status()


def test_a_program_that_never_answers_is_not_waited_for(monkeypatch):
    """A daemon that hangs is told as such."""
    monkeypatch.setattr(status, "TIMEOUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = SidePort(f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(LogopsError, match="does it hang"):
            port.status()


def test_what_speaks_no_http_is_told():
    """An answer of another protocol is no daemon's side port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            sock, _ = server.accept()
            with sock:
                sock.recv(4096)
                sock.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        port = SidePort(f"http://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(LogopsError, match="no HTTP"):
            port.status()
        thread.join()


def test_a_host_that_is_none_is_told():
    """A name that nobody knows is no daemon."""
    with pytest.raises(LogopsError, match="name another"):
        SidePort("http://no-such-host.invalid:9514").status()


@pytest.mark.parametrize("url", ["ftp://h:1", "http://", "http://h:99999", "http://h:x"])
def test_a_url_that_is_none_is_refused(url):
    """Before anything is asked."""
    with pytest.raises(ValueError, match=r".+"):
        SidePort(url)


def test_a_password_in_a_url_is_not_shown():
    """What is printed holds no secret."""
    assert SidePort("http://user:secret@h:1/metrics").url == "http://h:1"
