"""The way of one batch, from frames to the sink, as visible lines.

A batch is what one read of a socket or one request brought. It runs through all steps in line
with that read, in the event loop: there is no queue and no task between the socket and the
sink, so a batch costs the loop a few milliseconds, and back-pressure is one number, the bytes
the sink has not yet written. Small batches are parsed in line, and masked and stored together at
the end of the loop's turn that brought them.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from logopsd.encoding import encode
from logopsd.figures.metrics import Metrics
from logopsd.figures.sources import Sources
from logopsd.gathering import Failed, Gatherer, Parcel, Told
from logopsd.parsing.documents import DocumentParser
from logopsd.parsing.lines import LineParser
from logopsd.privacy.stage import PrivacyStage
from logopsd.rate_limit import Notice, RateLimiter, limit_frames
from logopsd.records import INPUTS, Batch, Frames, Receipt, Record
from logopsd.sinks.contract import Sink

_MILLISECONDS = [f"{number:03d}Z" for number in range(1000)]

_BEAT = Frames([b"<13>1 - - logopsd - - - heartbeat"])


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
        own_log: stands in each line of the daemon's own log and in no other; such lines, come
            back through journald or a relay, are not taken in again. Empty where there is none.
        defer: runs a callable in the event loop at its next turn (`loop.call_soon`), for small
            batches to be gathered until then. If not given, none are.

    Attributes:
        limiter: how many records each peer may send; None where nobody asked for a limit. This,
            `lines`, `documents` and `privacy` may be replaced between two batches, as settings
            change.
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
        own_log: str = "",
        defer: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self.lines = lines
        self.documents = documents
        self.privacy = privacy
        self._sink = sink
        self._metrics = metrics
        self._clock = clock
        self.sources = Sources(tz=UTC) if sources is None else sources
        self.limiter: RateLimiter | None = None
        self._own_log = own_log.encode()
        self._gatherer = Gatherer(self._mask_and_store, defer)
        self._second = -1
        self._received = ""  # up to the second, which many batches may share

    def take_frames(
        self,
        input: str,
        frames: Frames,
        peers: str | Sequence[str] | None,
        *,
        on_stored: Told = None,
        on_failed: Failed = None,
    ) -> Batch:
        """Take complete frames, a record each.

        Args:
            input: one of records.INPUTS.
            frames: what a framer cut out of a stream, or datagrams.
            peers: the sender's address, for all frames or one for each.
            on_stored: called in the event loop, after this call, once the records are stored.
            on_failed: called likewise where a stage raised after this call; what raises before is
                raised by it.

        Returns:
            The batch, for who wants to answer with its counts. Its records are masked in place
            when it is stored, and may not be so before: nobody is to be shown them until then.
        """
        batch = self._new_batch(input)
        if self.limiter is not None:
            arrived = len(frames.frames)
            frames, peers = limit_frames(self.limiter, input, frames, peers, batch.now)
            self._suppress(batch, arrived - len(frames.frames))
        try:
            self.lines.parse(frames, peers, batch)
        except Exception:
            self._fail(input, len(frames.frames))
            raise
        self._metrics.input(input).truncated += len(frames.cut)
        self._gatherer.take(Parcel(batch, list(map(len, frames.frames)), on_stored, on_failed))
        return batch

    def take_documents(
        self,
        input: str,
        documents: Sequence[object],
        peer: str | None,
        *,
        format: str,
        at_once: bool = False,
        on_stored: Told = None,
        on_failed: Failed = None,
    ) -> Batch:
        """Take structured payloads (JSON objects, CSV rows), a record each; else as take_frames.

        With `at_once` they wait for no others: whoever notes what was taken wants it handed down.
        """
        batch = self._new_batch(input)
        if self.limiter is not None and peer is not None:
            taken = self.limiter.take(input, peer, len(documents), batch.now)
            self._suppress(batch, len(documents) - taken)
            documents = documents[:taken]
        try:
            self.documents.parse(documents, peer, batch, format=format)
        except Exception:
            self._fail(input, len(documents))
            raise
        self._gatherer.take(Parcel(batch, None, on_stored, on_failed), at_once=at_once)
        return batch

    def flush(self) -> None:
        """Mask and store what was gathered in this turn of the loop."""
        self._gatherer.flush()

    def write_own(self, records: list[Record]) -> None:
        """Write records of the daemon's own, such as its account, which no input received.

        They are not counted, and not masked either: nothing in them comes from a sender.
        """
        if records:
            day = _day_of(records[0].received)
            self._sink.write(encode(records), day, Receipt(records[0].input, 0))

    def beat(self, back: Callable[[], None]) -> None:
        """Take a heartbeat the way of a batch, and have it told when it has come back.

        A line goes through all stages and is then thrown away: to the sink go no bytes, only the
        receipt. Nothing is counted.
        """
        batch = self._new_batch(INPUTS[0])
        self.lines.parse(_BEAT, None, batch)
        self.privacy.apply(batch)
        encode(batch.records)
        self._sink.write(b"", _day_of(batch.received), Receipt(batch.input, 0, back))

    def write_notices(self, *, final: bool = False) -> None:
        """Write who is being suppressed, and who is no more; to be called each second.

        Args:
            final: the daemon ends.
        """
        if self.limiter is None:
            return
        now = self._clock()
        received = rfc3339_milliseconds(now)
        for notice in self.limiter.notices(now, final=final):
            batch = Batch(notice.input, now, received, [_record_of(notice, received)])
            self.privacy.apply(batch)  # the peer may have to be masked
            self.write_own(batch.records)

    def _suppress(self, batch: Batch, count: int) -> None:
        if count:
            figures = self._metrics.input(batch.input)
            figures.received += count
            figures.suppressed += count
            batch.suppressed += count

    def _new_batch(self, input: str) -> Batch:
        now = self._clock()
        second = int(now)
        if second != self._second:
            self._second = second
            self._received = rfc3339_milliseconds(second)[: -len("000Z")]
        return Batch(input, now, self._received + _MILLISECONDS[int(now * 1000) % 1000])

    def _mask_and_store(self, parcel: Parcel) -> None:
        batch = parcel.batch
        try:
            data = self._masked_lines(batch)
        except Exception:
            self._fail(batch.input, len(batch.records))
            raise
        self._store(batch, data, parcel.on_stored)
        self.sources.see(batch, parcel.sizes)

    def _fail(self, input: str, count: int) -> None:
        """Account for a batch that a stage raised on, which is a bug of ours and costs the batch.

        Who called hears of it: HTTP says so, a connection is closed, and the log has the cause.
        """
        figures = self._metrics.input(input)
        figures.received += count
        figures.drop("error", count)

    def _masked_lines(self, batch: Batch) -> bytes:
        """Mask the records of a batch in place, and return them encoded."""
        report = self.privacy.apply(batch)
        for detector, spans in report.masked.items():
            self._metrics.masked(detector, spans)
        if report.withheld or report.unencrypted:
            self._metrics.withheld(report.withheld + report.unencrypted)
        return encode(batch.records)

    def _store(self, batch: Batch, data: bytes, on_stored: Told) -> None:
        # One search of the whole batch, whatever the format was: 0.11 us a record for the text,
        # 0.004 for its first byte, which few batches hold.
        if self._own_log and self._own_log[0] in data and self._own_log in data:
            self._leave_out_own(batch)
            data = encode(batch.records)
        count = len(batch.records)

        figures = self._metrics.input(batch.input)
        figures.received += count
        figures.inflight += count
        figures.missing_ts += batch.missing_ts
        figures.missing_level += batch.missing_level
        figures.fault("parser", batch.failed)
        self._sink.write(data, _day_of(batch.received), Receipt(batch.input, count, on_stored))

    def _leave_out_own(self, batch: Batch) -> None:
        """Take the lines of the daemon's own log out of a batch."""
        others = [record for record in batch.records if self._own_log not in encode([record])]
        own = len(batch.records) - len(others)
        batch.records[:] = others
        figures = self._metrics.input(batch.input)
        figures.received += own
        figures.drop("own_log", own)


def _record_of(notice: Notice, received: str) -> Record:
    began = rfc3339_milliseconds(notice.began)
    return Record(
        ts=received,
        level="INFO" if notice.ended else "WARN",
        msg=f"suppression ended: {notice.suppressed} records of this peer were left out"
        if notice.ended
        else "suppression began: this peer sends more than LOGOPS_RATE_LIMIT allows",
        emitter="logopsd",
        app="logopsd",
        input=notice.input,
        peer=notice.peer,
        received=received,
        format="plain",
        extras={"suppressed": notice.suppressed, "since": began},
    )


def _day_of(received: str) -> str:
    return received[:10].replace("-", "")


def rfc3339_milliseconds(epoch: float) -> str:
    """Write a time as RFC 3339 section 5.6, UTC, with milliseconds."""
    text = datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"
