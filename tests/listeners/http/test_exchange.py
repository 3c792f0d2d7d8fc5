"""One request and its answer, without a connection."""

import gzip
import json

import pytest

from logopsd.listeners.http.exchange import Exchange
from logopsd.listeners.http.messages import (
    Choice,
    Request,
    Respond,
    Response,
    Route,
    Routes,
    StreamRoute,
)
from logopsd.listeners.http.service import Limits
from tests.listeners.http.helpers import Client, Later, echo

LIMITS = Limits(max_body_bytes=100, max_buffered_bytes=150, max_discarded_bytes=50)


class Stream:
    """A route that writes down what it is handed of a body."""

    def __init__(self, *, answer_at: bytes = b"", fail_at: str = "") -> None:
        self.seen: list[bytes | str] = []
        self.answer_at = answer_at
        self.fail_at = fail_at
        self.held_bytes = 0

    def begin(self, _: Request, respond: Respond) -> "Stream":
        """Begin."""
        self.respond = respond
        self._fail("begin")
        return self

    def data(self, data: bytes) -> None:
        """Take a piece."""
        self._fail("data")
        self.seen.append(data)
        if self.answer_at and self.answer_at in data:
            self.respond(Response(400, b"bad entry"))

    def end(self) -> None:
        """Take the end."""
        self._fail("end")
        self.seen.append("end")
        self.respond(Response(202, b"OK."))

    def abort(self) -> None:
        """Take the abort."""
        self.seen.append("abort")
        self._fail("abort")

    def _fail(self, where: str) -> None:
        if self.fail_at == where:
            raise ZeroDivisionError("with a secret in it")


class Case:
    """An exchange, and who waits for its answer."""

    def __init__(
        self,
        routes: Routes,
        method: str = "POST",
        path: bytes = b"/x",
        *,
        begun: bool = True,
        **headers: str,
    ) -> None:
        client = Client(routes, limits=LIMITS)
        self.service, self.log = client.service, client.log
        named = {k.replace("_", "-").encode(): v.encode() for k, v in headers.items()}
        self.answers: list[Exchange] = []
        self.exchange = Exchange(self.service, Request(method, path, named), self.answers.append)
        if begun:
            self.exchange.begin()

    def feed(self, *pieces: bytes) -> "Case":
        """Feed pieces of the body, and its end."""
        for piece in pieces:
            self.exchange.receive(piece)
        self.exchange.end()
        return self

    @property
    def answer(self) -> Response:
        """The answer, which was told once."""
        assert self.answers == [self.exchange]
        assert self.exchange.answer is not None
        return self.exchange.answer


def served(routes: Routes, body: bytes, **headers: str) -> Case:
    """Have a request served whose body came with its head."""
    case = Case(routes, begun=False, content_length=str(len(body)), **headers)
    case.exchange.request.body = body
    case.exchange.serve()
    assert case.exchange.body_over
    assert case.service.buffered_bytes == 0
    return case


PLAIN: Routes = {("POST", "/x"): Route(echo), ("GET", "/x"): Route(echo)}


def test_a_body_is_handed_over_whole() -> None:
    """A route sees one body, however it came."""
    case = Case(PLAIN, content_length="6").feed(b"ab", b"cd", b"ef")
    assert case.answer.body == b"POST /x abcdef"
    assert case.service.buffered_bytes == 0


def test_an_unknown_path_is_404() -> None:
    """Nothing is served there."""
    assert Case(PLAIN, path=b"/y", content_length="0").answer.status == 404


def test_a_wrong_method_is_405_and_told_the_right_ones() -> None:
    """The answer names what the path takes (RFC 9110 section 15.5.6)."""
    answer = Case(PLAIN, "DELETE").answer
    assert answer.status == 405
    assert dict(answer.headers)["Allow"] == "GET, HEAD, POST"


def test_a_refused_body_is_read_away_and_not_kept() -> None:
    """What follows an early answer costs no memory."""
    case = Case(PLAIN, path=b"/y", content_length="40")
    case.exchange.receive(b"a" * 40)
    assert (case.exchange.discarded_bytes, case.service.buffered_bytes) == (40, 0)
    case.exchange.end()
    assert not case.answer.close


@pytest.mark.parametrize(
    ("headers", "close"),
    [
        ({"content_length": "50"}, False),
        ({"content_length": "51"}, True),
        ({"transfer_encoding": "chunked"}, False),
        ({"content_length": "5", "expect": "100-continue"}, True),
    ],
)
def test_a_refusal_ends_the_connection_where_the_body_is_too_much(
    headers: dict[str, str], close: bool
) -> None:
    """Up to a bound a refused body is read away; who waits to send one may send none."""
    assert Case(PLAIN, path=b"/y", **headers).answer.close is close


