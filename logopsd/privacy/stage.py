"""The privacy stage: what leaves it is masked, or it is withheld.

A batch is masked in one pass. Where that fails, each record is tried alone; the one that cannot be
masked loses every text its sender gave, keeps its token, and is counted.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from logopsd.errors import PrivacyError
from logopsd.privacy import detectors as available
from logopsd.privacy import leaves
from logopsd.privacy.masking import Masker
from logopsd.privacy.slots import HEADERS, Slots, distinct
from logopsd.records import Batch, Record

if TYPE_CHECKING:  # it brings `cryptography`, which a daemon without keys does without
    from logopsd.privacy.pseudonyms import Pseudonyms

WITHHELD = "[withheld: privacy stage failed]"
"""Stands in `msg` of a record that could not be masked."""

_TAG = re.compile(r"<([0-9a-z][0-9a-f]{2}:(?:[0-9a-f]{12}|[0-9a-f]{8}))>")
"""A pseudonym as it stands in a text."""

CHOSEN = ("host", "peer")
"""Masked only where the operator chooses: they tell which machine a line came from."""

_MACHINES = ("ipv4", "ipv6", "mac")
"""What these look for is a host's own name; all else has no place in `host`, and always goes."""

_OWN_FIELDS = frozenset(Record.__struct_fields__) - {"extras"}


class PrivacyReport(msgspec.Struct, frozen=True):
    """What the stage did to a batch.

    Attributes:
        masked: detector -> how much it hid.
        withheld: records that could not be masked and went on without their texts.
        unencrypted: records masked, but without their token, as encryption failed.
    """

    masked: Mapping[str, int] = msgspec.field(default_factory=dict)
    withheld: int = 0
    unencrypted: int = 0


class Encrypter(Protocol):
    """Makes tokens: `TokenMaker`, or `DayTokens` where each day has its key."""

    def encrypt_many(self, texts: Sequence[str], now: float) -> list[str]:
        """Encrypt texts; `now` in seconds since the epoch."""


