"""All that the inputs' port serves."""

import time
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from logopsd.figures.metrics import InputMetrics
from logopsd.listeners.http.messages import Choice, Routes
from logopsd.listeners.routes.health import health_routes
from logopsd.listeners.routes.intake import TakeDocuments, TakeFrames
from logopsd.listeners.routes.journal import JournalRoute
from logopsd.listeners.routes.logs import LogsRoute
from logopsd.listeners.routes.loki import LokiRoute
from logopsd.parsing.cursors import SeenCursors


def ingest_routes(
    *,
    take_frames: TakeFrames,
    take_documents: TakeDocuments,
    take_entries: TakeDocuments,
    metrics: InputMetrics,
    journal_metrics: InputMetrics,
    seen: SeenCursors,
    log: FilteringBoundLogger,
    version: str,
    pii_encryption: bool,
    not_ready: Callable[[], str | None],
    max_message: int,
    max_inflated_bytes: int,
    sample_size: int = 0,
    clock: Callable[[], float] = time.time,
) -> Routes:
    """Return the routes of the inputs' port.

    Args:
        take_frames: takes lines.
        take_documents: takes structured payloads.
        take_entries: takes the entries of journals.
        metrics: the figures of the input `http`.
        journal_metrics: those of `journal`.
        seen: which entries of journals were taken before.
        log: told of each request at debug: how many records, and what they lacked.
        version: of the daemon.
        pii_encryption: whether it encrypts.
        not_ready: says why records should not be sent now; None where they may.
        max_message: the most bytes of a line or a message.
        max_inflated_bytes: the most that a compressed body may inflate to, where it is streamed.
        sample_size: how many of the records, masked, are shown in the answer.
        clock: seconds since the epoch, for the answer to a body without records.
    """
    logs = LogsRoute(
        take_frames=take_frames,
        take_documents=take_documents,
        metrics=metrics,
        log=log,
        max_message=max_message,
        max_inflated_bytes=max_inflated_bytes,
        sample_size=sample_size,
        clock=clock,
    )
    loki = LokiRoute(take_documents=take_documents, metrics=metrics, log=log)
    journal = JournalRoute(
        take_documents=take_entries,
        metrics=journal_metrics,
        log=log,
        max_message=max_message,
        seen=seen,
    )
    health = health_routes(version=version, pii_encryption=pii_encryption, not_ready=not_ready)
    return {
        ("POST", "/v1/logs"): Choice(logs.choose),
        **loki.routes(),
        **journal.routes(),
        **health,
    }