def test_a_chunked_body_that_grows_too_long_is_413() -> None:
    """The limit holds while the body comes, and what else comes is not waited for."""
    case = Case(PLAIN, transfer_encoding="chunked")
    case.exchange.receive(b"a" * 100)
    assert case.exchange.answer is None
    case.exchange.receive(b"a")
    assert (case.answer.status, case.answer.close) == (413, True)
    assert case.service.buffered_bytes == 0


def test_a_compressed_body_is_inflated() -> None:
    """Routes see what was meant."""
    packed = gzip.compress(b"hello")
    case = Case(PLAIN, content_length=str(len(packed)), content_encoding="gzip")
    assert case.feed(packed[:7], packed[7:]).answer.body == b"POST /x hello"


def test_a_bomb_is_413() -> None:
    """The limit holds for what a body inflates to."""
    packed = gzip.compress(bytes(1_000))
    case = Case(PLAIN, content_length=str(len(packed)), content_encoding="gzip")
    assert case.feed(packed).answer.status == 413


def test_a_compressed_body_longer_than_the_limit_is_413() -> None:
    """Empty members inflate to nothing, and are bytes all the same."""
    case = Case(PLAIN, transfer_encoding="chunked", content_encoding="gzip")
    for _ in range(6):
        case.exchange.receive(gzip.compress(b"", mtime=0))
    assert case.answer.status == 413


@pytest.mark.parametrize("body", [b"not gzip at all", gzip.compress(b"hello", mtime=0)[:-3]])
def test_a_damaged_compressed_body_is_400(body: bytes) -> None:
    """What cannot be inflated is said to be so."""
    case = Case(PLAIN, content_length=str(len(body)), content_encoding="gzip").feed(body)
    assert case.answer.status == 400
    assert "compressed body" in json.loads(case.answer.body)["detail"]


def test_many_bodies_at_once_are_bounded() -> None:
    """All bodies being collected have a limit together: who is above it is told to come back."""
    first, second = (Case(PLAIN, content_length="90") for _ in range(2))
    second.exchange._service = first.service
    first.exchange.receive(b"a" * 90)
    second.exchange.receive(b"a" * 61)
    assert second.answer.status == 503
    assert first.exchange.answer is None
    assert first.service.buffered_bytes == 90


def test_a_sink_that_fills_up_meanwhile_refuses() -> None:
    """A body that is complete when the sink is full is not taken."""
    case = Case(PLAIN, content_length="1")
    case.service.paused = True
    assert case.feed(b"a").answer.status == 503
    assert case.service.buffered_bytes == 0


def test_a_get_is_served_while_the_sink_is_full() -> None:
    """Health and metrics answer above all when something is wrong."""
    case = Case(PLAIN, "GET")
    case.service.paused = True
    assert case.feed().answer.status == 200


def test_a_route_that_fails_is_500_without_detail() -> None:
    """The client learns nothing of a bug, and the log its type alone."""

    def broken(request: Request, respond: Respond) -> None:
        raise ZeroDivisionError("with a secret in it")

    case = Case({("POST", "/x"): Route(broken)}, content_length="1").feed(b"a")
    assert case.answer.status == 500
    assert b"secret" not in case.answer.body
    assert case.log.events == [
        {
            "level": "error",
            "event": "http_route_failed",
            "path": "/x",
            "type": "ZeroDivisionError",
        }
    ]


def test_a_route_that_answers_twice_is_a_bug() -> None:
    """The first answer stands."""

    def twice(request: Request, respond: Respond) -> None:
        respond(Response(200, b"one"))
        respond(Response(200, b"two"))

    case = Case({("POST", "/x"): Route(twice)}, content_length="0").feed()
    assert case.answer.body == b"one"
    assert case.log.events[0]["type"] == "RuntimeError"


def test_an_answer_may_come_later() -> None:
    """A route answers when it can: a receipt comes from a disk."""
    later = Later()
    case = Case({("POST", "/x"): Route(later)}, content_length="1").feed(b"a")
    assert case.exchange.answer is None
    assert later.requests[0].body == b"", "nothing is kept of it while the answer is awaited"
    later.answer(0)
    assert case.answer.body == b"a"


def test_a_stream_sees_the_body_as_it_comes() -> None:
    """Pieces are handed on at once, and then the end."""
    stream = Stream()
    case = Case({("POST", "/x"): StreamRoute(stream.begin)}, transfer_encoding="chunked")
    assert case.exchange.is_streamed
    assert not case.exchange.is_patient
    assert case.feed(b"a", b"b").answer.status == 202
    assert stream.seen == [b"a", b"b", "end"]


