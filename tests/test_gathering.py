import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.gathering import GATHER_RECORDS, Gatherer, Parcel
from logopsd.records import Batch, Record


class Turn:
    """A loop whose turn ends when told to, and a store that keeps what it is given."""

    def __init__(self, *, deferring: bool = True) -> None:
        self.stored: list[Parcel] = []
        self.deferred: list = []
        self.left_out = ""
        self.gatherer = Gatherer(self.store, self.deferred.append if deferring else None)

    def store(self, parcel: Parcel) -> None:
        """Keep a parcel, but for the records with one text."""
        records = parcel.batch.records
        records[:] = [record for record in records if record.msg != self.left_out]
        self.stored.append(parcel)

    def end(self) -> None:
        """End the turn."""
        deferred, self.deferred[:] = list(self.deferred), []
        for callback in deferred:
            callback()

    def texts(self) -> list[tuple[str, list[str]]]:
        """What was stored: the input and the messages of each batch."""
        return [(p.batch.input, [record.msg for record in p.batch.records]) for p in self.stored]


def parcel(*texts: str, input: str = "http", sizes=None, told=None, **counts) -> Parcel:
    """Make a parcel of records with these messages."""
    records = [Record("t", "INFO", text) for text in texts]
    return Parcel(Batch(input, 1.5, "t", records, **counts), sizes, told)


@pytest.fixture
def turn() -> Turn:
    """Give a turn with nothing in it."""
    return Turn()


def test_small_batches_of_a_turn_are_stored_as_one(turn):
    """Their counts are added up, and each input has a batch of its own."""
    turn.gatherer.take(parcel("a", sizes=[5], missing_ts=1))
    turn.gatherer.take(parcel("x", input="tcp"))
    turn.gatherer.take(parcel("bcd", "e", missing_ts=1, missing_level=2, failed=1))
    assert turn.stored == []

    turn.end()

    assert turn.texts() == [("http", ["a", "bcd", "e"]), ("tcp", ["x"])]
    joined = turn.stored[0]
    assert joined.sizes == [5, 3, 1]
    counts = joined.batch
    assert (counts.missing_ts, counts.missing_level, counts.failed) == (2, 2, 1)
    assert (counts.now, counts.received) == (1.5, "t")


def test_the_records_are_the_same_objects(turn):
    """What is masked in the joined batch is masked in each."""
    parcels = [parcel("a"), parcel("b")]
    for each in parcels:
        turn.gatherer.take(each)
    turn.end()
    turn.stored[0].batch.records[1].msg = "***"
    assert parcels[1].batch.records[0].msg == "***"


def test_a_large_batch_goes_at_once_behind_what_came_before(turn):
    """The order of arrival is kept."""
    turn.gatherer.take(parcel("a"))
    turn.gatherer.take(parcel(*["b"] * GATHER_RECORDS))
    assert [len(texts) for _, texts in turn.texts()] == [1, GATHER_RECORDS]
    turn.end()
    assert len(turn.stored) == 2


def test_who_wants_it_at_once_does_not_wait(turn):
    """However small it is."""
    turn.gatherer.take(parcel("a"), at_once=True)
    assert (turn.texts(), turn.deferred) == ([("http", ["a"])], [])


def test_without_a_loop_nothing_waits():
    """Each batch is stored as it comes."""
    turn = Turn(deferring=False)
    turn.gatherer.take(parcel("a"))
    turn.gatherer.take(parcel("b"))
    assert turn.texts() == [("http", ["a"]), ("http", ["b"])]


def test_what_is_left_out_of_all_is_left_out_of_each(turn):
    """The counts of an answer are those of what is stored."""
    turn.left_out = "own"
    parcels = [parcel("own"), parcel("a", "own")]
    for each in parcels:
        turn.gatherer.take(each)
    turn.end()
    assert [[record.msg for record in each.batch.records] for each in parcels] == [[], ["a"]]


def test_each_is_told_when_all_is_stored(turn):
    """In the order in which they came."""
    told = []
    for number in range(3):
        turn.gatherer.take(parcel("a", told=lambda number=number: told.append(number)))
    turn.end()
    turn.stored[0].on_stored()
    assert told == [0, 1, 2]


def test_each_is_told_though_another_fails(turn):
    """The first error is raised once all have heard."""
    told = []

    def fail() -> None:
        raise RuntimeError("a bug")

    for on_stored in (lambda: told.append(1), fail, None, lambda: told.append(2)):
        turn.gatherer.take(parcel("a", told=on_stored))
    turn.end()
    with pytest.raises(RuntimeError):
        turn.stored[0].on_stored()
    assert told == [1, 2]


def test_nobody_is_told_where_nobody_asked(turn):
    """The sink then has nobody to call."""
    turn.gatherer.take(parcel("a"))
    turn.gatherer.take(parcel("b"))
    turn.end()
    assert turn.stored[0].on_stored is None


def test_a_flush_of_nothing_stores_nothing(turn):
    """As at the end of the daemon."""
    turn.gatherer.flush()
    assert turn.stored == []


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.tuples(
                st.sampled_from(["http", "tcp"]),
                st.sampled_from([0, 1, 2, GATHER_RECORDS - 1, GATHER_RECORDS]),
                st.booleans(),
            ),
        )
    )
)
def test_every_record_is_stored_once_and_in_order(steps):
    """Whatever comes in which turn; None ends a turn."""
    turn, sent = Turn(), {"http": [], "tcp": []}
    for number, step in enumerate(steps):
        if step is None:
            turn.end()
            continue
        input, count, at_once = step
        texts = [f"{number}.{place}" for place in range(count)]
        sent[input] += texts
        turn.gatherer.take(parcel(*texts, input=input), at_once=at_once)
    turn.end()

    stored = {"http": [], "tcp": []}
    for input, texts in turn.texts():
        stored[input] += texts
    assert stored == sent


def test_what_cannot_be_stored_is_told_to_each_who_waits(turn, monkeypatch):
    """And raised, so that the log has the cause; the next turn goes on."""
    told, failed = [], []

    def fail(_) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(turn.gatherer, "_store", fail)
    for place in range(2):
        waiting = parcel("a", told=lambda: told.append(1))
        waiting.on_failed = lambda error, place=place: failed.append((place, str(error)))
        turn.gatherer.take(waiting)
    turn.gatherer.take(parcel("nobody waits"))
    with pytest.raises(RuntimeError):
        turn.end()
    assert (told, failed) == ([], [(0, "a bug"), (1, "a bug")])

    monkeypatch.undo()
    turn.gatherer.take(parcel("b"))
    turn.end()
    assert turn.texts() == [("http", ["b"])]
