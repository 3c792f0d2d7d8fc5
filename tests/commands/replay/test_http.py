"""Posting to a server that answers as it is told, with a clock of the test's own."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator

import pytest

from logopsd.commands.replay import http
from logopsd.commands.replay.http import HttpTarget
from logopsd.errors import LogopsError

LINES = [b'{"msg":"1"}\n', b'{"msg":"2"}\n']


def answer(status: int, head: str = "", **told: object) -> bytes:
    """An answer."""
    body = json.dumps(told).encode()
    return b"HTTP/1.1 %d x\r\n%sContent-Length: %d\r\n\r\n%s" % (
        status,
        head.encode(),
        len(body),
        body,
    )


class Server:
    """Gives an answer a request, in order; closes the connection behind one that is cut."""

    def __init__(self, *answers: bytes) -> None:
        self.requests: list[tuple[bytes, bytes]] = []
        self.connections = 0
        self._answers = list(answers)
        self._sock = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._sock.getsockname()[1]}"

    def close(self) -> None:
        """End it."""
        self._sock.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._sock.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._sock.accept()
                self.connections += 1
                with connection, connection.makefile("rb") as file:
                    while self._answers and self._request(file):
                        data = self._answers.pop(0)
                        connection.sendall(data)
                        if b"\r\n\r\n" not in data:
                            break

    def _request(self, file: "socket.SocketIO") -> bool:
        head, length = b"", 0
        while (line := file.readline()) not in (b"", b"\r\n"):
            head += line
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        if head:
            self.requests.append((head, file.read(length)))
        return bool(head)


class Time:
    """A clock that goes when it is slept."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Let it go."""
        self.now += seconds
        self.slept.append(seconds)


@contextlib.contextmanager
def posting(
    *answers: bytes, token: str = "", path: str = ""
) -> Iterator[tuple[HttpTarget, Server, Time]]:
    """A target before such a server."""
    server, time = Server(*answers), Time()
    target = HttpTarget(server.url + path, token=token, clock=lambda: time.now, sleep=time.sleep)
    try:
        yield target, server, time
    finally:
        target.close()
        server.close()


def test_lines_are_posted_and_counted_as_answered() -> None:
    """On one connection, with the token, to the path of a receiver."""
    answers = [answer(200, accepted=2), answer(200, accepted=1, rejected=1), answer(204)]
    with posting(*answers, token="secret") as (target, server, time):
        for _ in answers:
            target.send(LINES)

    head, body = server.requests[0]
    assert head.startswith(b"POST /v1/logs HTTP/1.1\r\n")
    assert b"Authorization: Bearer secret\r\n" in head
    assert b"application/x-ndjson" in head
    assert body == b"".join(LINES)
    assert (target.sent.taken, target.sent.rejected, target.sent.perhaps_twice) == (5, 1, 0)
    assert (server.connections, time.slept) == (1, [])


def test_a_path_of_its_own_is_kept() -> None:
    """And no token is sent where there is none."""
    with posting(answer(200), path="/in/here") as (target, server, _):
        target.send(LINES)
    assert server.requests[0][0].startswith(b"POST /in/here ")
    assert b"Authorization" not in server.requests[0][0]


def test_who_cannot_now_is_asked_again_when_it_says() -> None:
    """By Retry-After where there is one that can be believed, else after pauses that grow."""
    answers = [
        answer(503, "Retry-After: 3\r\n"),
        answer(503),
        answer(429, "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n"),
        answer(502, "Retry-After: 999999999\r\n"),
        answer(200, accepted=2),
    ]
    with posting(*answers) as (target, server, time):
        target.send(LINES)
    assert time.slept == [3, 0.2, 0.4, http.MAX_RETRY_AFTER_SECONDS]
    assert (len(server.requests), target.sent.taken, target.sent.perhaps_twice) == (5, 2, 0)


def test_a_connection_that_breaks_before_the_answer_may_double() -> None:
    """The lines go again, and that is counted."""
    with posting(b"", b"HTTP/1.1 2", answer(200, accepted=2)) as (target, _, _):
        target.send(LINES)
    assert (target.sent.taken, target.sent.perhaps_twice) == (2, 4)


def test_a_connection_that_lay_idle_is_made_anew() -> None:
    """So that nothing is sent into one that the receiver has closed."""
    with posting(answer(200), answer(200)) as (target, server, time):
        target.send(LINES)
        time.now += http.IDLE_SECONDS + 1
        target.send(LINES)
    assert (server.connections, target.sent.perhaps_twice) == (2, 0)


def test_patience_ends() -> None:
    """With what was in the way; nothing was sent, so nothing can be doubled."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    time = Time()
    url = f"http://user:secret@127.0.0.1:{port}"
    target = HttpTarget(url, token="", clock=lambda: time.now, sleep=time.sleep)
    with pytest.raises(LogopsError, match="took nothing in 120 s: Connection refused") as caught:
        target.send(LINES)
    assert "secret" not in str(caught.value)
    assert time.now <= http.PATIENCE_SECONDS
    assert target.sent.perhaps_twice == 0


def test_what_will_never_be_taken_is_an_error() -> None:
    """With the receiver's own words, which cannot control a terminal."""
    with (
        posting(answer(401, detail="no\x1b token")) as (target, _, _),
        pytest.raises(LogopsError, match=r"answers 401: no\\x1b token"),
    ):
        target.send(LINES)


def test_a_batch_of_bad_lines_alone_is_counted() -> None:
    """A receiver answers 400 then; the next batch may be good. Suppressed ones are not stored."""
    answers = [answer(400, accepted=0, rejected=2), answer(200, accepted=1, suppressed=1)]
    with posting(*answers) as (target, _, _):
        target.send(LINES)
        target.send(LINES)
    assert (target.sent.taken, target.sent.rejected) == (1, 3)


def test_answers_that_are_no_json_are_answers() -> None:
    """By their status."""
    odd = [
        b"HTTP/1.1 200 x\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 x\r\nContent-Length: 1\r\n\r\n1",
    ]
    with posting(*odd) as (target, _, _):
        target.send(LINES)
        target.send(LINES)
    assert target.sent.taken == 4


def test_https_is_spoken_where_it_is_asked_for() -> None:
    """With certificates checked."""
    target = HttpTarget("https://127.0.0.1:1", token="", clock=lambda: 0.0, sleep=lambda _: None)
    assert isinstance(target._connection, http.http.client.HTTPSConnection)