def test_a_stream_may_be_compressed_and_long() -> None:
    """A stream is inflated piece by piece, beyond the limit of bodies that are kept."""
    stream = Stream()
    packed = gzip.compress(bytes(1_000_000))
    case = Case(
        {("POST", "/x"): StreamRoute(stream.begin)},
        transfer_encoding="chunked",
        content_encoding="gzip",
    ).feed(packed)
    assert case.answer.status == 202
    assert sum(len(piece) for piece in stream.seen[:-1]) == 1_000_000
    assert len(stream.seen) > 2


def test_a_stream_may_have_a_limit() -> None:
    """A stream that grows too long is told off, and its taker told."""
    stream = Stream()
    route = StreamRoute(stream.begin, max_body_bytes=10)
    case = Case({("POST", "/x"): route}, transfer_encoding="chunked").feed(b"a" * 8, b"b" * 8)
    assert case.answer.status == 413
    assert stream.seen == [b"a" * 8, "abort"]


def test_a_stream_may_be_patient() -> None:
    """A journal that is followed rests between entries."""
    route = StreamRoute(Stream().begin, patient=True)
    assert Case({("POST", "/x"): route}, transfer_encoding="chunked").exchange.is_patient


@pytest.mark.parametrize("coding", [{}, {"content_encoding": "gzip"}])
def test_a_stream_may_answer_early(coding: dict[str, str]) -> None:
    """After its answer a stream sees nothing more."""
    stream = Stream(answer_at=b"!")
    body = b"a!" + bytes(700_000)
    pieces = [gzip.compress(body)] if coding else [body[:2], body[2:50]]
    case = Case(
        {("POST", "/x"): StreamRoute(stream.begin)}, transfer_encoding="chunked", **coding
    ).feed(*pieces)
    assert case.answer.status == 400
    assert len(stream.seen) == 1


def test_a_stream_may_answer_at_its_begin() -> None:
    """A stream that is answered before its body has no taker."""

    def begin(request: Request, respond: Respond) -> Stream:
        respond(Response(401))
        return Stream()

    case = Case({("POST", "/x"): StreamRoute(begin)}, transfer_encoding="chunked")
    assert not case.exchange.is_streamed
    assert case.feed(b"a").answer.status == 401


@pytest.mark.parametrize("where", ["begin", "data", "end"])
def test_a_stream_that_fails_is_500(where: str) -> None:
    """A bug in the taker of a stream ends its request alone."""
    stream = Stream(fail_at=where)
    case = Case({("POST", "/x"): StreamRoute(stream.begin)}, transfer_encoding="chunked")
    assert case.feed(b"a").answer.status == 500
    assert ("abort" in stream.seen) is (where != "begin")


def test_a_taker_that_fails_at_its_abort_is_logged() -> None:
    """A bug on the way out changes no answer."""
    stream = Stream(fail_at="abort")
    route = StreamRoute(stream.begin, max_body_bytes=1)
    case = Case({("POST", "/x"): route}, transfer_encoding="chunked").feed(b"ab")
    assert case.answer.status == 413
    assert case.log.events[0]["event"] == "http_route_failed"


def test_a_client_that_leaves_aborts_its_stream() -> None:
    """The taker learns that the body will not be complete, and once."""
    stream = Stream()
    case = Case({("POST", "/x"): StreamRoute(stream.begin)}, transfer_encoding="chunked")
    case.exchange.receive(b"a")
    case.exchange.abort()
    case.exchange.abort()
    assert stream.seen == [b"a", "abort"]
    assert case.answers == []


def test_a_client_that_leaves_frees_its_body() -> None:
    """What was collected of a body does not outlive its client."""
    case = Case(PLAIN, content_length="90")
    case.exchange.receive(b"a" * 50)
    assert case.service.buffered_bytes == 50
    case.exchange.abort()
    assert case.service.buffered_bytes == 0


def test_a_complete_stream_is_not_aborted() -> None:
    """Who leaves after the end has said all."""

    class Silent(Stream):
        def end(self) -> None:
            self.seen.append("end")

    stream = Silent()
    case = Case({("POST", "/x"): StreamRoute(stream.begin)}, transfer_encoding="chunked").feed()
    case.exchange.abort()
    assert stream.seen == ["end"]


def test_what_a_stream_holds_is_counted_until_it_is_answered() -> None:
    """It falls as the taker hands on what it held."""
    stream = Stream()
    case = Case({("POST", "/x"): StreamRoute(stream.begin)}, transfer_encoding="chunked")
    for held in (5, 9, 2):
        stream.held_bytes = held
        case.exchange.receive(b"a")
        assert case.service.buffered_bytes == held
    case.exchange.end()
    assert case.service.buffered_bytes == 0


