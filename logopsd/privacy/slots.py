"""Where the texts of a batch came from, so that masked ones find their way back."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from logopsd.compiled import collect_flat
from logopsd.privacy.leaves import KEY, SMALL, VALUE, Known, Place, collect, put
from logopsd.records import Record

HEADERS = ("emitter", "app", "procid", "msgid")
"""The fields of a header that a sender fills freely; these are always masked."""

_SHORT_NUMBER = 8
"""Digits of a process id, at most; so few are nothing personal, whatever they are. Of many senders
each process id is another one, and none need be looked at one by one where all are such numbers."""


def _are_short_numbers(texts: set[str | None]) -> bool:
    """Say whether all texts there are have few digits and nothing else."""
    written = list(filter(None, texts))
    digits = "".join(written)
    if not (digits.isascii() and digits.isdigit()):
        return not digits
    return max(map(len, written)) <= _SHORT_NUMBER


class Slots:
    """The texts of a batch in one list: messages, one a record; payloads; header texts.

    Args:
        records: of the batch.
        known: remembers header texts and keys that are clean; a daemon has one.
        chosen: which of the fields that are not always masked are.

    Attributes:
        texts: what is to be masked.
    """

    __slots__ = ("_headers", "_known", "_places", "_records", "_times", "texts")

    def __init__(self, records: Sequence[Record], known: Known, chosen: Sequence[str]) -> None:
        self.texts = [record.msg for record in records]
        self._records = records
        self._known = known
        self._headers: list[tuple[str, int]] = []
        self._times: list[tuple[Record, int]] = []
        self._places: list[Place] = []
        self._collect([record.extras for record in records if record.extras])
        data = [record.sd for record in records if record.sd]
        if data:
            self._add_structured_data(data)
        for record in records:
            if record.ts_orig:
                self._times.append((record, len(self.texts)))
                self.texts.append(record.ts_orig)
        # Spelled out: `getattr` by name takes twice as long, and this is done for every record.
        self._add_headers("emitter", {record.emitter for record in records})
        self._add_headers("app", {record.app for record in records})
        procids = {record.procid for record in records}
        if not _are_short_numbers(procids):
            self._add_headers("procid", procids)
        self._add_headers("msgid", {record.msgid for record in records})
        for name in chosen:
            self._add_headers(name, {getattr(record, name) for record in records})

    def _collect(self, payloads: list[dict[str, Any]]) -> None:
        """Take up the texts of payloads; most are flat, and under keys that are known."""
        keys = self._known.keys
        if payloads and not (
            collect_flat is not None
            and collect_flat(payloads, self.texts, self._places, keys, VALUE, SMALL)
        ):
            for payload in payloads:
                collect(payload, self.texts, self._places, keys)

    def _add_structured_data(self, data: list[dict[str, dict[str, Any]]]) -> None:
        keys = self._known.keys
        # An element's name may tell what its values are, as that of `[password@32473 new="..."]`.
        if not any(keys.get(name, True) for name in set(chain.from_iterable(data))):
            self._collect(list(chain.from_iterable(map(dict.values, data))))
        else:
            self._collect(data)

    def _add_headers(self, name: str, values: set[str | None]) -> None:
        """Take up those that were never seen to be clean, each once."""
        for text in values - self._known.clean:
            assert text is not None
            if len(text) <= _SHORT_NUMBER and text.isascii() and text.isdigit():
                continue
            self._headers.append((name, len(self.texts)))
            self.texts.append(text)

    def put(self, changed: Mapping[int, str]) -> None:
        """Write the masked texts into the records.

        Args:
            changed: place in `texts` -> masked text.
        """
        if not changed:
            return
        first = len(self._records)
        behind = first + len(self._places)
        places = sorted(changed)
        for place in places[: bisect_left(places, first)]:
            self._records[place].msg = changed[place]
        payloads = places[bisect_left(places, first) : bisect_left(places, behind)]
        put((self._places[place - first], changed[place]) for place in payloads)
        for record, place in self._times:
            record.ts_orig = changed.get(place, record.ts_orig)
        self._put_headers(changed)

    def _put_headers(self, changed: Mapping[int, str]) -> None:
        new: dict[str, dict[str, str]] = {}
        for name, place in self._headers:
            if place in changed:
                new.setdefault(name, {})[self.texts[place]] = changed[place]
        for name, texts in new.items():
            for record in self._records:
                text = getattr(record, name)
                if text in texts:
                    setattr(record, name, texts[text])

    def remember(self, changed: Mapping[int, str]) -> None:
        """Note the header texts and keys in which nothing was found."""
        if self._headers:
            clean = (self.texts[at] for _, at in self._headers if at not in changed)
            self._known.remember(self._known.clean, clean)
        if self._places:
            first = len(self._records)
            keys = [
                (at, key) for at, (_, key, kind) in enumerate(self._places, first) if kind == KEY
            ]
            self._known.remember_keys(key for at, key in keys if at not in changed)
