"""POST /loki/api/v1/push: what Loki's clients push as JSON."""

from functools import partial

from structlog.typing import FilteringBoundLogger

from logopsd.errors import PayloadError
from logopsd.figures.metrics import InputMetrics
from logopsd.listeners.http.messages import (
    JSON,
    Request,
    Respond,
    Response,
    Route,
    Routes,
    error_response,
)
from logopsd.listeners.routes.answers import Rejected, Taken, partly_stored
from logopsd.listeners.routes.content_types import content_type_of
from logopsd.listeners.routes.intake import Intake, Plan, TakeDocuments, taking
from logopsd.parsing.bodies import decode_json
from logopsd.parsing.loki import FORMAT, Push, read_push

PATH = "/loki/api/v1/push"

_NO_CONTENT = Response(204)


class LokiRoute:
    """Takes push requests.

    Args:
        take_documents: takes the lines.
        metrics: the figures of the input; counts here what was rejected.
        log: told of each request at debug.
    """

    def __init__(
        self,
        *,
        take_documents: TakeDocuments,
        metrics: InputMetrics,
        log: FilteringBoundLogger,
    ) -> None:
        self._take_documents = take_documents
        self._metrics = metrics
        self._log = log

    def routes(self) -> Routes:
        """Return the one route."""
        return {("POST", PATH): Route(self.handle, check=refuse_type)}

    def handle(self, request: Request, respond: Respond) -> None:
        """Take the lines, and answer when they are stored."""
        try:
            documents = decode_json(request.body)
            push = read_push(documents[0] if len(documents) == 1 else None)
        except PayloadError as error:
            respond(error_response(400, str(error)))
            return
        self._metrics.received += push.rejected
        self._metrics.drop("rejected", push.rejected)

        if push.lines:
            take = taking(self._take_documents, push.lines, request.peer, FORMAT)
            plan = Plan(take, len(push.lines), partial(_answer, push))
            Intake(plan, respond, self._log).begin()
        else:
            respond(_answer(push, Taken()))


def _answer(push: Push, taken: Taken) -> Response:
    """Answer as Loki does: of a request that is partly bad the good lines are stored all the same.

    The client must not send it again, so it is told 400.
    """
    if not push.rejected:
        return _NO_CONTENT
    detail = f"{push.reason}; what is sound of the request is stored"
    return partly_stored(400, detail, taken, Rejected(push.rejected))


def refuse_type(request: Request) -> Response | None:
    """Refuse, by the head alone, the protobuf that Promtail and Alloy push."""
    if content_type_of(request)[0] == JSON:
        return None
    return error_response(
        415,
        "this path takes Loki's push as application/json; Promtail and Alloy's loki.write speak "
        'protobuf alone, so let Alloy send OTLP: otelcol.exporter.otlphttp with encoding = "json"',
        headers=(("Accept", JSON),),
    )
