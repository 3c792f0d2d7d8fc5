"""Small batches of one turn of the event loop, made one: what costs by the batch is paid once.

Masking a batch and handing it to the sink costs some 60 us, however few its records are. Requests
with a record each, or a thousand connections with a line each, would pay that for every record.
"""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from logopsd.records import Batch, Record

Told = Callable[[], None] | None
"""Who wants to hear, in the event loop, that a batch is stored; None where nobody does."""

Failed = Callable[[Exception], None] | None
"""Who wants to hear that a batch that waited could not be stored, which is a bug; None likewise."""

GATHER_RECORDS = 32
"""A batch of fewer waits for others; with more, its price is less than 2 us a record."""


class Parcel(msgspec.Struct):
    """A batch that is parsed, and has yet to be masked and stored.

    Attributes:
        batch: as parsed.
        sizes: bytes of each record as received; None where only its message tells.
        on_stored: who wants to hear.
        on_failed: who wants to hear, where it waited, that it could not be stored.
    """

    batch: Batch
    sizes: Sequence[int] | None
    on_stored: Told
    on_failed: Failed = None


class Gatherer:
    """Holds small batches until the turn of the loop is over.

    Args:
        store: masks and stores a parcel.
        defer: runs a callable in the event loop at its next turn (`loop.call_soon`); None to hand
            each batch on at once.
    """

    def __init__(
        self,
        store: Callable[[Parcel], None],
        defer: Callable[[Callable[[], None]], object] | None,
    ) -> None:
        self._store = store
        self._defer = defer
        self._waiting: list[Parcel] = []

    def take(self, parcel: Parcel, *, at_once: bool = False) -> None:
        """Store a batch: at once, where what fails is raised, or with others where it is small."""
        if at_once or self._defer is None or len(parcel.batch.records) >= GATHER_RECORDS:
            self.flush()  # what came before goes before
            self._store(parcel)
            return
        if not self._waiting:
            self._defer(self.flush)
        self._waiting.append(parcel)

    def flush(self) -> None:
        """Store what waits, a batch for each input."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        for input in dict.fromkeys(parcel.batch.input for parcel in waiting):
            self._store_joined([parcel for parcel in waiting if parcel.batch.input == input])

    def _store_joined(self, parcels: Sequence[Parcel]) -> None:
        joined = parcels[0] if len(parcels) == 1 else join(parcels)
        count = len(joined.batch.records)
        try:
            self._store(joined)
        except Exception as error:
            for parcel in parcels:
                if parcel.on_failed is not None:
                    parcel.on_failed(error)
            raise
        if len(joined.batch.records) < count:
            _leave_out_others(parcels, joined.batch.records)


def join(parcels: Sequence[Parcel]) -> Parcel:
    """Make one of several of the same input; it holds their very records, not copies."""
    first = parcels[0].batch
    joined = Batch(first.input, first.now, first.received)
    sizes: list[int] = []
    tolds = []
    for parcel in parcels:
        batch = parcel.batch
        joined.records += batch.records
        joined.missing_ts += batch.missing_ts
        joined.missing_level += batch.missing_level
        joined.failed += batch.failed
        sizes += parcel.sizes or [len(record.msg) for record in batch.records]
        if parcel.on_stored is not None:
            tolds.append(parcel.on_stored)
    return Parcel(joined, sizes, partial(_tell, tolds) if tolds else None)


def _leave_out_others(parcels: Sequence[Parcel], kept: Sequence[Record]) -> None:
    """Leave in each batch only what is kept of all."""
    places = set(map(id, kept))
    for parcel in parcels:
        records = parcel.batch.records
        records[:] = [record for record in records if id(record) in places]


def _tell(tolds: Sequence[Callable[[], None]]) -> None:
    """Tell each; one that raises does not cost the others their word."""
    failure: Exception | None = None
    for told in tolds:
        try:
            told()
        except Exception as error:
            failure = failure or error
    if failure is not None:
        raise failure
