"""Bytes into requests: what is read, and what must not be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logopsd.listeners.http.messages import Request, Response, Route
from logopsd.listeners.http.requests import (
    MAX_KNOWN_HEAD_BYTES,
    MAX_KNOWN_HEADS,
    KnownHeads,
    RequestReader,
    Stage,
)
from tests.depth import examples
from tests.listeners.http.helpers import echo, get, head, post, post_chunked

MAX_HEAD = 1024
ROUTE = Route(echo)
START = b"POST /echo HTTP/1.1\r\nHost: a\r\n"
LENGTH = b"Content-Length: 3\r\n"
CODING = b"Transfer-Encoding: chunked\r\n"
CHUNKED = START + CODING + b"\r\n"


class Heard:
    """Writes down what the reader tells."""

    def __init__(self, *, stop_at: str = "", known: KnownHeads | None = None) -> None:
        self.requests: list[tuple[str, bytes, bytes]] = []
        self.heads: list[Request] = []
        self.refusals: list[Response] = []
        self.open = b""
        self.known = 0
        self.stop_at = stop_at
        self.reader = RequestReader(
            self,
            peer="192.0.2.7",
            max_head_bytes=MAX_HEAD,
            known=KnownHeads() if known is None else known,
        )

    def request_begins(self, request: Request) -> None:
        """Begin a request, which somebody serves."""
        request.route = ROUTE
        self.heads.append(request)
        self.open = b""
        self._stop("begin")

    def request_arrives(self, request: Request) -> None:
        """Write a whole one down, as if it had come in pieces."""
        self.known += 1
        body, request.body = request.body, b""
        self.request_begins(request)
        if body and self.reader.stage is not Stage.OVER:
            self.body_arrives(body)
        if self.reader.stage is not Stage.OVER:
            self.request_ends()

    def body_arrives(self, data: bytes) -> None:
        """Add to its body."""
        self.open += data
        self._stop("body")

    def request_ends(self) -> None:
        """Write the request down."""
        request = self.heads[-1]
        self.requests.append((request.method, request.target, self.open))
        self._stop("end")

    def malformed(self, response: Response) -> None:
        """Write the refusal down."""
        self.refusals.append(response)

    def _stop(self, where: str) -> None:
        if self.stop_at == where:
            self.reader.stop()

    def feed(self, *pieces: bytes) -> "Heard":
        """Feed pieces."""
        for piece in pieces:
            self.reader.receive_data(piece)
        return self


def whole_and_bytewise(data: bytes) -> tuple[Heard, Heard]:
    """Feed the same bytes in one piece, and one by one."""
    return Heard().feed(data), Heard().feed(*[data[i : i + 1] for i in range(len(data))])


VALID = {
    "length": (post(b"abc"), [("POST", b"/echo", b"abc")]),
    "length of zero": (post(b""), [("POST", b"/echo", b"")]),
    "no body": (get(), [("GET", b"/echo", b"")]),
    "chunks": (post_chunked(b"ab", b"c"), [("POST", b"/echo", b"abc")]),
    "chunk in capitals": (
        CHUNKED + b"A\r\n0123456789\r\n0\r\n\r\n",
        [("POST", b"/echo", b"0123456789")],
    ),
    "chunk extension": (CHUNKED + b'3;a=b;c="d"\r\nabc\r\n0\r\n\r\n', [("POST", b"/echo", b"abc")]),
    "trailer": (CHUNKED + b"3\r\nabc\r\n0\r\nX: y\r\n\r\n", [("POST", b"/echo", b"abc")]),
    "coding in capitals": (
        START + b"Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n",
        [("POST", b"/echo", b"")],
    ),
    "blank lines before": (b"\r\n\r\n" + get(), [("GET", b"/echo", b"")]),
    "HTTP/1.0 without Host": (b"GET /echo HTTP/1.0\r\n\r\n", [("GET", b"/echo", b"")]),
    "empty Host": (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", [("GET", b"/", b"")]),
    "two requests": (
        post(b"abc") + get("/x"),
        [("POST", b"/echo", b"abc"), ("GET", b"/x", b"")],
    ),
    "Upgrade with a body": (
        post(b"abc", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: A")
        + get("/x"),
        [("POST", b"/echo", b"abc"), ("GET", b"/x", b"")],
    ),
    "Upgrade with chunks": (
        post_chunked(b"abc", headers=["Connection: Upgrade", "Upgrade: h2c"]) + get("/x"),
        [("POST", b"/echo", b"abc"), ("GET", b"/x", b"")],
    ),
    "two Upgrades": (
        get("/a", "Connection: Upgrade", "Upgrade: websocket") * 2,
        [("GET", b"/a", b"")] * 2,
    ),
}


@pytest.mark.parametrize("name", VALID)
def test_requests_are_read_whole_and_byte_by_byte(name: str) -> None:
    """However a request arrives, it is the same."""
    data, requests = VALID[name]
    for heard in whole_and_bytewise(data):
        assert heard.requests == requests
        assert heard.refusals == []
        assert heard.reader.stage is Stage.BETWEEN
        assert heard.reader.begun == len(requests)


REFUSED = {
    # RFC 9112 section 6.3: two lengths are two readings of one stream.
    "length and chunks": (
        400,
        START + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "chunks and length": (
        400,
        START + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    ),
    # llhttp takes Proxy-Connection for Connection.
    "chunks in HTTP/1.0 that a proxy keeps": (
        400,
        START.replace(b"/1.1", b"/1.0") + b"Proxy-Connection: keep-alive\r\n" + CODING + b"\r\n",
    ),
    "HTTP/2.0 that a proxy keeps": (
        505,
        START.replace(b"/1.1", b"/2.0") + b"Proxy-Connection: keep-alive\r\n\r\n",
    ),
    "length in a trailer": (400, CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n"),
    "two lengths": (400, START + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc"),
    "the same length twice": (400, START + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    "list of lengths": (400, START + b"Content-Length: 3, 3\r\n\r\nabc"),
    "length with a sign": (400, START + b"Content-Length: +3\r\n\r\nabc"),
    "negative length": (400, START + b"Content-Length: -3\r\n\r\nabc"),
    "hexadecimal length": (400, START + b"Content-Length: 0x3\r\n\r\nabc"),
    "length with a blank in it": (400, START + b"Content-Length: 3 3\r\n\r\nabc"),
    "empty length": (400, START + b"Content-Length: \r\n\r\nabc"),
    "length beyond 64 bits": (400, START + b"Content-Length: 99999999999999999999\r\n\r\nabc"),
    "blank before the colon": (400, START + b"Content-Length : 3\r\n\r\nabc"),
    # RFC 9112 section 6.1: transfer codings.
    "unknown coding": (501, START + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "coding before chunked": (501, START + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "chunked not last": (400, START + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    "chunked twice": (
        400,
        START + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
    "identity": (501, START + b"Transfer-Encoding: identity\r\n\r\n"),
    "vertical tab": (400, START + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    "empty coding": (400, START + b"Transfer-Encoding: \r\n\r\n0\r\n\r\n"),
    "chunks in HTTP/1.0": (400, b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    # RFC 9112 section 7.1: chunks.
    "chunk size no number": (400, CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n"),
    "chunk size with 0x": (400, CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n"),
    "chunk size with a sign": (400, CHUNKED + b"+3\r\nabc\r\n0\r\n\r\n"),
    "negative chunk size": (400, CHUNKED + b"-1\r\nabc\r\n0\r\n\r\n"),
    "blank behind the chunk size": (400, CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n"),
    "chunk size beyond 64 bits": (400, CHUNKED + b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
    "chunk longer than said": (400, CHUNKED + b"3\r\nabcX\r\n0\r\n\r\n"),
    "bare LF behind the chunk size": (400, CHUNKED + b"3\nabc\r\n0\r\n\r\n"),
    "bare LF behind the chunk": (400, CHUNKED + b"3\r\nabc\n0\r\n\r\n"),
    "bare LF in an extension": (400, CHUNKED + b"3;a\nabc\r\n0\r\n\r\n"),
    # RFC 9112 sections 2.2 and 5: lines and fields.
    "folded header": (400, START + b"X: a\r\n b\r\nContent-Length: 3\r\n\r\nabc"),
    "folded length": (400, START + b"Content-Length:\r\n 3\r\n\r\nabc"),
    "bare LF behind the request line": (400, b"GET / HTTP/1.1\nHost: a\r\n\r\n"),
    "bare LF behind a header": (400, START + b"X: a\nContent-Length: 3\r\n\r\nabc"),
    "bare LF behind the head": (400, START + b"Content-Length: 3\r\n\nabc"),
    "bare CR": (400, START + b"X: a\rY: b\r\n\r\n"),
    "NUL": (400, START + b"X: a\0b\r\n\r\n"),
    "blank before the first header": (400, b"GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    "header without a colon": (400, START + b"Xab\r\n\r\n"),
    "header without a name": (400, START + b": a\r\n\r\n"),
    "no Host": (400, b"GET / HTTP/1.1\r\n\r\n"),
    "two Hosts": (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    # Versions, methods, targets.
    "HTTP/0.9": (505, b"GET /\r\n\r\n"),
    "HTTP/2.0": (505, b"GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
    "HTTP/1.2": (400, b"GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
    "preface of HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "method in small letters": (400, b"get / HTTP/1.1\r\nHost: a\r\n\r\n"),
    "no such method": (400, b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n"),
    "CONNECT": (501, b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"),
    "bytes in the target": (400, b"GET /\xc3\xb6 HTTP/1.1\r\nHost: a\r\n\r\n"),
    "syslog": (400, b"<13>Oct 11 22:14:15 host app: hi\n"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_could_be_read_in_two_ways_is_refused(name: str) -> None:
    """Nothing behind a doubtful request is read, however it arrives."""
    status, data = REFUSED[name]
    for heard in whole_and_bytewise(data + get("/smuggled")):
        assert [refusal.status for refusal in heard.refusals] == [status]
        assert all(refusal.close for refusal in heard.refusals)
        assert heard.requests == []
        assert heard.reader.stage is Stage.OVER


def test_tls_on_the_plain_port_is_told() -> None:
    """Who speaks TLS to the port finds the reason in the answer."""
    heard = Heard().feed(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    assert b"TLS" in heard.refusals[0].body


def test_a_refusal_never_quotes_the_request() -> None:
    """No byte that was sent comes back, or could stand in a log."""
    for _, data in REFUSED.values():
        for refusal in Heard().feed(data.replace(b"abc", b"SECRET")).refusals:
            assert b"SECRET" not in refusal.body


def test_repeated_headers_are_a_list() -> None:
    """Fields of one name are joined, in order (RFC 9110 section 5.3)."""
    heard = Heard().feed(get("/", "Accept: a", "ACCEPT: b"))
    assert heard.heads[0].header(b"accept") == "a, b"


def test_a_trailer_does_not_change_the_head() -> None:
    """Fields behind the body are too late."""
    heard = Heard().feed(CHUNKED + b"0\r\nHost: b\r\nX-Late: 1\r\n\r\n")
    assert heard.heads[0].header(b"host") == "a"
    assert heard.heads[0].header(b"x-late") == ""


@pytest.mark.parametrize(
    ("version", "headers", "keep_alive", "http_1_0"),
    [
        ("1.1", [], True, False),
        ("1.1", ["Connection: close"], False, False),
        ("1.1", ["Connection: keep-alive"], True, False),
        ("1.0", [], False, True),
        ("1.0", ["Connection: keep-alive"], True, True),
    ],
)
def test_whether_the_client_goes_on(
    version: str, headers: list[str], keep_alive: bool, http_1_0: bool
) -> None:
    """HTTP/1.1 goes on unless it says no, HTTP/1.0 only where it says so."""
    request = Heard().feed(get("/", *headers, version=version)).heads[0]
    assert (request.keep_alive, request.http_1_0) == (keep_alive, http_1_0)
    assert request.peer == "192.0.2.7"


def test_an_upgrade_keeps_version_and_headers() -> None:
    """A request that asks for another protocol is otherwise as it was sent."""
    wants = ("Connection: Upgrade", "Upgrade: h2c", "X-Id: 7")
    request = Heard().feed(get("/", *wants, version="1.0")).heads[0]
    assert request.http_1_0
    assert request.header(b"x-id") == "7"


def test_an_upgrade_may_be_the_last_request() -> None:
    """Stopping works inside a request that is read again, too."""
    for where in ("begin", "end"):
        heard = Heard(stop_at=where).feed(get("/", "Connection: Upgrade", "Upgrade: h2c") * 2)
        assert len(heard.heads) == 1
        assert heard.reader.stage is Stage.OVER


def test_a_head_at_the_limit_is_read_and_one_above_refused() -> None:
    """The limit counts what the head holds, in one read or many."""
    bare = len(get("/")) - len("GET  HTTP/1.1\r\n\r\n")
    fits = get("/", "X: " + "a" * (MAX_HEAD - bare - len("X: \r\n")))
    for heard in (Heard().feed(fits), Heard().feed(fits[:500], fits[500:])):
        assert len(heard.requests) == 1
    above = get("/", "X: " + "a" * (MAX_HEAD - bare - len("X: \r\n") + 1))
    for heard in (Heard().feed(above), Heard().feed(above[:500], above[500:])):
        assert [refusal.status for refusal in heard.refusals] == [431]


def test_many_small_headers_are_too_many() -> None:
    """Empty fields count for what they cost, of one name or of many."""
    for fields in (["A:"] * 250, [f"{number}:" for number in range(250)]):
        heard = Heard().feed(get("/", *fields))
        assert [refusal.status for refusal in heard.refusals] == [431]


def test_pipelined_requests_do_not_add_up_to_a_long_head() -> None:
    """A long read of many short requests, the last one cut, is below the limit."""
    data = get("/") * 200
    heard = Heard().feed(data[:-5], data[-5:])
    assert len(heard.requests) == 200
    assert heard.refusals == []


@pytest.mark.parametrize(
    ("begin", "status"),
    [
        (b"", 431),
        (b"GET /", 431),
        (b"GET / HTTP/1.1\r\nHost: ", 431),
        (CHUNKED + b"3;", 400),
        (CHUNKED + b"0\r\nX-Trailer: ", 400),
    ],
)
def test_what_never_ends_is_cut_off(begin: bytes, status: int) -> None:
    """An endless line costs a bounded number of bytes, whatever line it is."""
    filler = b"\r\n" if not begin else b"aa"
    heard = Heard().feed(begin)
    for _ in range(MAX_HEAD):
        heard.feed(filler)
        if heard.refusals:
            break
    assert [refusal.status for refusal in heard.refusals] == [status]


@pytest.mark.parametrize("where", ["begin", "body", "end"])
def test_nothing_is_read_once_stopped(where: str) -> None:
    """Who stops the reader hears no more of what has arrived, or still comes."""
    heard = Heard(stop_at=where).feed(post(b"abc") + get("/x"), get("/y"))
    assert len(heard.heads) == 1
    assert heard.refusals == []
    assert heard.reader.stage is Stage.OVER


def test_a_bug_in_who_hears_comes_out() -> None:
    """An exception of ours is not taken for a fault of the client."""

    class Broken(Heard):
        def request_ends(self) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Broken().feed(get("/"))


@given(
    st.lists(st.sampled_from(sorted(VALID)), min_size=1, max_size=4),
    st.lists(st.integers(1, 60), max_size=20),
)
def test_any_split_of_requests_gives_the_same(names: list[str], sizes: list[int]) -> None:
    """Reads of any size give the same requests."""
    stream = b"".join(VALID[name][0] for name in names if name != "HTTP/1.0 without Host")
    wanted = [r for name in names if name != "HTTP/1.0 without Host" for r in VALID[name][1]]
    heard = Heard()
    for size in sizes:
        heard.feed(stream[:size])
        stream = stream[size:]
    assert heard.feed(stream).requests == wanted


class NoHeads(KnownHeads):
    """Forgets what it is to remember."""

    def remember(self, head: bytes, request: Request) -> None:
        """Forget it."""


def as_told(heard: Heard) -> list[object]:
    """All that a reader told of its requests, and whether it refused one."""
    heads = [
        (head.method, head.target, head.headers, head.content_length, head.chunked, head.peer)
        for head in heard.heads
    ]
    return [heads, heard.requests, heard.open, heard.reader.begun, len(heard.refusals)]


PIECES = [
    *(data for data, _ in VALID.values()),
    *(head("POST", "/a", f"Content-Length: {length}") for length in (0, 1, 3, 20)),
    *(b"abc", b"\r\n", b"\n\n", b"\r\n\r\n", b"GET / HTTP/1.1\nHost: a\n\n"),
    get("/x", "Connection: close"),
    START + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n",
]


@settings(max_examples=examples(170), deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=12),
    st.lists(st.integers(1, 200), max_size=6),
)
def test_known_heads_are_what_the_parser_makes_of_them(
    pieces: list[bytes], sizes: list[int]
) -> None:
    """With heads that are known, whatever comes is told as without."""
    stream = b"".join(pieces)
    reads = [stream[start : start + 2000] for start in range(0, len(stream), 2000)]
    parsed = as_told(Heard(known=NoHeads()).feed(*reads))
    known = KnownHeads()
    for pieces in ([*reads], [*reads], cut(stream, sizes)):
        told = as_told(Heard(known=known).feed(*pieces))
        # Of a stream that is refused, how much of it was read depends on the reads.
        assert told == parsed or (parsed[-1] and told[-1])


def cut(stream: bytes, sizes: list[int]) -> list[bytes]:
    """Cut a stream into pieces of these sizes, and the rest."""
    pieces = []
    for size in sizes:
        pieces.append(stream[:size])
        stream = stream[size:]
    return [*pieces, stream]


@pytest.mark.parametrize(
    ("data", "times"),
    [
        (post(b"abc"), 2),
        (post(b""), 2),
        (get("/x?a=1", "Accept: */*"), 2),
        (b"\r\n" + get(), 2),
        (post(b"abc", "Expect: 100-continue"), 0),
        (post(b"abc", "Connection: close"), 0),
        (post(b"abc", "Connection: Upgrade", "Upgrade: h2c"), 0),
        (post_chunked(b"abc"), 0),
        (get("/", version="1.0"), 0),
        (get("/", "Connection: keep-alive", version="1.0"), 0),
    ],
)
def test_a_head_is_known_again_if_it_leaves_nothing_open(data: bytes, times: int) -> None:
    """On any connection of the listener, with another body, in one read or several."""
    known = KnownHeads()
    for place, peer in enumerate(("192.0.2.1", "192.0.2.2", "192.0.2.3")):
        heard = Heard(known=known)
        heard.reader._peer = peer
        heard.feed(data)
        assert heard.known == (times > 0 and place > 0)
        assert heard.heads[0].peer == peer


def test_a_head_that_nobody_serves_or_is_long_is_not_kept() -> None:
    """It is refused, or read, each time in full."""
    known, longest = KnownHeads(), b"a" * MAX_KNOWN_HEAD_BYTES
    request = Request("GET", b"/", {})
    known.remember(longest, request)
    assert known == {}
    request.route = ROUTE
    known.remember(longest + b"a", request)
    assert known == {}
    known.remember(longest, request)
    assert list(known) == [longest]


def test_what_is_kept_of_a_request_is_not_the_request() -> None:
    """It is answered yet, with a body that may be long."""
    known = KnownHeads()
    heard = Heard(known=known).feed(post(b"abc"))
    heard.heads[0].body = b"abc"
    heard.heads[0].path = b"/other"
    (kept,) = known.values()
    assert (kept.body, kept.path, kept.peer, kept.route) == (b"", b"/echo", None, ROUTE)


@pytest.mark.parametrize("size", [2, 4, 5, 8])
def test_blank_lines_without_end_are_no_head(size: int) -> None:
    """However they are cut into reads."""
    heard = Heard()
    lines = b"\r\n" * MAX_HEAD
    heard.feed(*(lines[at : at + size] for at in range(0, len(lines), size)))
    assert [response.status for response in heard.refusals] == [431]


def test_few_heads_are_kept() -> None:
    """Senders with a new head in each request take no more memory."""
    known = KnownHeads()
    heard = Heard(known=known)
    for number in range(2 * MAX_KNOWN_HEADS + 1):
        heard.feed(get(f"/{number}"))
        assert 0 < len(known) <= MAX_KNOWN_HEADS
    assert len(known) == 1


def test_a_known_head_whose_body_has_not_come_is_read_by_the_parser() -> None:
    """It is waited for as any other."""
    known = KnownHeads()
    Heard(known=known).feed(post(b"abc"))
    heard = Heard(known=known).feed(post(b"abc")[:-1])
    assert heard.reader.stage is Stage.BODY
    assert heard.feed(b"c").requests == [("POST", b"/echo", b"abc")]
    assert heard.known == 0


def test_a_reader_that_is_stopped_takes_no_more_that_is_known() -> None:
    """What comes behind is not read."""
    known = KnownHeads()
    Heard(known=known).feed(get())
    heard = Heard(known=known, stop_at="end").feed(get() * 3)
    assert len(heard.requests) == 1


@given(st.binary(max_size=400), st.sampled_from([b"", START, CHUNKED, b"GET /"]))
def test_garbage_is_refused_at_most_once(data: bytes, begin: bytes) -> None:
    """Whatever comes, it is read or refused, and nothing else happens."""
    heard = Heard().feed(begin + data, data)
    assert len(heard.refusals) <= 1


def test_the_helpers_write_what_they_say() -> None:
    """The head of a request, as the tests send it."""
    assert head("PUT", "/a", "X: y") == b"PUT /a HTTP/1.1\r\nHost: localhost\r\nX: y\r\n\r\n"
