"""Where the texts of a batch came from, so that masked ones find their way back."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from logopsd.privacy.flat import collect_flat, count_texts
from logopsd.privacy.leaves import Known, collect, rebuild
from logopsd.records import Record

HEADERS = ("emitter", "app", "procid", "msgid")
"""The fields of a header that a sender fills freely; these are always masked."""

_SHORT_NUMBER = 8
"""Digits of a process id, at most; so few are nothing personal, whatever they are."""

_Payload = tuple[Record, str, int, int]
"""A record, the name of a field, and where in the texts those of the field begin and end."""


class Slots:
    """The texts of a batch in one list: the messages first, one a record, then all others.

    Args:
        records: of the batch.
        known: remembers header texts and keys that are clean; a daemon has one.
        chosen: which of the fields that are not always masked are.

    Attributes:
        texts: what is to be masked.
    """

    __slots__ = ("_flat", "_headers", "_known", "_payloads", "_records", "_unknown", "texts")

    def __init__(self, records: Sequence[Record], known: Known, chosen: Sequence[str]) -> None:
        self.texts = [record.msg for record in records]
        self._records = records
        self._known = known
        self._headers: dict[str, dict[str, int]] = {}
        self._payloads: list[_Payload] = []
        self._flat: list[tuple[str, Sequence[Record], int, int]] = []
        self._unknown: list[tuple[str, int]] = []
        self._add_structured_data([record for record in records if record.sd])
        self._add_extras([record for record in records if record.extras])
        self._add_payloads("ts_orig", [record for record in records if record.ts_orig])
        # Spelled out: `getattr` by name takes twice as long, and this is done for every record.
        self._add_headers("emitter", {record.emitter for record in records})
        self._add_headers("app", {record.app for record in records})
        self._add_headers("procid", {record.procid for record in records})
        self._add_headers("msgid", {record.msgid for record in records})
        for name in chosen:
            self._add_headers(name, {getattr(record, name) for record in records})

    def _add_structured_data(self, holders: Sequence[Record]) -> None:
        data = [record.sd for record in holders if record.sd]
        texts = None
        if self._known.clean.issuperset(chain.from_iterable(data)):
            elements: list[dict[str, Any]] = list(chain.from_iterable(map(dict.values, data)))
            texts = collect_flat(elements, self._known)
        self._add_flat("sd", holders, texts)

    def _add_extras(self, holders: Sequence[Record]) -> None:
        mappings = [record.extras for record in holders if record.extras]
        self._add_flat("extras", holders, collect_flat(mappings, self._known))

    def _add_flat(self, name: str, holders: Sequence[Record], texts: Sequence[str] | None) -> None:
        """Take up a field of which the texts were collected at once, or else walk each."""
        if texts is None:
            self._add_payloads(name, holders)
        elif texts:
            first = len(self.texts)
            self.texts += texts
            self._flat.append((name, holders, first, len(self.texts)))

    def _add_payloads(self, name: str, holders: Sequence[Record]) -> None:
        for record in holders:
            first = len(self.texts)
            collect(getattr(record, name), self.texts, self._known, self._unknown)
            self._payloads.append((record, name, first, len(self.texts)))

    def _add_headers(self, name: str, values: set[str | None]) -> None:
        """Take up those that were never seen to be clean, each once."""
        places = self._headers[name] = {}
        for text in values - self._known.clean:
            assert text is not None
            if len(text) <= _SHORT_NUMBER and text.isascii() and text.isdigit():
                continue  # most are, of many senders each is another one, and 0.5 us to look at
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
        for record, name, first, last in self._touched(places):
            if bisect_left(places, first) < bisect_left(places, last):
                masked = map(changed.get, range(first, last))
                out.append((record, name, rebuild(getattr(record, name), masked, self._known)))
        for name, texts in self._headers.items():
            new = {text: changed[place] for text, place in texts.items() if place in changed}
            if new:
                old = ((record, getattr(record, name)) for record in self._records)
                out += [(record, name, new[text]) for record, text in old if text in new]
        return out

    def _touched(self, places: Sequence[int]) -> Iterator[_Payload]:
        """Give all payloads in which something may have changed."""
        yield from self._payloads
        for name, holders, first, last in self._flat:
            if bisect_left(places, first) == bisect_left(places, last):
                continue
            for record in holders:
                value = getattr(record, name)
                mappings = value.values() if name == "sd" else (value,)
                last = first + sum(map(count_texts, mappings))
                yield record, name, first, last
                first = last

    def remember(self, changed: Mapping[int, str]) -> None:
        """Note the header texts and keys in which nothing was found."""
        if self._unknown:
            self._known.remember([text for text, at in self._unknown if at not in changed])
