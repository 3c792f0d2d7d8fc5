"""Where the texts of a batch came from, so that masked ones find their way back."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from logopsd.compiled import collect_usual, record_fields
from logopsd.privacy.leaves import KEY, MAX_DEPTH, SMALL, VALUE, Known, Place, collect, put
from logopsd.records import Record

HEADERS = ("emitter", "app", "procid", "msgid")
"""The fields of a header that a sender fills freely; these are always masked."""

_SHORT_NUMBER = 8
"""Digits of a text, at most, that are nothing personal, whatever they are, as of a process id. Of
many senders each process id is another one, and none need be looked at or remembered."""


def distinct(records: list[Record], name: str, known: set[str | None]) -> list[str]:
    """Give the texts of a field, each once, in the order of the records.

    Args:
        records: of the batch.
        name: of a field that holds a text or None.
        known: texts that are left out, as short numbers are.
    """
    if record_fields is not None:
        return record_fields.distinct(records, name, known)
    texts = dict.fromkeys(map(attrgetter(name), records))
    return [text for text in texts if text not in known and not _is_short_number(text)]


def _is_short_number(text: str) -> bool:
    return not text or (len(text) <= _SHORT_NUMBER and text.isascii() and text.isdigit())


class Slots:
    """The texts of a batch in one list: messages, one a record; payloads; header texts.

    Args:
        records: of the batch.
        known: remembers header texts and keys that are clean; a daemon has one.
        chosen: which of the fields that are not always masked are.

    Attributes:
        texts: what is to be masked.
    """

    __slots__ = ("_headers", "_known", "_may_hold_keys", "_places", "_records", "_times", "texts")

    def __init__(self, records: list[Record], known: Known, chosen: Sequence[str]) -> None:
        self.texts = [record.msg for record in records]
        self._records = records
        self._known = known
        self._headers: list[tuple[str, int]] = []
        self._times: list[tuple[Record, int]] = []
        self._places: list[Place] = []
        self._may_hold_keys = False  # usual payloads have none that need be looked at
        self._collect([record.extras for record in records if record.extras])
        self._collect([record.sd for record in records if record.sd])
        for record in records:
            if record.ts_orig:
                self._times.append((record, len(self.texts)))
                self.texts.append(record.ts_orig)
        for name in (*HEADERS, *chosen):
            # What was never seen to be clean.
            texts = distinct(records, name, known.clean)
            self._headers += [(name, at) for at, _ in enumerate(texts, len(self.texts))]
            self.texts += texts

    def _collect(self, payloads: list[dict[str, Any]]) -> None:
        """Take up the texts of payloads."""
        texts, places, keys = self.texts, self._places, self._known.keys
        if payloads and not (
            collect_usual is not None
            and collect_usual(payloads, texts, places, keys, VALUE, SMALL, MAX_DEPTH)
        ):
            self._may_hold_keys = True
            for payload in payloads:
                collect(payload, texts, places, keys)

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
        if self._may_hold_keys:
            first = len(self._records)
            keys = [
                (at, key) for at, (_, key, kind) in enumerate(self._places, first) if kind == KEY
            ]
            self._known.remember_keys(key for at, key in keys if at not in changed)
