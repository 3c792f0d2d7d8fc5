"""What OTLP/HTTP is answered on /v1/logs.

Source: OTLP 1.x, "OTLP/HTTP Response": 200 with an empty object, or with `partialSuccess`; an
error is a Status, of which the message is told.
"""

from typing import Any

from logopsd.errors import PayloadError
from logopsd.figures.metrics import InputMetrics
from logopsd.listeners.http.messages import Response, json_response
from logopsd.listeners.routes.answers import Taken
from logopsd.listeners.routes.intake import Plan, TakeDocuments, taking
from logopsd.parsing.otlp import FORMAT, read_export

PROTOBUF_TYPES = ("application/x-protobuf", "application/protobuf")


class OtlpError(Exception):
    """An export request cannot be read; the text says where, and never quotes it."""


def plan(
    document: Any, peer: str | None, take_documents: TakeDocuments, metrics: InputMetrics
) -> Plan:
    """Return what is to be taken of an export request.

    Raises:
        OtlpError: it is none.
    """
    try:
        export = read_export(document)
    except PayloadError as error:
        raise OtlpError(str(error)) from None
    metrics.received += export.rejected
    metrics.drop("rejected", export.rejected)

    def answer(_: Taken) -> Response:
        if not export.rejected:
            return json_response(200, {})
        partial = {"rejectedLogRecords": str(export.rejected), "errorMessage": export.reason}
        return json_response(200, {"partialSuccess": partial})

    items = export.items
    return Plan(taking(take_documents, items, peer, FORMAT), len(items), answer)


def refused(message: str) -> Response:
    """400: the request will never be taken."""
    return json_response(400, {"message": message})


def refused_protobuf() -> Response:
    """415, with the mend."""
    detail = (
        "OTLP is taken as JSON: set `encoding: json` on the Collector's otlphttp exporter, or "
        "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/json where an SDK has it"
    )
    content = {"error": "Unsupported Media Type", "detail": detail, "message": detail}
    return json_response(415, content, headers=(("Accept", "application/json"),))
