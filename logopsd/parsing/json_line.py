"""Lines that are one JSON object."""

from logopsd.errors import PayloadError
from logopsd.parsing import json_text
from logopsd.parsing.normalize import Normalizer
from logopsd.records import Batch, Record


class JsonLineParser:
    """Reads a line that is one JSON object.

    Args:
        normalizer: makes the record of the object, shared by all parsers.
    """

    def __init__(self, normalizer: Normalizer) -> None:
        self._normalizer = normalizer

    def parse(self, text: str, peer: str | None, batch: Batch, emitter: str) -> Record | None:
        """Return the record of a line, or None where it is no JSON object.

        Args:
            text: the line, starting with `{`.
            peer: the sender's address.
            batch: for its time and input; what is missing is counted in it.
            emitter: who is named as the producer where the payload names none.
        """
        try:
            payload = json_text.decode(text)
        except PayloadError:
            return None
        (record,), _ = self._normalizer.records(
            [payload], peer, batch, format="json", emitter=emitter
        )
        return record
