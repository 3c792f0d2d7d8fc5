"""POST /v1/logs: log records in a request body, answered once they are stored."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from structlog.typing import FilteringBoundLogger

from logopsd.errors import PayloadError
from logopsd.figures.metrics import InputMetrics
from logopsd.framing.newline import NewlineFramer
from logopsd.listeners.http.messages import (
    JSON,
    Request,
    Respond,
    Response,
    Route,
    StreamRoute,
    error_response,
)
from logopsd.listeners.routes import otlp
from logopsd.listeners.routes.answers import Taken
from logopsd.listeners.routes.content_types import CHARSETS, UTF_8, content_type_of
from logopsd.listeners.routes.intake import (
    Failed,
    Intake,
    Plan,
    Stored,
    TakeDocuments,
    TakeFrames,
    taking,
)
from logopsd.listeners.routes.ndjson import NDJSON_TYPES, NdjsonRoute
from logopsd.listeners.routes.otlp import OtlpError
from logopsd.parsing.bodies import decode_csv, decode_json
from logopsd.parsing.otlp import is_export
from logopsd.records import Batch, Frames

TEXT = "text/plain"
CSV = "text/csv"
SERVED = (JSON, *NDJSON_TYPES, TEXT, CSV)
"""The content types of /v1/logs."""

FORM = "application/x-www-form-urlencoded"
"""What curl says of any -d, whatever it is."""


class LogsRoute:
    """Takes the records of a request body.

    Args:
        take_frames: takes lines.
        take_documents: takes JSON objects, CSV rows and the log records of OTLP.
        metrics: the figures of the input; counts here what the framer found malformed.
        log: told of each request at debug: how many records, and what they lacked.
        max_message: the most bytes of a line.
        max_inflated_bytes: the most that a compressed body of NDJSON may inflate to.
        sample_size: how many of the records, masked, are shown in the answer.
        clock: seconds since the epoch, for the answer to a body without records.
    """

    def __init__(
        self,
        *,
        take_frames: TakeFrames,
        take_documents: TakeDocuments,
        metrics: InputMetrics,
        log: FilteringBoundLogger,
        max_message: int,
        max_inflated_bytes: int,
        sample_size: int,
        clock: Callable[[], float],
    ) -> None:
        self._take_frames = take_frames
        self._take_documents = take_documents
        self._metrics = metrics
        self._log = log
        self._max_message = max_message
        self._sample_size = sample_size
        self._clock = clock
        ndjson = NdjsonRoute(
            take_documents=take_documents,
            metrics=metrics,
            log=log,
            max_inflated_bytes=max_inflated_bytes,
            sample_size=sample_size,
            timestamp=self._now,
        )
        self._whole = Route(self.handle, check=refuse_type)
        self._streamed = StreamRoute(ndjson.begin, check=refuse_type)

    def choose(self, request: Request) -> Route | StreamRoute:
        """Take NDJSON as it comes, and all else whole."""
        if content_type_of(request)[0] in NDJSON_TYPES:
            return self._streamed
        return self._whole

    def handle(self, request: Request, respond: Respond) -> None:
        """Take the records, and answer when they are stored; take none of a body that is bad."""
        try:
            plan = self._read(request)
        except PayloadError as error:
            respond(error_response(400, str(error)))
            return
        except OtlpError as error:
            respond(otlp.refused(str(error)))
            return

        if plan.count:
            Intake(plan, respond, self._log, self._sample_size).begin()
        else:
            respond(plan.answer(Taken(ts=self._now())))

    def _now(self) -> str:
        moment = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        return moment.replace("+00:00", "Z")

    def _read(self, request: Request) -> Plan:
        """Read the whole body."""
        content_type, charset = content_type_of(request)
        body, peer = request.body, request.peer
        if charset not in UTF_8:
            body = _recoded(body, charset)
        if content_type == TEXT:
            return self._read_text(body, peer)
        documents: Sequence[object] = ()
        format = "json"
        if not body:
            pass
        elif content_type == CSV:
            documents, format = decode_csv(body), "csv"
        else:
            documents = decode_json(body)
            if len(documents) == 1 and is_export(documents[0]):
                return otlp.plan(documents[0], peer, self._take_documents, self._metrics)
        return Plan(taking(self._take_documents, documents, peer, format), len(documents))

    def _read_text(self, body: bytes, peer: str | None) -> Plan:
        framer = NewlineFramer(max_message=self._max_message)
        # With a line end behind the last line, one call gives them all.
        frames = framer.receive_data(body if body.endswith(b"\n") else body + b"\n")
        for reason, count in frames.faults.items():
            self._metrics.fault(reason, count)

        def take(start: int, stop: int, stored: Stored, failed: Failed) -> Batch:
            cut = {
                place - start: length
                for place, length in frames.cut.items()
                if start <= place < stop
            }
            some = Frames(frames.frames[start:stop], cut)
            return self._take_frames(some, peer, on_stored=stored, on_failed=failed)

        return Plan(take, len(frames.frames))


def refuse_type(request: Request) -> Response | None:
    """Refuse, by the head alone, a body that is of no type we read."""
    content_type, charset = content_type_of(request)
    if content_type in SERVED:
        if charset in UTF_8 or charset in CHARSETS:
            return None
        return error_response(415, f"the charset must be UTF-8 or one of {', '.join(CHARSETS)}")
    if content_type in otlp.PROTOBUF_TYPES:
        return otlp.refused_protobuf()
    served = ", ".join(SERVED)
    if content_type in ("", FORM):
        detail = (
            "say what the body is: add -H 'Content-Type: application/json' for JSON "
            f"(curl does not do it by itself), or one of {served}"
        )
    else:
        detail = f"the Content-Type must be one of {served}"
    return error_response(415, detail, headers=(("Accept", served),))


def _recoded(body: bytes, charset: str) -> bytes:
    """Turn a body into UTF-8; what is invalid in it becomes U+FFFD, no line is lost."""
    return body.decode(charset, "replace").encode()
