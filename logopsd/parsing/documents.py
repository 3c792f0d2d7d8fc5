"""Decoded documents (JSON objects, table rows) into records."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from logopsd.parsing.lines import LineParser
from logopsd.parsing.normalize import Normalizer, to_text
from logopsd.records import Batch, Frames


class DocumentParser:
    """Makes a record of every document; lives as long as the daemon.

    Args:
        tz: the zone of stamps that carry none.
    """

    def __init__(self, *, tz: tzinfo) -> None:
        self._lines = LineParser(tz=tz)
        self._stamps = self._lines.stamps
        self._normalizer = Normalizer(self._stamps)

    def parse(
        self, documents: Sequence[object], peer: str | None, batch: Batch, *, format: str
    ) -> None:
        """Append one record a document to the batch, in order; never raises.

        Args:
            documents: mappings of field names to values; a text is read as a line, and any other
                value is taken for a line of its JSON text.
            peer: the sender's address.
            batch: gets the records and the counts of what they lacked.
            format: what the records say understood them; a line says so itself.
        """
        self._stamps.at(batch.now)
        record = self._normalizer.record
        for document in documents:
            if isinstance(document, Mapping):
                batch.records.append(
                    record(document, peer, batch, format=format, emitter=batch.input)
                )
            else:
                frame = to_text(document).encode(errors="replace")
                self._lines.parse(Frames([frame]), peer, batch)
