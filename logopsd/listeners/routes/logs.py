"""POST /v1/logs: log records in a request body, answered once they are stored."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

import msgspec
from structlog.typing import FilteringBoundLogger

from logopsd.errors import PayloadError
from logopsd.framing.newline import NewlineFramer
from logopsd.listeners.http.messages import (
    JSON,
    Request,
    Respond,
    Response,
    Route,
    Routes,
    error_response,
    json_response,
)
from logopsd.listeners.routes.health import health_routes
from logopsd.listeners.routes.intake import Intake, Take, Taken
from logopsd.metrics import InputMetrics
from logopsd.parsing.bodies import decode_csv, decode_json, decode_ndjson
from logopsd.records import Batch, Frames

NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
TEXT = "text/plain"
CSV = "text/csv"
SERVED = (JSON, *NDJSON_TYPES, TEXT, CSV)
"""The content types of /v1/logs."""

FORM = "application/x-www-form-urlencoded"
"""What curl says of any -d, whatever it is."""

UTF_8 = ("", "utf-8", "utf8", "us-ascii", "ascii")
CHARSETS = ("iso-8859-1", "latin1", "iso-8859-15", "windows-1252", "utf-16", "utf-16le", "utf-16be")
"""Character sets that are turned into UTF-8; a closed set, as Python knows codecs that are none."""


class TakeFrames(Protocol):
    """Pipeline.take_frames, bound to the input."""

    def __call__(
        self, frames: Frames, peers: str | None, *, on_stored: Callable[[], None]
    ) -> Batch:
        """Take lines, a record each."""


class TakeDocuments(Protocol):
    """Pipeline.take_documents, bound to the input."""

    def __call__(
        self,
        documents: Sequence[object],
        peer: str | None,
        *,
        format: str,
        on_stored: Callable[[], None],
    ) -> Batch:
        """Take structured payloads, a record each."""


def ingest_routes(
    *,
    take_frames: TakeFrames,
    take_documents: TakeDocuments,
    metrics: InputMetrics,
    log: FilteringBoundLogger,
    version: str,
    pii_encryption: bool,
    not_ready: Callable[[], str | None],
    max_message: int,
    sample_size: int = 0,
    clock: Callable[[], float] = time.time,
) -> Routes:
    """Return the routes of the inputs' port.

    Args:
        take_frames: takes lines.
        take_documents: takes JSON objects and CSV rows.
        metrics: the figures of the input; counts here what the framer found malformed.
        log: told of each request at debug: how many records, and what they lacked.
        version: of the daemon.
        pii_encryption: whether it encrypts.
        not_ready: says why records should not be sent now; None where they may.
        max_message: the most bytes of a line.
        sample_size: how many of the records, masked, are shown in the answer.
        clock: seconds since the epoch, for the answer to a body without records.
    """
    logs = LogsRoute(
        take_frames=take_frames,
        take_documents=take_documents,
        metrics=metrics,
        log=log,
        max_message=max_message,
        sample_size=sample_size,
        clock=clock,
    )
    health = health_routes(version=version, pii_encryption=pii_encryption, not_ready=not_ready)
    return {("POST", "/v1/logs"): Route(logs.handle, check=refuse_type), **health}


class LogsRoute:
    """Takes the records of a request body; for the arguments see `ingest_routes`."""

    def __init__(
        self,
        *,
        take_frames: TakeFrames,
        take_documents: TakeDocuments,
        metrics: InputMetrics,
        log: FilteringBoundLogger,
        max_message: int,
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

    def handle(self, request: Request, respond: Respond) -> None:
        """Take the records, and answer when they are stored; take none of a body that is bad."""

        def done(taken: Taken) -> None:
            self._log.debug("ingest", input="http", **_figures(taken))
            respond(_answer(taken))

        def failed(error: Exception) -> None:
            self._log.error("ingest_failed", input="http", type=type(error).__name__)
            respond(error_response(500, "not all of the body could be processed"))

        try:
            take, count = self._read(request)
        except PayloadError as error:
            respond(error_response(400, str(error)))
            return
        if count:
            size = self._sample_size
            Intake(take, count, sample_size=size, done=done, failed=failed).begin()
        else:
            respond(_answer(Taken(ts=_timestamp(self._clock()))))

    def _read(self, request: Request) -> tuple[Take, int]:
        """Read the whole body; give what hands its items down, and how many they are."""
        content_type, charset = content_type_of(request)
        body = request.body if charset in UTF_8 else _recoded(request.body, charset)
        if content_type == TEXT:
            return self._read_text(body, request.peer)
        documents: Sequence[object]
        if not body:
            documents, format = [], "json"
        elif content_type == CSV:
            documents, format = decode_csv(body), "csv"
        elif content_type == JSON:
            documents, format = decode_json(body), "json"
        else:
            documents, format = decode_ndjson(body), "json"
        peer = request.peer

        def take(start: int, stop: int, stored: Callable[[], None]) -> Batch:
            return self._take_documents(
                documents[start:stop], peer, format=format, on_stored=stored
            )

        return take, len(documents)

    def _read_text(self, body: bytes, peer: str | None) -> tuple[Take, int]:
        framer = NewlineFramer(max_message=self._max_message)
        # With a line end behind the last line, one call gives them all.
        frames = framer.receive_data(body if body.endswith(b"\n") else body + b"\n")
        for reason, count in frames.faults.items():
            self._metrics.fault(reason, count)

        def take(start: int, stop: int, stored: Callable[[], None]) -> Batch:
            cut = {
                place - start: length
                for place, length in frames.cut.items()
                if start <= place < stop
            }
            some = Frames(frames.frames[start:stop], cut)
            return self._take_frames(some, peer, on_stored=stored)

        return take, len(frames.frames)


def _answer(taken: Taken) -> Response:
    content: dict[str, object] = {
        "accepted": taken.accepted,
        "ts": taken.ts,
        "missing_ts": taken.missing_ts,
        "missing_level": taken.missing_level,
    }
    if taken.sample:
        content["sample"] = [msgspec.Raw(line) for line in taken.sample]
    return json_response(200, content)


def _figures(taken: Taken) -> dict[str, int]:
    return {
        "accepted": taken.accepted,
        "missing_ts": taken.missing_ts,
        "missing_level": taken.missing_level,
    }


def refuse_type(request: Request) -> Response | None:
    """Refuse, by the head alone, a body that is of no type we read."""
    content_type, charset = content_type_of(request)
    if content_type in SERVED:
        if charset in UTF_8 or charset in CHARSETS:
            return None
        return error_response(415, f"the charset must be UTF-8 or one of {', '.join(CHARSETS)}")
    served = ", ".join(SERVED)
    if content_type in ("", FORM):
        detail = (
            "say what the body is: add -H 'Content-Type: application/json' for JSON "
            f"(curl does not do it by itself), or one of {served}"
        )
    else:
        detail = f"the Content-Type must be one of {served}"
    return error_response(415, detail, headers=(("Accept", served),))


def content_type_of(request: Request) -> tuple[str, str]:
    """Return the content type and the charset, both in lower case; empty where not given."""
    return _parsed_type(request.headers.get(b"content-type", b""))


@lru_cache(maxsize=64)  # a sender says the same with every request
def _parsed_type(header: bytes) -> tuple[str, str]:
    content_type, *parameters = header.decode("latin-1").lower().split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset":
            return content_type.strip(), value.strip().strip('"')
    return content_type.strip(), ""


def _recoded(body: bytes, charset: str) -> bytes:
    """Turn a body into UTF-8; what is invalid in it becomes U+FFFD, no line is lost."""
    return body.decode(charset, "replace").encode()


def _timestamp(epoch: float) -> str:
    moment = datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds")
    return moment.replace("+00:00", "Z")
