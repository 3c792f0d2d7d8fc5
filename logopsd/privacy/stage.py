"""The privacy stage: what leaves it is masked, or it is withheld.

A batch is masked in one pass. Where that fails, each record is tried alone; the one that cannot be
masked loses every text its sender gave, keeps its token, and is counted.
"""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from logopsd.errors import PrivacyError
from logopsd.privacy import detectors as available
from logopsd.privacy import leaves
from logopsd.privacy.masking import Masker
from logopsd.privacy.tokens import TokenMaker
from logopsd.records import Batch, Record

WITHHELD = "[withheld: privacy stage failed]"
"""Stands in `msg` of a record that could not be masked."""

HEADERS = ("emitter", "app", "procid", "msgid")
"""The fields of a header that a sender fills freely; these are always masked."""

CHOSEN = ("host", "peer")
"""Masked only where the operator chooses: they tell which machine a line came from."""

KNOWN_LIMIT = 8192
"""Header texts and keys remembered as clean. A fleet has hundreds; at the limit all are forgotten,
so that a sender who makes up names costs memory once, and then only time."""

KNOWN_LENGTH = 128
"""Characters of the longest text remembered as clean."""

_NESTED = ("sd", "extras")

_OWN_FIELDS = frozenset(Record.__struct_fields__) - {"extras"}


@dataclass(frozen=True, slots=True)
class PrivacyReport:
    """What the stage did to a batch.

    Attributes:
        masked: detector -> how much it hid.
        withheld: records that could not be masked and went on without their texts.
        unencrypted: records masked, but without their token, as encryption failed.
    """

    masked: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    withheld: int = 0
    unencrypted: int = 0


class PrivacyStage:
    """Masks and encrypts the records of a batch in place.

    Args:
        detectors: names out of `detectors.NAMES`.
        tokens: makes the tokens; None where encryption is off.
        encrypt_fields: top-level fields whose original gets a token beside it, `<name>_enc`.
        encrypt_msg: `always`, or `masked` for only the messages in which something was masked.
        mask_fields: which of `host` and `peer` are masked too.
        keep: networks and mail domains that stay readable.

    Raises:
        PrivacyError: a name is none of those there are.
    """

    def __init__(
        self,
        *,
        detectors: Sequence[str] = available.DEFAULT,
        tokens: TokenMaker | None = None,
        encrypt_fields: Sequence[str] = ("user_email", "client_ip"),
        encrypt_msg: Literal["always", "masked"] = "always",
        mask_fields: Collection[str] = (),
        keep: Sequence[str] = (),
    ) -> None:
        for name in mask_fields:
            if name not in CHOSEN and name not in HEADERS:
                raise PrivacyError(f"{name!r} is no field to mask; there are {', '.join(CHOSEN)}")
        self._masker = Masker(available.build(detectors, keep))
        self._tokens = tokens
        self._encrypt_fields = tuple(name for name in encrypt_fields if name != "msg")
        self._encrypt_always = encrypt_msg == "always"
        self._chosen = tuple(name for name in CHOSEN if name in mask_fields)
        self._clean: set[str | None] = {None}

    def apply(self, batch: Batch) -> PrivacyReport:
        """Mask a batch's records in place, and give them their tokens.

        Never raises: what cannot be masked is withheld.
        """
        counts: dict[str, int] = {}
        try:
            unencrypted = self._apply(batch.records, batch.now, counts)
        except Exception:
            return self._apply_each(batch)
        return PrivacyReport(counts, 0, unencrypted)

    def _apply_each(self, batch: Batch) -> PrivacyReport:
        """Go record by record, as a detector failed on the batch."""
        counts: dict[str, int] = {}
        withheld = unencrypted = 0
        for record in batch.records:
            original = record.msg
            try:
                unencrypted += self._apply([record], batch.now, counts)
            except Exception:
                withheld += 1
                self._withhold(record, original, batch)
        return PrivacyReport(counts, withheld, unencrypted)

    def _withhold(self, record: Record, original: str, batch: Batch) -> None:
        record.msg = WITHHELD
        record.msg_enc = record.host = record.app = record.procid = record.msgid = None
        record.sd = record.extras = record.ts_orig = None
        record.emitter = batch.input
        if self._tokens:
            try:
                record.msg_enc = self._tokens.encrypt_many([original], batch.now)[0]
            except Exception:
                return

    def _apply(self, records: Sequence[Record], now: float, counts: dict[str, int]) -> int:
        """Mask and encrypt; raise before anything is changed, or do all of it."""
        texts = [record.msg for record in records]
        slots = _Slots(texts, self._clean)
        for record in records:
            if record.extras or record.sd or record.ts_orig:
                slots.add_payload(record)
        slots.add_headers(records, self._chosen)
        changed, found = self._masker.mask_many(texts)
        replaced = slots.replaced(changed)
        tokens, failed = self._make_tokens(records, changed, now)

        for place, text in changed.items():
            if place < len(records):
                records[place].msg = text
        for record, name, value in replaced:
            setattr(record, name, value)
        for record, name, token in tokens:
            if name == "msg":
                record.msg_enc = token
            else:
                record.extras = record.extras or {}
                record.extras[name + "_enc"] = token
        self._remember(slots.unknown, changed)
        for name, count in found.items():
            counts[name] = counts.get(name, 0) + count
        return failed

    def _make_tokens(
        self, records: Sequence[Record], changed: Mapping[int, str], now: float
    ) -> tuple[list[tuple[Record, str, str]], int]:
        """Encrypt what is asked for, from the originals: (record, field, token), and how many not.

        No token is made of a part: without its token a record is still masked.
        """
        if not self._tokens:
            return [], 0
        wanted: list[tuple[Record, str]] = []
        texts: list[str] = []
        for place, record in enumerate(records):
            if self._encrypt_always or place in changed:
                wanted.append((record, "msg"))
                texts.append(record.msg)
            for name in self._encrypt_fields:
                text = _text_of(record, name)
                if text:
                    wanted.append((record, name))
                    texts.append(text)
        try:
            tokens = self._tokens.encrypt_many(texts, now)
        except Exception:
            return [], len(records)
        return [(*where, token) for where, token in zip(wanted, tokens, strict=True)], 0

    def _remember(self, unknown: Sequence[tuple[str, int]], changed: Mapping[int, str]) -> None:
        """Note the header texts and keys in which nothing was found."""
        if len(self._clean) + len(unknown) > KNOWN_LIMIT:
            self._clean = {None}
        for text, place in unknown[:KNOWN_LIMIT]:
            if place not in changed and len(text) <= KNOWN_LENGTH:
                self._clean.add(text)


