"""Decoded documents (JSON objects, table rows, entries of known protocols) into records."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from logopsd.parsing import journal, loki, otlp
from logopsd.parsing.cut import cut_message
from logopsd.parsing.lines import LineParser
from logopsd.parsing.messages import MessageReader
from logopsd.parsing.normalize import Normalizer, to_text
from logopsd.records import Batch, Frames


class DocumentParser:
    """Makes a record of every document; lives as long as the daemon.

    Args:
        tz: the zone of stamps that carry none.
        max_message: the most bytes of a message, in UTF-8; a longer one is cut. 0 for no limit.
    """

    def __init__(self, *, tz: tzinfo, max_message: int = 0) -> None:
        self._max_message = max_message
        self._lines = LineParser(tz=tz)
        self._stamps = self._lines.stamps
        self._normalizer = Normalizer(self._stamps)
        messages = MessageReader(self._stamps, self._normalizer)
        self._protocols: dict[str, Any] = {
            journal.FORMAT: journal.JournalParser(self._stamps, messages),
            loki.FORMAT: loki.LokiParser(self._stamps, messages),
            otlp.FORMAT: otlp.OtlpParser(self._stamps, self._normalizer, messages),
        }

    def parse(
        self, documents: Sequence[object], peer: str | None, batch: Batch, *, format: str
    ) -> None:
        """Append one record a document to the batch, in order; never raises.

        Args:
            documents: mappings of field names to values; a text is read as a line, and any other
                value is taken for a line of its JSON text. Of `journal`, `loki` and `otlp` what
                these modules read: JournalEntry, LokiLine, LogItem.
            peer: the sender's address.
            batch: gets the records and the counts of what they lacked.
            format: what the records say understood them; a line says so itself.
        """
        records = batch.records
        start = len(records)
        self._stamps.at(batch.now)
        protocol = self._protocols.get(format)
        if protocol is None:
            self._parse_values(documents, peer, batch, format)
        else:
            protocol.parse(documents, peer, batch)
        if self._max_message:
            enough = self._max_message // 4  # no character has more bytes, and most are far from it
            for record in records[start:] if start else records:
                if len(record.msg) > enough and not record.truncated:
                    cut_message(record, self._max_message)

    def _parse_values(
        self, documents: Sequence[object], peer: str | None, batch: Batch, format: str
    ) -> None:
        records, strange = self._normalizer.records(
            documents, peer, batch, format=format, emitter=batch.input
        )
        for place in strange:
            frame = to_text(documents[place]).encode(errors="replace")
            self._lines.parse(Frames([frame]), peer, batch)
            records[place] = batch.records.pop()
        batch.records += records
