"""One connection: order, time, and the end of it."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logopsd.listeners.http.connection import SLICE_BYTES
from logopsd.listeners.http.messages import Request, Respond, Response, Route, Routes, StreamRoute
from logopsd.listeners.http.service import Limits
from tests.listeners.http.helpers import (
    PEER,
    Client,
    Later,
    MemoryTransport,
    echo,
    get,
    head,
    in_loop,
    parse_answers,
    post,
    post_chunked,
)

LIMITS = Limits(max_body_bytes=1000, max_discarded_bytes=500, max_pipelined=4)


def later_client(limits: Limits = LIMITS) -> tuple[Client, Later]:
    """Give a client of a route that answers when told."""
    later = Later()
    return Client(
        {("POST", "/echo"): Route(later), ("GET", "/echo"): Route(echo)}, limits=limits
    ), later


class Taker:
    """Takes a streamed body, and answers at its end."""

    held_bytes = 0

    def __init__(self) -> None:
        self.seen: list[bytes | str] = []

    def begin(self, _: Request, respond: Respond) -> "Taker":
        """Begin."""
        self.respond = respond
        return self

    def data(self, data: bytes) -> None:
        """Take a piece."""
        self.seen.append(data)

    def end(self) -> None:
        """Answer."""
        self.respond(Response(202))

    def abort(self) -> None:
        """Take the abort."""
        self.seen.append("abort")


# Requests and answers.


def test_a_request_is_answered_and_the_connection_stays() -> None:
    """Requests follow each other on one connection."""
    client = Client().send(post(b"a")).send(get())
    assert client.answers == [
        (200, {"Content-Type": "text/plain", "Content-Length": "12"}, b"POST /echo a"),
        (200, {"Content-Type": "text/plain", "Content-Length": "10"}, b"GET /echo "),
    ]
    assert not client.is_ended
    assert client.service.responses[200] == 2


def test_a_route_knows_the_peer() -> None:
    """The address of the client goes with its request."""
    client, later = later_client()
    client.send(post(b"a"))
    assert later.requests[0].peer == PEER


def test_head_gets_the_head_of_get() -> None:
    """HEAD is answered without a body, and the next request is read."""
    client = Client().send(head("HEAD", "/echo"))
    assert client.received.endswith(b"Content-Length: 11\r\n\r\n")
    assert client.service.responses[200] == 1


def test_pipelined_requests_are_answered_in_one_write() -> None:
    """What came in one read and could be answered goes out in one piece."""
    client = Client().send(post(b"a") * 5)
    assert client.statuses == [200] * 5
    assert client.transport.writes == 1


def test_answers_come_in_the_order_of_the_requests() -> None:
    """An answer that is ready waits for those before it (RFC 9112 section 9.3.2)."""

    def test() -> None:
        client, later = later_client()
        client.send(post(b"a") + post(b"b") + get() + post(b"c"))
        later.answer(1)
        assert client.received == b""
        later.answer(0)
        client.connection.refresh()
        assert [body for _, _, body in client.answers] == [b"a", b"b", b"GET /echo "]
        later.answer(2)
        assert client.answers[-1][2] == b"c"

    in_loop(test)


def test_answers_that_are_ready_together_are_written_together() -> None:
    """A receipt that answers many requests costs one write."""

    async def run() -> Client:
        client, later = later_client(Limits())
        client.send(post(b"a") * 50)
        for number in range(50):
            later.answer(number)
        await asyncio.sleep(0)
        return client

    client = asyncio.run(run())
    assert client.statuses == [200] * 50
    assert client.transport.writes <= 2


def test_reading_rests_while_many_wait_for_answers() -> None:
    """A client that sends faster than we store waits for its answers."""

    def test() -> None:
        client, later = later_client()
        client.send(post(b"a") * (LIMITS.max_pipelined + 1))
        assert not client.transport.reading
        assert not client.wait(1000).is_ended
        for number in range(2):
            later.answer(number)
        client.connection.refresh()
        assert client.transport.reading

    in_loop(test)


@pytest.mark.parametrize(
    ("request_bytes", "connection"),
    [
        (get("/echo", "Connection: close"), "close"),
        (get(version="1.0"), "close"),
        (get("/echo", "Connection: keep-alive", version="1.0"), "keep-alive"),
        (get(), None),
    ],
)
def test_the_client_says_whether_it_goes_on(request_bytes: bytes, connection: str | None) -> None:
    """The answer says what becomes of the connection, where the version does not."""
    client = Client().send(request_bytes)
    assert client.answers[0][1].get("Connection") == connection
    assert client.is_ended is (connection == "close")


def test_nothing_is_read_behind_the_last_request() -> None:
    """Who said close has said all."""
    client = Client().send(get("/echo", "Connection: close") + get(), get())
    assert client.statuses == [200]


# Refusals.


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (get("/nothing"), 404),
        (head("DELETE", "/echo"), 405),
        (head("POST", "/echo"), 411),
        (post(b"a", "Content-Encoding: br"), 415),
        (post(b"a" * 400, path="/nothing"), 404),
        (post_chunked(b"a" * 400, path="/nothing"), 404),
        (post(b"not gzip", "Content-Encoding: gzip"), 400),
    ],
)
def test_a_refused_request_leaves_the_connection_usable(request_bytes: bytes, status: int) -> None:
    """The next request is read where the body could be read away."""
    assert Client(limits=LIMITS).send(request_bytes + get()).statuses == [status, 200]
    client = Client(limits=LIMITS)
    client.send(*[request_bytes[i : i + 1] for i in range(len(request_bytes))], get())
    assert client.statuses == [status, 200]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (post(b"a" * 1001), 413),
        (post_chunked(b"a" * 900, b"a" * 200), 413),
        (post(b"a" * 600, path="/nothing"), 404),
        (get("/", "X: " + "a" * 20_000), 431),
        (get("/", version="2.0"), 505),
        (head("POST", "/echo", "Transfer-Encoding: br, chunked"), 501),
        (post(b"abc", "Expect: a-miracle"), 417),
        (b"\x00\xff garbage", 400),
    ],
)
def test_a_refusal_that_cannot_read_on_ends_the_connection(
    request_bytes: bytes, status: int
) -> None:
    """The answer says so, and what follows is not read as a request."""
    client = Client(limits=LIMITS).send(request_bytes + get(), get())
    assert client.statuses == [status]
    assert client.answers[0][1]["Connection"] == "close"
    assert client.transport.eof_written
    assert not client.transport.closed


def test_what_was_asked_before_a_refusal_is_answered_first() -> None:
    """Garbage takes no answer away from those before it."""

    def test() -> None:
        client, later = later_client()
        client.send(post(b"a"), b"garbage\r\n\r\n")
        assert client.received == b""
        later.answer(0)
        client.connection.refresh()
        assert client.statuses == [200, 400]
        assert client.is_ended

    in_loop(test)


def test_a_body_that_breaks_off_behind_an_early_answer_ends_the_connection() -> None:
    """There is nobody left to answer when the rest of a refused body is bad."""
    client = Client(limits=LIMITS)
    client.send(head("POST", "/nothing", "Transfer-Encoding: chunked"), b"zz\r\n", get())
    assert client.statuses == [404]
    assert client.is_ended


def test_a_refused_body_without_end_ends_the_connection() -> None:
    """Reading away has its bound."""
    client = Client(limits=LIMITS)
    client.send(head("POST", "/nothing", "Transfer-Encoding: chunked"))
    assert not client.is_ended
    client.send(b"12c\r\n" + b"a" * 300 + b"\r\n", b"12c\r\n" + b"a" * 300 + b"\r\n", get())
    assert client.statuses == [404]
    assert client.is_ended


def test_what_comes_behind_the_end_is_thrown_away() -> None:
    """The client can read its answer while it still sends, for a moment."""
    client = Client(limits=LIMITS).send(b"garbage\r\n")
    client.send(b"a" * 10_000, get())
    assert client.statuses == [400]
    client.wait(Limits().linger_seconds)
    assert client.transport.aborted


def test_an_end_that_cannot_be_told_is_a_close() -> None:
    """TLS knows no half-closed connection."""
    client = Client(can_write_eof=False).send(get("/echo", "Connection: close"))
    assert client.transport.closed


def test_a_full_sink_is_503_and_health_is_served() -> None:
    """What would have to be stored is told to come back; the connection stays."""
    client = Client()
    client.service.paused = True
    client.send(post(b"a") + get())
    client.service.paused = False
    client.send(post(b"a"))
    assert client.statuses == [503, 200, 200]
    assert client.answers[0][1]["Retry-After"] == "1"


def test_a_connection_without_room_is_told() -> None:
    """The client reads why, and is gone."""
    client = Client(has_room=False)
    assert client.statuses == [503]
    assert client.answers[0][1]["Connection"] == "close"
    assert client.transport.closed
    assert client.service.responses[503] == 1


def test_a_bug_ends_one_connection() -> None:
    """What nobody foresaw is logged by its type, and stays where it was."""
    client = Client()
    client.connection._reader.receive_data = lambda _: 1 / 0  # type: ignore[method-assign]
    client.send(get())
    assert client.transport.aborted
    assert client.log.events == [
        {"level": "error", "event": "http_connection_failed", "type": "ZeroDivisionError"}
    ]


# Expect: 100-continue.


def test_a_client_that_waits_is_told_to_go_on() -> None:
    """The body is asked for where it would be taken (RFC 9110 section 10.1.1)."""
    client = Client().send(head("POST", "/echo", "Content-Length: 3", "Expect: 100-continue"))
    assert client.received == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"abc")
    assert client.statuses == [100, 200]


def test_a_client_that_does_not_wait_is_not_told() -> None:
    """A body that comes with its head needs no asking."""
    assert Client().send(post(b"abc", "Expect: 100-continue")).statuses == [200]


def test_a_client_of_http_1_0_is_not_told() -> None:
    """HTTP/1.0 knows no 100."""
    client = Client()
    client.send(
        head("POST", "/echo", "Content-Length: 3", "Expect: 100-continue", version="1.0"), b"abc"
    )
    assert client.statuses == [200]


def test_going_on_is_told_in_its_turn() -> None:
    """A 100 must not stand where the answer of an earlier request belongs."""

    def test() -> None:
        client, later = later_client()
        client.send(post(b"a"))
        client.send(head("POST", "/echo", "Content-Length: 1", "Expect: 100-continue"))
        assert client.received == b""
        later.answer(0)
        client.connection.refresh()
        assert client.statuses == [200, 100]

    in_loop(test)


@pytest.mark.parametrize(("path", "length", "status"), [("/nothing", 3, 404), ("/echo", 1001, 413)])
def test_a_body_that_is_not_wanted_is_not_asked_for(path: str, length: int, status: int) -> None:
    """The final answer comes at once, and ends the connection: nobody knows what follows."""
    client = Client(limits=LIMITS)
    client.send(head("POST", path, f"Content-Length: {length}", "Expect: 100-continue"), get())
    assert client.statuses == [status]
    assert client.is_ended


# Time.


def test_an_idle_connection_is_closed() -> None:
    """Nothing is kept for ever."""
    limits = Limits()
    client = Client().send(get())
    client.wait(limits.idle_seconds - 1)
    assert not client.transport.closed
    client.wait(1)
    assert client.transport.closed
    assert client.statuses == [200]


def test_a_request_begins_the_idle_time_anew() -> None:
    """A client that comes back in time may stay."""
    client = Client()
    for _ in range(5):
        client.send(get()).wait(Limits().idle_seconds - 1)
    assert not client.transport.closed


@pytest.mark.parametrize("filler", [b"", b"a", b"\r\n"])
def test_a_head_that_dribbles_is_408(filler: bytes) -> None:
    """Bytes alone win no time for a head."""
    client = Client().send(b"GET /echo HTTP/1.1\r\nX: ")
    for _ in range(int(Limits().head_seconds)):
        client.send(filler.replace(b"\r\n", b"a\r\nX: ")).wait(1)
    assert client.statuses == [408]
    assert client.is_ended


def test_blank_lines_do_not_keep_a_connection() -> None:
    """What is no request does not count as one."""
    client = Client()
    for _ in range(int(Limits().idle_seconds)):
        client.send(b"\r\n").wait(1)
    assert client.transport.closed
    assert client.received == b""


def test_pipelined_heads_each_have_their_time() -> None:
    """A busy connection is never in time trouble for ending each read inside a head."""
    client = Client()
    stream = get() * 100
    client.send(stream[:50])
    for position in range(50, len(stream), len(get())):
        client.send(stream[position : position + len(get())]).wait(Limits().head_seconds - 1)
    assert set(client.statuses) == {200}
    assert not client.is_ended


def test_a_body_that_stalls_is_408() -> None:
    """A body must come on."""
    client = Client().send(head("POST", "/echo", "Content-Length: 10"), b"a")
    client.wait(Limits().stall_seconds)
    assert client.statuses == [408]
    assert client.is_ended
    assert client.service.buffered_bytes == 0


def test_a_body_that_dribbles_is_408() -> None:
    """A body must come on by more than a few bytes."""
    client = Client().send(head("POST", "/echo", "Content-Length: 1000000"))
    for _ in range(int(Limits().stall_seconds)):
        client.send(b"a").wait(1)
    assert client.statuses == [408]


def test_a_body_that_comes_on_has_its_time() -> None:
    """A slow line is no fault."""
    limits = Limits()
    client = Client().send(head("POST", "/echo", f"Content-Length: {10 * 2048}"))
    for _ in range(10):
        client.wait(limits.stall_seconds - 1).send(b"a" * 2048)
    assert client.statuses == [200]


def test_a_refused_body_must_come_on_too() -> None:
    """Reading away has its time; the answer was given."""
    client = Client().send(head("POST", "/nothing", "Content-Length: 10"), b"a")
    client.wait(Limits().stall_seconds)
    assert client.statuses == [404]
    assert client.is_ended


def test_an_answer_has_all_the_time_it_needs() -> None:
    """Who waits for a disk of ours is not punished."""

    def test() -> None:
        client, later = later_client()
        client.send(post(b"a")).wait(1000)
        later.answer(0)
        assert client.statuses == [200]

    in_loop(test)


def test_a_client_that_takes_no_answers_is_cut_off() -> None:
    """Answers are not piled up for a client that does not read."""
    client = Client().send(get())
    client.connection.pause_writing()
    assert not client.transport.reading
    client.wait(Limits().stall_seconds)
    assert client.transport.aborted


def test_a_read_of_many_requests_is_not_answered_to_a_client_that_takes_nothing() -> None:
    """It rests after a slice, and goes on where it was: not one is lost, and none comes twice."""
    asked: list[bytes] = []

    def answer(request: Request, respond: Respond) -> None:
        asked.append(request.target)
        respond(Response(200, b"x"))
        client.connection.pause_writing()

    async def live() -> None:
        client.send(b"".join(get("/n") for _ in range(1000)), get("/n?last"))
        while len(asked) < 1001:
            count = len(asked)
            assert not client.transport.reading
            client.connection.resume_writing()
            await asyncio.sleep(0)  # one turn of the loop
            assert count < len(asked) <= count + SLICE_BYTES // len(get("/n")) + 1

    client = Client({("GET", "/n"): Route(answer)})
    asyncio.run(live())
    assert asked[-2:] == [b"/n", b"/n?last"]
    assert client.statuses == [200] * 1001


def test_a_client_that_takes_its_answers_again_goes_on() -> None:
    """A slow reader is only slowed down."""
    client = Client()
    client.connection.pause_writing()
    client.wait(1)
    client.connection.resume_writing()
    assert client.transport.reading
    assert client.send(get()).statuses == [200]


def test_a_patient_stream_may_rest() -> None:
    """A journal that is followed says nothing for hours."""
    taker = Taker()
    client = Client({("POST", "/echo"): StreamRoute(taker.begin, patient=True)})
    client.send(head("POST", "/echo", "Transfer-Encoding: chunked")).wait(5000)
    client.send(b"1\r\na\r\n0\r\n\r\n")
    assert client.statuses == [202]


def test_a_stream_is_read_only_as_fast_as_it_is_stored() -> None:
    """A stream under way waits for the sink; nothing of it is refused."""
    taker = Taker()
    client = Client({("POST", "/echo"): StreamRoute(taker.begin)})
    client.send(head("POST", "/echo", "Transfer-Encoding: chunked"), b"1\r\na\r\n")
    client.service.paused = True
    client.connection.refresh()
    assert not client.transport.reading
    client.wait(5000)
    client.service.paused = False
    client.connection.refresh()
    assert client.transport.reading
    client.send(b"1\r\nb\r\n0\r\n\r\n")
    assert client.statuses == [202]


# The end.


def test_a_client_that_has_said_all_gets_its_answers() -> None:
    """A half-closed connection is answered, then closed."""

    def test() -> None:
        client, later = later_client()
        client.send(post(b"a"), post(b"b")).end()
        assert not client.transport.closed
        later.answer(0)
        later.answer(1)
        client.connection.refresh()
        assert client.statuses == [200, 200]
        assert client.answers[-1][1]["Connection"] == "close"
        assert client.transport.closed

    in_loop(test)


def test_an_idle_client_that_leaves_is_let_go() -> None:
    """Nothing is left to say."""
    client = Client().send(get()).end()
    assert client.transport.closed
    assert client.statuses == [200]


@pytest.mark.parametrize(
    "begin", [b"GET /echo HT", head("POST", "/echo", "Content-Length: 3") + b"a"]
)
def test_a_request_that_breaks_off_is_400(begin: bytes) -> None:
    """Half a request is none, and its sender is told while it still listens."""
    client = Client().send(begin).end()
    assert client.statuses == [400]
    assert client.transport.closed


def test_the_end_of_a_lingering_client_closes() -> None:
    """Who has read the last answer leaves, and so do we."""
    client = Client().send(get("/echo", "Connection: close"))
    assert not client.transport.closed
    assert client.end().transport.closed


def test_a_lost_client_is_forgotten() -> None:
    """Answers to nobody are not written, and count for nothing."""

    def test() -> None:
        client, later = later_client()
        client.send(post(b"a"), head("POST", "/echo", "Content-Length: 3"), b"a")
        client.connection.connection_lost(None)
        assert client.is_gone
        assert client.service.buffered_bytes == 0
        later.answer(0)
        client.connection.refresh()
        assert client.received == b""
        assert client.service.responses[200] == 0

    in_loop(test)


def test_a_lost_stream_is_aborted() -> None:
    """The taker of a stream learns that its client is gone."""
    taker = Taker()
    client = Client({("POST", "/echo"): StreamRoute(taker.begin)})
    client.send(head("POST", "/echo", "Transfer-Encoding: chunked"), b"1\r\na\r\n")
    client.connection.connection_lost(ConnectionResetError())
    assert taker.seen == [b"a", "abort"]


def test_draining_closes_the_idle() -> None:
    """Nothing is under way, nothing is waited for."""
    client = Client().send(get())
    client.service.draining = True
    client.connection.drain()
    assert client.transport.closed


def test_draining_ends_with_the_last_answer() -> None:
    """Requests under way are answered, the last of them with the end."""

    def test() -> None:
        client, later = later_client()
        client.send(post(b"a") + post(b"b"))
        client.service.draining = True
        client.connection.drain()
        assert not client.is_ended
        later.answer(0)
        later.answer(1)
        client.connection.refresh()
        assert [headers.get("Connection") for _, headers, _ in client.answers] == [None, "close"]
        assert client.is_ended

    in_loop(test)


def test_draining_waits_for_a_request_that_has_begun() -> None:
    """A body that is on its way is taken."""
    client = Client().send(head("POST", "/echo", "Content-Length: 3"), b"a")
    client.service.draining = True
    client.connection.drain()
    client.send(b"bc")
    assert client.statuses == [200]
    assert client.is_ended


def test_draining_waits_for_a_head_that_has_begun() -> None:
    """An answer does not end a connection on which the next request is being read."""
    client = Client()
    client.service.draining = True
    client.send(get() + get()[:20])
    assert not client.is_ended
    client.send(get()[20:])
    assert client.statuses == [200, 200]
    assert client.is_ended


def test_an_abort_is_at_once() -> None:
    """Nothing is waited for when the time is over."""
    client = Client()
    client.connection.abort()
    assert client.transport.aborted


def test_an_answer_that_ends_the_connection_leaves_the_rest_unanswered() -> None:
    """Requests behind the last answer are as if never sent (RFC 9112 section 9.6)."""

    def closing(_: Request, respond: Respond) -> None:
        respond(Response(200, close=True))

    routes: Routes = {("GET", "/close"): Route(closing), ("GET", "/echo"): Route(echo)}

    def test() -> None:
        later = Later()
        client = Client({**routes, ("POST", "/echo"): Route(later)})
        client.send(post(b"a") + get("/close") + get())
        later.answer(0)
        client.connection.refresh()
        assert client.statuses == [200, 200]
        assert client.is_ended

    in_loop(test)


def test_a_late_answer_that_ends_the_connection_drops_what_waits() -> None:
    """A route may find out late that the connection must end."""

    def test() -> None:
        client, later = later_client()
        client.send(post(b"a") + post(b"b"))
        later.responds[0](Response(200, close=True))
        client.connection.refresh()
        later.answer(1)
        client.connection.refresh()
        assert client.statuses == [200]
        assert client.is_ended

    in_loop(test)


# Whatever comes.

VALID = [
    get(),
    get("/nothing"),
    post(b"abc"),
    post(b""),
    post_chunked(b"ab", b"c"),
    post(b"a" * 300, path="/nothing"),
    head("POST", "/echo"),
    head("DELETE", "/echo"),
    post(b"bad", "Content-Encoding: gzip"),
    get("/echo", "Connection: Upgrade", "Upgrade: h2c"),
]
LAST = [
    b"",
    get("/echo", "Connection: close"),
    get("/echo", "Connection: close, Upgrade", "Upgrade: h2c"),
    post(b"a" * 2000),
    b"garbage\r\n\r\n",
]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(VALID), max_size=6),
    st.sampled_from(LAST),
    st.lists(st.integers(1, 90), max_size=30),
)
def test_any_split_of_requests_gives_the_same_answers(
    requests: list[bytes], last: bytes, sizes: list[int]
) -> None:
    """Reads of any size give the same bytes back, and the same end."""
    stream = b"".join(requests) + last
    whole = Client(limits=LIMITS).send(stream)
    pieces = []
    rest = stream
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    split = Client(limits=LIMITS).send(*[piece for piece in [*pieces, rest] if piece])
    assert split.received == whole.received
    assert split.is_ended == whole.is_ended
    assert len(whole.statuses) == len(requests) + bool(last)


@settings(deadline=None)
@given(st.lists(st.one_of(st.sampled_from(VALID), st.binary(max_size=80)), max_size=8))
def test_garbage_gets_answers_or_an_end(pieces: list[bytes]) -> None:
    """Whatever comes, what goes out is HTTP, and time ends it."""
    client = Client(limits=LIMITS).send(*[piece for piece in pieces if piece])
    assert list(parse_answers(client.received)) == client.answers
    client.wait(200)
    assert client.transport.closed
    assert not client.log.events


def test_the_memory_transport_is_one() -> None:
    """The helper stands for a real transport."""
    transport = MemoryTransport()
    assert not transport.is_closing()
    assert transport.get_extra_info("sslcontext", 1) == 1
