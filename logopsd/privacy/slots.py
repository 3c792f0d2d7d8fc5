"""Where the texts of a batch came from, so that masked ones find their way back."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

from logopsd.privacy.leaves import Known, collect, rebuild
from logopsd.records import Record

HEADERS = ("emitter", "app", "procid", "msgid")
"""The fields of a header that a sender fills freely; these are always masked."""

_NESTED = ("ts_orig", "sd", "extras")


class Slots:
    """The texts of a batch in one list: the messages first, one a record, then all others.

    Args:
        records: of the batch.
        known: remembers header texts and keys that are clean; a daemon has one.
        chosen: which of the fields that are not always masked are.

    Attributes:
        texts: what is to be masked.
    """

    __slots__ = ("_headers", "_known", "_payloads", "_records", "_unknown", "texts")

    def __init__(self, records: Sequence[Record], known: Known, chosen: Sequence[str]) -> None:
        self.texts = [record.msg for record in records]
        self._records = records
        self._known = known
        self._headers: dict[str, dict[str, int]] = {}
        self._payloads: list[tuple[Record, str, int, int]] = []
        self._unknown: list[tuple[str, int]] = []
        for record in records:
            if record.extras or record.sd or record.ts_orig:
                self._add_payload(record)
        # Spelled out: `getattr` by name takes twice as long, and this is done for every record.
        self._add_headers("emitter", {record.emitter for record in records})
        self._add_headers("app", {record.app for record in records})
        self._add_headers("procid", {record.procid for record in records})
        self._add_headers("msgid", {record.msgid for record in records})
        for name in chosen:
            self._add_headers(name, {getattr(record, name) for record in records})

    def _add_payload(self, record: Record) -> None:
        for name in _NESTED:
            value = getattr(record, name)
            if value:
                first = len(self.texts)
                collect(value, self.texts, self._known, self._unknown)
                self._payloads.append((record, name, first, len(self.texts)))

    def _add_headers(self, name: str, values: set[str | None]) -> None:
        """Take up those that were never seen to be clean, each once."""
        places = self._headers[name] = {}
        for text in values - self._known.clean:
            assert text is not None
            places[text] = len(self.texts)
            self._unknown.append((text, len(self.texts)))
            self.texts.append(text)

    def replaced(self, changed: Mapping[int, str]) -> list[tuple[Record, str, Any]]:
        """Give (record, field, new value) for every field a text of which changed.

        Args:
            changed: place in `texts` -> masked text.
        """
        places = sorted(changed)
        messages = places[: bisect_left(places, len(self._records))]
        out: list[tuple[Record, str, Any]] = [
            (self._records[place], "msg", changed[place]) for place in messages
        ]
        for record, name, first, last in self._payloads:
            if bisect_left(places, first) < bisect_left(places, last):
                masked = map(changed.get, range(first, last))
                out.append((record, name, rebuild(getattr(record, name), masked, self._known)))
        for name, texts in self._headers.items():
            new = {text: changed[place] for text, place in texts.items() if place in changed}
            if new:
                old = ((record, getattr(record, name)) for record in self._records)
                out += [(record, name, new[text]) for record, text in old if text in new]
        return out

    def remember(self, changed: Mapping[int, str]) -> None:
        """Note the header texts and keys in which nothing was found."""
        if self._unknown:
            self._known.remember([text for text, at in self._unknown if at not in changed])
