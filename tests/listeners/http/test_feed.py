"""An answer that goes on: its head, its end, and a client that takes it slowly or not at all."""

from logopsd.listeners.http.feed import Outlet, feed_response
from logopsd.listeners.http.messages import Request, Respond, Response, Route
from logopsd.listeners.http.service import Limits
from tests.listeners.http.helpers import Client, get, head, in_loop, post

LIMITS = Limits(stall_seconds=30.0, idle_seconds=75.0)


class Ticker:
    """A feed that writes when the test says so."""

    def __init__(self) -> None:
        self.outlets: list[Outlet] = []
        self.ended: list[Outlet] = []

    def begin(self, outlet: Outlet) -> None:
        """Write a first piece."""
        self.outlets.append(outlet)
        outlet.write(b"one\n")

    def end(self, outlet: Outlet) -> None:
        """Remember it."""
        self.ended.append(outlet)

    def __call__(self, _: Request, respond: Respond) -> None:
        """Serve as a route."""
        respond(feed_response(self, content_type="text/plain", headers=(("X-A", "b"),)))


def client_of(ticker: Ticker) -> Client:
    """Give a client of it, at /feed."""
    return Client({("GET", "/feed"): Route(ticker)}, limits=LIMITS)


def test_it_goes_on_behind_its_head() -> None:
    """The head tells no length and that the connection ends with it; pieces follow as written."""
    ticker = Ticker()
    client = client_of(ticker).send(get("/feed"))
    assert client.received == (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-A: b\r\nConnection: close\r\n\r\none\n"
    )
    ticker.outlets[0].write(b"two\n")
    assert client.received.endswith(b"\r\n\r\none\ntwo\n")
    assert not client.is_ended
    ticker.outlets[0].end()
    assert client.transport.closed
    assert ticker.ended == ticker.outlets


def test_it_has_no_deadline_while_it_is_taken() -> None:
    """Neither silence of the client's nor of ours ends it."""
    ticker = Ticker()
    client = client_of(ticker).send(get("/feed")).wait(1000)
    assert not client.is_ended
    assert ticker.ended == []


def test_a_client_that_takes_nothing_is_let_go() -> None:
    """Who writes is told that it does not; after a while the connection is aborted."""
    ticker = Ticker()
    client = client_of(ticker).send(get("/feed"))
    client.connection.pause_writing()
    assert not ticker.outlets[0].is_ready
    client.wait(10).connection.resume_writing()
    assert ticker.outlets[0].is_ready
    client.wait(100)
    assert not client.is_ended
    client.connection.pause_writing()
    client.wait(29)
    assert not client.is_ended
    client.wait(2)
    assert client.transport.aborted


def test_a_client_that_goes_ends_it() -> None:
    """The feed is told once, and what it writes then goes nowhere."""
    ticker = Ticker()
    client = client_of(ticker).send(get("/feed"))
    client.connection.connection_lost(None)
    before = client.received
    ticker.outlets[0].write(b"two\n")
    ticker.outlets[0].end()
    assert ticker.ended == ticker.outlets
    assert client.received == before


def test_a_client_that_has_no_more_to_say_still_listens() -> None:
    """Half a connection is enough for it, as with `nc`."""
    ticker = Ticker()
    client = client_of(ticker).send(get("/feed")).end()
    ticker.outlets[0].write(b"two\n")
    assert client.received.endswith(b"two\n")
    assert not client.transport.closed


def test_head_begins_nothing() -> None:
    """The same head, and the connection ends, as that head says."""
    ticker = Ticker()
    client = client_of(ticker).send(head("HEAD", "/feed"))
    assert client.received.endswith(b"X-A: b\r\nConnection: close\r\n\r\n")
    assert ticker.outlets == []
    assert client.is_ended


def test_nothing_is_read_behind_it() -> None:
    """What is sent later is thrown away, however much; requests in the same read are forgotten."""
    ticker = Ticker()
    client = client_of(ticker).send(get("/feed") + get("/feed"), b"x" * 300_000, post(b"a"))
    assert len(ticker.outlets) == 1
    assert client.received.count(b"HTTP/1.1") == 1
    client.connection.pause_writing()
    assert client.transport.reading


def test_http_1_0_is_served_as_well() -> None:
    """Its clients know of no other end than that of the connection."""
    ticker = Ticker()
    client = client_of(ticker).send(get("/feed", "Connection: keep-alive", version="1.0"))
    assert b"Connection: close\r\n" in client.received
    assert client.received.endswith(b"one\n")


def test_the_end_of_the_daemon_ends_it() -> None:
    """It would not end by itself; what was written is flushed by the closing."""
    ticker = Ticker()
    client = client_of(ticker).send(get("/feed"))
    client.service.draining = True
    client.connection.drain()
    assert client.transport.closed
    assert not client.transport.aborted
    assert ticker.ended == ticker.outlets


def test_a_feed_that_fails_costs_its_connection_alone() -> None:
    """It is a bug, told by its type."""

    class Broken(Ticker):
        def begin(self, outlet: Outlet) -> None:
            raise ValueError("secret")

    client = client_of(Broken()).send(get("/feed"))
    assert client.transport.aborted
    assert client.log.events == [
        {"level": "error", "event": "http_feed_failed", "type": "ValueError"}
    ]


def test_its_turn_comes_behind_the_answers_before_it() -> None:
    """A request that waits for its answer goes first."""
    ticker = Ticker()
    waiting: list[Respond] = []

    def later(_: Request, respond: Respond) -> None:
        waiting.append(respond)

    def run() -> None:
        client = Client({("GET", "/feed"): Route(ticker), ("GET", "/echo"): Route(later)})
        client.send(get("/echo") + get("/feed"))
        assert ticker.outlets == []
        waiting[0](Response(200, b"first"))
        client.connection.refresh()
        assert client.received.index(b"first") < client.received.index(b"one\n")

    in_loop(run)