class _Slots:
    """Remembers where the texts of a batch came from, beside the messages."""

    __slots__ = ("_clean", "_headers", "_payloads", "_texts", "unknown")

    def __init__(self, texts: list[str], clean: set[str | None]) -> None:
        self._texts = texts
        self._clean = clean
        self._headers: list[tuple[str, int, Sequence[Record]]] = []
        self._payloads: list[tuple[Record, str, int]] = []
        self.unknown: list[tuple[str, int]] = []

    def add_payload(self, record: Record) -> None:
        """Take up the texts of a record's structured data, extras and unread time."""
        if record.ts_orig:
            self._payloads.append((record, "ts_orig", len(self._texts)))
            self._texts.append(record.ts_orig)
        for name in _NESTED:
            value = getattr(record, name)
            if value:
                self._payloads.append((record, name, len(self._texts)))
                leaves.collect(value, self._texts, self._note)

    def add_headers(self, records: Sequence[Record], chosen: Sequence[str]) -> None:
        """Take up those header texts that were never seen to be clean, each once."""
        # Spelled out: `getattr` by name takes twice as long, and this is done for every record.
        found = {
            "emitter": {record.emitter for record in records},
            "app": {record.app for record in records},
            "procid": {record.procid for record in records},
            "msgid": {record.msgid for record in records},
        }
        for name in chosen:
            found[name] = {getattr(record, name) for record in records}
        for name, values in found.items():
            for text in values - self._clean:
                assert text is not None
                self.unknown.append((text, len(self._texts)))
                self._headers.append((name, len(self._texts), records))
                self._texts.append(text)

    def replaced(self, changed: Mapping[int, str]) -> list[tuple[Record, str, Any]]:
        """Give (record, field, new value) for every field a text of which changed."""
        out: list[tuple[Record, str, Any]] = []
        for name, place, records in self._headers:
            if place in changed:
                original = self._texts[place]
                new = changed[place]
                out += [(it, name, new) for it in records if getattr(it, name) == original]
        places = sorted(changed)
        ends = [first for _, _, first in self._payloads[1:]] + [len(self._texts)]
        for (record, name, first), end in zip(self._payloads, ends, strict=False):
            place = bisect_left(places, first)
            if place == len(places) or places[place] >= end:
                continue
            value = getattr(record, name)
            masked = map(changed.get, range(first, end))
            out.append((record, name, leaves.rebuild(value, masked, self._clean.__contains__)))
        return out

    def _note(self, key: str) -> bool:
        if key in self._clean:
            return True
        self.unknown.append((key, len(self._texts)))
        return False


def _text_of(record: Record, name: str) -> str | None:
    """Give a top-level field as the text that a token is made of; None where there is none."""
    value = getattr(record, name) if name in _OWN_FIELDS else (record.extras or {}).get(name)
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode("utf-8")
