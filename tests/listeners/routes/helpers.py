"""The routes of the inputs' port with a pipeline that stores when the test says so."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from logopsd.figures.metrics import InputMetrics
from logopsd.listeners.routes.ingest import ingest_routes
from logopsd.parsing.cursors import SeenCursors
from logopsd.records import Batch, Frames, Record
from tests.listeners.http.helpers import Client, post

RECEIVED = "2026-11-23T17:00:00.123Z"


class Pipeline:
    """Stands for the pipeline: makes a record of each item, and stores when the test says so."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.formats: list[str] = []
        self.peers: list[object] = []
        self.waiting: list[Callable[[], None]] = []
        self.calls = 0
        self.cuts: list[dict[int, int]] = []
        self.failing: list[Callable[[Exception], None]] = []
        self.fails_at_call = 0

    def take_frames(
        self,
        frames: Frames,
        peers: str | None,
        *,
        on_stored: Callable[[], None],
        on_failed: Callable[[Exception], None],
    ) -> Batch:
        """Take lines."""
        self.cuts.append(dict(frames.cut))
        self.failing.append(on_failed)
        return self._take(frames.frames, peers, "lines", on_stored)

    def take_documents(
        self,
        documents: Sequence[object],
        peer: str | None,
        *,
        format: str,
        on_stored: Callable[[], None],
        on_failed: Callable[[Exception], None],
    ) -> Batch:
        """Take documents."""
        self.failing.append(on_failed)
        return self._take(documents, peer, format, on_stored)

    def _take(
        self, items: Sequence[object], peer: str | None, format: str, stored: Callable[[], None]
    ) -> Batch:
        self.calls += 1
        if self.calls == self.fails_at_call:
            raise ZeroDivisionError("with a SECRET in it")
        self.items += items
        self.formats.append(format)
        self.peers.append(peer)
        self.waiting.append(stored)
        records = [Record(RECEIVED, "INFO", str(item)) for item in items]
        return Batch("http", 0.0, RECEIVED, records, missing_ts=len(records), missing_level=1)

    def store(self) -> None:
        """Give the receipts of all that waits."""
        for stored in self.waiting:
            stored()
        self.waiting.clear()


class Case:
    """A client of the routes, and what stands behind them."""

    def __init__(
        self,
        *,
        sample_size: int = 0,
        max_message: int = 8192,
        max_inflated_bytes: int = 2**20,
        seen: SeenCursors | None = None,
    ) -> None:
        self.intake = Pipeline()
        self.metrics = InputMetrics("http")
        self.journal_metrics = InputMetrics("journal")
        self.seen = SeenCursors() if seen is None else seen
        self.client = Client({})
        routes = ingest_routes(
            take_frames=self.intake.take_frames,
            take_documents=self.intake.take_documents,
            take_entries=self.intake.take_documents,
            metrics=self.metrics,
            journal_metrics=self.journal_metrics,
            seen=self.seen,
            log=self.client.log.logger,
            version="1.2.3",
            pii_encryption=False,
            not_ready=lambda: None,
            max_message=max_message,
            max_inflated_bytes=max_inflated_bytes,
            sample_size=sample_size,
            clock=lambda: 1_000_000_000.5,
        )
        log = self.client.log
        self.client = Client(routes)
        self.client.log = log

    def post(self, body: bytes, *headers: str, path: str = "/v1/logs") -> "Case":
        """Send a body."""
        self.client.send(post(body, *headers, path=path))
        return self

    def answer(self) -> tuple[int, Any]:
        """Store all that waits; give the status and the body of the last answer."""
        self.intake.store()
        status, _, body = self.client.answers[-1]
        return status, json.loads(body) if body else None


MAX_TURNS = 200
"""Turns of the loop given to a test; more than the pieces of any body here."""


def in_loop(case: Case, *pieces: bytes) -> Case:
    """Send pieces, let the loop turn, and store what waits at each turn."""

    async def run() -> None:
        case.client.send(*pieces)
        for _ in range(MAX_TURNS):
            case.intake.store()
            await asyncio.sleep(0)

    asyncio.run(run())
    return case
