"""The way of one batch, from frames to the sink, as visible lines.

A batch is what one read of a socket or one request brought. It runs through all steps in line
with that read, in the event loop: there is no queue and no task between the socket and the
sink, so a batch costs the loop a few milliseconds, and back-pressure is one number, the bytes
the sink has not yet written.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from logopsd.encoding import encode
from logopsd.metrics import Metrics
from logopsd.parsing.documents import DocumentParser
from logopsd.parsing.lines import LineParser
from logopsd.privacy.stage import PrivacyStage
from logopsd.records import Batch, Frames, Receipt, Record
from logopsd.sources import Sources

Told = Callable[[], None] | None
"""Who wants to hear, in the event loop, that a batch is stored; None where nobody does."""


class Sink(Protocol):
    """Where the bytes of a batch go; see sinks/."""

    def write(self, data: bytes, day: str, receipt: Receipt) -> None:
        """Take whole lines for the file of a UTC day, `YYYYMMDD`; never blocks."""


class Pipeline:
    """Parse, normalise, mask, encode and hand to the sink, one batch at a time.

    Args:
        lines: turns frames into records.
        documents: turns structured payloads into records.
        privacy: masks and encrypts records in place; what it cannot mask it withholds.
        sink: takes bytes and gives receipts.
        metrics: each batch touches each figure once.
        clock: seconds since the epoch.
        sources: takes note of the senders; one of its own where not given.

    `lines`, `documents` and `privacy` may be replaced between two batches, as settings change.
    """

    def __init__(
        self,
        *,
        lines: LineParser,
        documents: DocumentParser,
        privacy: PrivacyStage,
        sink: Sink,
        metrics: Metrics,
        clock: Callable[[], float],
        sources: Sources | None = None,
    ) -> None:
        self.lines = lines
        self.documents = documents
        self.privacy = privacy
        self._sink = sink
        self._metrics = metrics
        self._clock = clock
        self.sources = Sources(tz=UTC) if sources is None else sources

    def take_frames(
        self,
        input: str,
        frames: Frames,
        peers: str | Sequence[str] | None,
        *,
        on_stored: Told = None,
    ) -> Batch:
        """Take complete frames, a record each.

        Args:
            input: one of records.INPUTS.
            frames: what a framer cut out of a stream, or datagrams.
            peers: the sender's address, for all frames or one for each.
            on_stored: called in the event loop, after this call, once the records are stored.

        Returns:
            The batch, its records masked, for who wants to answer with its counts.
        """
        batch = self._new_batch(input)
        self.lines.parse(frames, peers, batch)
        self._metrics.input(input).truncated += len(frames.cut)
        self._store(batch, on_stored)
        self.sources.see(batch, list(map(len, frames.frames)))
        return batch

    def take_documents(
        self,
        input: str,
        documents: Sequence[object],
        peer: str | None,
        *,
        format: str,
        on_stored: Told = None,
    ) -> Batch:
        """Take structured payloads (JSON objects, CSV rows), a record each; else as take_frames."""
        batch = self._new_batch(input)
        self.documents.parse(documents, peer, batch, format=format)
        self._store(batch, on_stored)
        self.sources.see(batch)
        return batch

    def write_own(self, records: Sequence[Record]) -> None:
        """Write records of the daemon's own, such as its account, which no input received.

        They are not counted, and not masked either: nothing in them comes from a sender.
        """
        if records:
            day = records[0].received[:10].replace("-", "")
            self._sink.write(encode(records), day, Receipt(records[0].input, 0))

    def _new_batch(self, input: str) -> Batch:
        now = self._clock()
        return Batch(input, now, rfc3339_milliseconds(now))

    def _store(self, batch: Batch, on_stored: Told) -> None:
        report = self.privacy.apply(batch)
        data = encode(batch.records)
        count = len(batch.records)

        figures = self._metrics.input(batch.input)
        figures.received += count
        figures.inflight += count
        figures.missing_ts += batch.missing_ts
        figures.missing_level += batch.missing_level
        for detector, spans in report.masked.items():
            self._metrics.masked(detector, spans)
        if report.withheld:
            self._metrics.withheld(report.withheld)

        day = batch.received[:10].replace("-", "")
        self._sink.write(data, day, Receipt(batch.input, count, on_stored))


def rfc3339_milliseconds(epoch: float) -> str:
    """Write a time as RFC 3339 section 5.6, UTC, with milliseconds."""
    moment = datetime.fromtimestamp(epoch, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
