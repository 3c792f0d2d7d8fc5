"""One request and its answer: refused by its head, or its body taken and handed to a route."""

from collections.abc import Callable
from http import HTTPStatus

import msgspec
from msgspec.structs import replace

from logopsd.listeners.http.inflate import InflateError, Inflater
from logopsd.listeners.http.messages import (
    BodyConsumer,
    Choice,
    Request,
    Response,
    Route,
    StreamRoute,
    error_response,
)
from logopsd.listeners.http.refusals import (
    busy,
    coding_of,
    max_body_bytes,
    method_not_allowed,
    not_found,
    refusal,
    refusal_now,
    too_long,
)
from logopsd.listeners.http.service import Service


class Exchange(msgspec.Struct, eq=False):
    """One request and its answer; a struct, as each request makes one, which msgspec does in C.

    Args:
        service: of the listener.
        request: its head.
        on_answer: called when the answer is there.

    Attributes:
        request: as handed in.
        answer: None until there is one.
        awaits_continue: the client waits to be told that it may send the body.
        body_over: whether the body is complete.
        wire_bytes: how much of the body has come, as sent.
        discarded_bytes: how much of it came behind an answer given early.
    """

    _service: Service
    request: Request
    _on_answer: Callable[["Exchange"], None]
    answer: Response | None = None
    awaits_continue: bool = False
    body_over: bool = False
    wire_bytes: int = 0
    discarded_bytes: int = 0
    _route: Route | StreamRoute | None = None
    _max_body_bytes: int | None = None
    _consumer: BodyConsumer | None = None
    _inflater: Inflater | None = None
    _chunks: list[bytes] = []
    _size: int = 0
    _held: int = 0  # by the consumer, as the service counts it

    @property
    def is_streamed(self) -> bool:
        """Whether the body goes to its route as it comes."""
        return self._consumer is not None

    @property
    def is_patient(self) -> bool:
        """Whether the body may rest for as long as it likes."""
        return isinstance(self._route, StreamRoute) and self._route.patient

    def respond(self, response: Response) -> None:
        """Answer; once.

        Raises:
            RuntimeError: it was answered before, a bug in the route.
        """
        if self.answer is not None:
            raise RuntimeError("a request was answered twice")
        self.answer = response
        if self._held or self._chunks:
            self._release()
        self._on_answer(self)

    def begin(self) -> None:
        """Refuse by the head, or make ready for the body."""
        route = self._chosen_route()
        if route is not None:
            self._open(route)

    def serve(self) -> None:
        """Do all of it, as the body has come with the head."""
        request, route = self.request, self._chosen_route()
        body = request.body
        if type(route) is Route and b"content-encoding" not in request.headers:
            self.wire_bytes = len(body)
            self.body_over = True
            try:
                route.handler(request, self.respond)
            except Exception as error:
                self._fail(error)
            request.body = b""  # the answer may be long in coming
            return
        request.body = b""
        if route is not None:
            self._open(route)
        if body:
            self.receive(body)
        self.end()

    def receive(self, data: bytes) -> None:
        """Take a piece of the body, as sent."""
        self.wire_bytes += len(data)
        self.awaits_continue = False
        if self.answer is not None:
            self.discarded_bytes += len(data)
        elif self._max_body_bytes is not None and self.wire_bytes > self._max_body_bytes:
            self.refuse(too_long(self._max_body_bytes))
        elif self._inflater is None:
            self._take(data)
        else:
            self._inflate(self._inflater, data)

    def end(self) -> None:
        """Take the end of the body: the time for the route to act."""
        self.body_over = True
        self.awaits_continue = False
        if self.answer is not None:
            return
        try:
            if self._inflater is not None:
                self._inflater.end()
        except InflateError as error:
            self.refuse(error_response(400, str(error)))
        else:
            self._guard(self._finish)

    def refuse(self, response: Response) -> None:
        """Answer for the route, and end the connection where the body cannot be read away."""
        if not self.body_over and self._is_body_too_much(response):
            response = replace(response, close=True)
        consumer, self._consumer = self._consumer, None
        self.respond(response)
        if consumer is not None:
            self._guard(consumer.abort)

    def abort(self) -> None:
        """The client is gone: nobody waits for the answer, and the body will not be complete."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None and not self.body_over:
            self._guard(consumer.abort)
        self._release()

    def _chosen_route(self) -> Route | StreamRoute | None:
        """Return who serves the request; refuse it where nobody does, or will."""
        request, service = self.request, self._service
        route = request.route or self._found_route(request)
        if route is None:
            return None
        response = refusal_now(request, route, service)
        # What is wrong with a head is told to those alone who may send.
        if response is None and request.route is None:
            response = refusal(request, route, service)
        if response is None and route.check is not None:
            response = route.check(request)
        if response is not None:
            self.refuse(response)
            return None
        request.route = route
        return route

    def _found_route(self, request: Request) -> Route | StreamRoute | None:
        methods = self._service.methods_at(request)
        if methods is None:
            self.refuse(not_found())
            return None
        route = methods.get(request.method)
        if route is None:
            self.refuse(method_not_allowed(methods))
            return None
        return route.choose(request) if isinstance(route, Choice) else route

    def _open(self, route: Route | StreamRoute) -> None:
        request = self.request
        self._route = route
        self._max_body_bytes = max_body_bytes(route, self._service)
        self.awaits_continue = b"expect" in request.headers and not request.http_1_0
        coding = coding_of(request)
        if coding is not None:
            self._inflater = Inflater(coding)
        if isinstance(route, StreamRoute):
            self._guard(self._open_stream, route)

    def _open_stream(self, route: StreamRoute) -> None:
        consumer = route.begin(self.request, self.respond)
        if self.answer is None:
            self._consumer = consumer

    def _inflate(self, inflater: Inflater, data: bytes) -> None:
        try:
            for piece in inflater.inflate(data):
                self._take(piece)
                if self.answer is not None:
                    return
        except InflateError as error:
            self.refuse(error_response(400, str(error)))

    def _take(self, piece: bytes) -> None:
        """Take a piece of the body, decompressed."""
        self._size += len(piece)
        if self._max_body_bytes is not None and self._size > self._max_body_bytes:
            self.refuse(too_long(self._max_body_bytes))
        elif self._consumer is not None:
            self._guard(self._consumer.data, piece)
            self._count_held()
        else:
            self._collect(piece)

    def _collect(self, piece: bytes) -> None:
        service = self._service
        self._chunks.append(piece)
        service.buffered_bytes += len(piece)
        if service.buffered_bytes > service.limits.max_buffered_bytes:
            self.refuse(busy())

    def _count_held(self) -> None:
        """Count what a consumer holds: many slow bodies may not take all memory."""
        consumer, service = self._consumer, self._service
        if consumer is None or self.answer is not None:
            return
        service.buffered_bytes += consumer.held_bytes - self._held
        self._held = consumer.held_bytes
        if service.buffered_bytes > service.limits.max_buffered_bytes:
            self.refuse(busy())

    def _finish(self) -> None:
        if self._consumer is not None:
            self._consumer.end()
        elif self._service.paused and self.request.method == "POST":
            self.refuse(busy())
        else:
            assert isinstance(self._route, Route)
            self.request.body = b"".join(self._chunks)
            self._release()
            self._route.handler(self.request, self.respond)
            self.request.body = b""  # the answer may be long in coming

    def _guard(self, step: Callable[..., None], *arguments: object) -> None:
        """Run a step of a route; what it raises is a bug of ours, and none of the client's."""
        try:
            step(*arguments)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        path = self.request.path.decode("latin-1")
        self._service.log.error("http_route_failed", path=path, type=type(error).__name__)
        if self.answer is None:
            self.refuse(error_response(500, "the request could not be processed"))

    def _is_body_too_much(self, response: Response) -> bool:
        """Tell whether too much of the body may still come to read it away."""
        request = self.request
        if b"expect" in request.headers:  # whether it comes now is up to the client
            return True
        if request.content_length is None:
            return response.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        left = request.content_length - self.wire_bytes
        return left > self._service.limits.max_discarded_bytes

    def _release(self) -> None:
        """Let go of what was collected."""
        self._service.buffered_bytes -= self._held
        self._held = 0
        if self._chunks:
            self._service.buffered_bytes -= sum(map(len, self._chunks))
            self._chunks = []
