"""Which part of a batch is whose: told in one pass over its records, whatever the senders are."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from logopsd.compiled import record_fields
from logopsd.figures.sequences import sequence_of
from logopsd.records import Record


@dataclass(slots=True)
class Share:
    """What a batch holds of one sender.

    Attributes:
        peer: of its records.
        host: likewise.
        records: how many they are.
        last: the place of the last of them in the batch.
        bytes: their size as received.
        numbers: those it gave its messages, in the order of the records that have one.
    """

    peer: str | None
    host: str | None
    records: int = 0
    last: int = 0
    bytes: int = 0
    numbers: list[int] = field(default_factory=list)


def shares_of(records: list[Record], sizes: Sequence[int] | None = None) -> list[Share]:
    """Divide a batch among its senders, in the order of their first records.

    Args:
        records: of the batch.
        sizes: bytes of each as received; the characters of its message where None, or where they
            are not as many as the records.
    """
    if record_fields is not None:
        return record_fields.shares(records, sizes)
    if sizes is None or len(sizes) != len(records):
        sizes = [len(record.msg) for record in records]
    shares: dict[tuple[str | None, str | None], Share] = {}
    for place, (record, size) in enumerate(zip(records, sizes, strict=True)):
        key = record.peer, record.host
        share = shares.get(key)
        if share is None:
            share = shares[key] = Share(*key)
        share.records += 1
        share.last = place
        share.bytes += size
        number = sequence_of(record)
        if number:
            share.numbers.append(number)
    return list(shares.values())