def test_a_stream_that_is_left_holds_nothing() -> None:
    """The client is gone."""
    stream = Stream()
    case = Case({("POST", "/x"): StreamRoute(stream.begin)}, transfer_encoding="chunked")
    stream.held_bytes = 5
    case.exchange.receive(b"a")
    case.exchange.abort()
    assert case.service.buffered_bytes == 0


def test_streams_may_not_take_all_memory_together() -> None:
    """Where all bodies hold too much, the one that brings more is sent away."""
    stream = Stream()
    case = Case({("POST", "/x"): StreamRoute(stream.begin)}, transfer_encoding="chunked")
    stream.held_bytes = LIMITS.max_buffered_bytes + 1
    case.exchange.receive(b"a")
    assert case.answer.status == 503
    assert stream.seen == [b"a", "abort"]
    assert case.service.buffered_bytes == 0


def test_the_head_may_choose_the_route() -> None:
    """One path takes some bodies whole and others as they come."""
    stream = Stream()
    whole, streamed = Route(echo), StreamRoute(stream.begin)
    choice = Choice(lambda request: streamed if b"x-stream" in request.headers else whole)
    routes: Routes = {("POST", "/x"): choice}
    assert Case(routes, content_length="1").feed(b"a").answer.body == b"POST /x a"
    assert Case(routes, content_length="1", x_stream="1").feed(b"a").answer.status == 202
    assert Case(routes, "DELETE").answer.status == 405


def test_a_whole_request_is_served_as_one_in_pieces() -> None:
    """To a route that wants it whole, compressed or not, and to one that takes it as it comes."""
    assert served(PLAIN, b"abc").answer.body == b"POST /x abc"
    assert served(PLAIN, b"").answer.body == b"POST /x "
    packed = gzip.compress(b"abc")
    assert served(PLAIN, packed, content_encoding="gzip").answer.body == b"POST /x abc"
    stream = Stream()
    routes: Routes = {("POST", "/x"): StreamRoute(stream.begin)}
    assert served(routes, b"abc").answer.status == 202
    assert stream.seen == [b"abc", "end"]


def test_a_whole_request_is_refused_as_one_in_pieces() -> None:
    """By its path, by its length, and with what is wrong with its body."""
    assert served({("POST", "/y"): Route(echo)}, b"abc").answer.status == 404
    assert served(PLAIN, b"a" * 101).answer.status == 413
    assert served(PLAIN, b"abc", content_encoding="gzip").answer.status == 400


def test_a_route_that_fails_on_a_whole_request_is_500() -> None:
    """And is told of, without a word of the request."""

    def broken(request: Request, respond: Respond) -> None:
        raise ZeroDivisionError("with a secret in it")

    case = served({("POST", "/x"): Route(broken)}, b"abc")
    assert case.answer.status == 500
    assert "secret" not in str(case.log.events)


def test_a_route_may_judge_the_head_too() -> None:
    """Its own check comes last."""

    def check(request: Request) -> Response | None:
        return None if request.header(b"content-type") else Response(400)

    routes: Routes = {("POST", "/x"): Route(echo, check=check)}
    assert Case(routes, content_length="1").answer.status == 400
    assert Case(routes, content_length="1000").answer.status == 413
    typed = Case(routes, content_length="1", content_type="text/plain")
    assert typed.feed(b"a").answer.status == 200


def test_the_check_of_a_route_is_asked_for_each_request() -> None:
    """Of a head that is known too: who sends it, and what is full, may be another."""
    refused: list[str | None] = []

    def check(request: Request) -> Response | None:
        return Response(403) if request.peer in refused else None

    case = Case({("POST", "/x"): Route(echo, check=check)}, content_length="1")
    refused.append("192.0.2.9")
    for peer, status in (("192.0.2.7", 200), ("192.0.2.9", 403), ("192.0.2.7", 200)):
        again = Exchange(case.service, case.exchange.request.again(peer, b"a"), lambda _: None)
        again.serve()
        assert again.answer is not None
        assert again.answer.status == status


def test_what_the_head_is_found_to_lead_to_is_not_looked_for_again() -> None:
    """But whether the client may send, and the sink has room, is asked each time."""
    case = Case(PLAIN, content_length="1")
    request = case.exchange.request
    assert request.route is PLAIN["POST", "/x"]
    case.service.routes = {}
    for paused, status in ((False, 200), (True, 503)):
        case.service.paused = paused
        again = Exchange(case.service, request.again(None, b"a"), case.answers.append)
        again.serve()
        assert again.answer is not None
        assert again.answer.status == status