class PrivacyStage:
    """Masks and encrypts the records of a batch in place.

    Args:
        detectors: names out of `detectors.NAMES`.
        tokens: makes the tokens; None where encryption is off.
        encrypt_fields: top-level fields whose original gets a token beside it, `<name>_enc`.
        encrypt_msg: `always`, or `masked` for only the messages in which something was masked.
        mask_fields: which of `host` and `peer` are masked too.
        keep: networks and mail domains that stay readable.
        pseudonyms: gives what is hidden a tag by which it can be grouped; beside the fields in
            `encrypt_fields` it stands as `<name>_pid`. None for none.

    Raises:
        PrivacyError: a name is none of those there are.
    """

    def __init__(
        self,
        *,
        detectors: Sequence[str] = available.DEFAULT,
        tokens: Encrypter | None = None,
        encrypt_fields: Sequence[str] = ("user_email", "client_ip"),
        encrypt_msg: Literal["always", "masked"] = "always",
        mask_fields: Collection[str] = (),
        keep: Sequence[str] = (),
        pseudonyms: "Pseudonyms | None" = None,
    ) -> None:
        for name in mask_fields:
            if name not in CHOSEN and name not in HEADERS:
                raise PrivacyError(f"{name!r} is no field to mask; there are {', '.join(CHOSEN)}")
        self._masker = Masker(available.build(detectors, keep), pseudonyms)
        self._pseudonyms = pseudonyms
        self._tokens = tokens
        self._encrypt_fields = tuple(name for name in encrypt_fields if name != "msg")
        self._encrypt_own = tuple(name for name in self._encrypt_fields if name in _OWN_FIELDS)
        self._encrypt_beside = frozenset(self._encrypt_fields) - _OWN_FIELDS
        self._encrypt_always = encrypt_msg == "always"
        self._chosen = tuple(name for name in CHOSEN if name in mask_fields)
        self._known = leaves.Known()
        rest = [name for name in detectors if name not in _MACHINES]
        self._hosts = Masker(available.build(rest, keep), pseudonyms)

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
        if "peer" in self._chosen:
            record.peer = None
        record.emitter = batch.input
        if self._tokens:
            try:
                record.msg_enc = self._tokens.encrypt_many([original], batch.now)[0]
            except Exception:
                return

    def _apply(self, records: list[Record], now: float, counts: dict[str, int]) -> int:
        """Mask and encrypt; raise before anything is changed, or do all of it."""
        slots = Slots(records, self._known, self._chosen)
        changed, found = self._masker.mask_many(slots.texts)
        hosts = {} if "host" in self._chosen else self._masked_hosts(records, found)
        tokens = self._make_tokens(records, changed, now)

        slots.put(changed)
        if hosts:
            for record in records:
                record.host = hosts.get(record.host, record.host)
        if self._pseudonyms:
            for record in records:
                self._move_pseudonyms(record)
        for record, token in zip(tokens.messages, tokens.made, strict=False):
            record.msg_enc = token
        made = islice(tokens.made, len(tokens.messages), None)
        for (record, name), token in zip(tokens.fields, made, strict=False):
            record.extras = record.extras or {}
            record.extras[name + "_enc"] = token
        slots.remember(changed)
        for name, count in found.items():
            counts[name] = counts.get(name, 0) + count
        return tokens.failed

    def _masked_hosts(self, records: list[Record], counts: dict[str, int]) -> dict[str | None, str]:
        """Mask what is no host's name or address: the name -> the masked one."""
        known = self._known.hosts
        unknown = distinct(records, "host", known)
        if not unknown:
            return {}
        changed, found = self._hosts.mask_many(unknown)
        for name, count in found.items():
            counts[name] = counts.get(name, 0) + count
        clean = (host for place, host in enumerate(unknown) if place not in changed)
        self._known.remember(known, clean)
        return {unknown[place]: text for place, text in changed.items()}

    def _move_pseudonyms(self, record: Record) -> None:
        """Put the pseudonym of a named field beside it, so that the field holds its mask alone."""
        for name in self._encrypt_fields:
            extras = record.extras or {}
            value = getattr(record, name) if name in _OWN_FIELDS else extras.get(name)
            if not isinstance(value, str):
                continue
            tag = _TAG.search(value)
            if not tag:
                continue
            if name in _OWN_FIELDS:
                setattr(record, name, _TAG.sub("", value))
            else:
                extras[name] = _TAG.sub("", value)
            beside = name + "_pid"
            if beside in extras:  # a sender's own
                extras[beside + "_orig"] = extras[beside]
            extras[beside] = tag[1]
            record.extras = extras

    def _make_tokens(
        self, records: Sequence[Record], changed: Mapping[int, str], now: float
    ) -> "_Tokens":
        """Encrypt what is asked for, from the originals.

        Where no token can be made there is none at all: without it a record is still masked.
        """
        if not self._tokens:
            return _NO_TOKENS
        messages = records
        if not self._encrypt_always:
            messages = [record for place, record in enumerate(records) if place in changed]
        texts = [record.msg for record in messages]
        fields: list[tuple[Record, str]] = []
        for record in records:
            extras = record.extras
            has_some = extras and not self._encrypt_beside.isdisjoint(extras)
            for name in self._encrypt_fields if has_some else self._encrypt_own:
                text = _text_of(record, name)
                if text:
                    fields.append((record, name))
                    texts.append(text)
        try:
            return _Tokens(messages, fields, self._tokens.encrypt_many(texts, now))
        except Exception:
            wanted = {id(record) for record in messages} | {id(record) for record, _ in fields}
            return _Tokens(failed=len(wanted))


class _Tokens(msgspec.Struct, frozen=True):
    """Tokens, and what they are of: first those of messages, then those of other fields."""

    messages: Sequence[Record] = ()
    fields: Sequence[tuple[Record, str]] = ()
    made: Sequence[str] = ()
    failed: int = 0


_NO_TOKENS = _Tokens()


def _text_of(record: Record, name: str) -> str | None:
    """Give a top-level field as the text that a token is made of; None where there is none."""
    value = getattr(record, name) if name in _OWN_FIELDS else (record.extras or {}).get(name)
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode("utf-8")
