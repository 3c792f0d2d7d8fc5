from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from logopsd.figures.source import Source
from logopsd.figures.sources import Sources
from logopsd.records import Batch, Record
from logopsd.workers.senders import joined

HEARD = st.tuples(st.sampled_from("abc"), st.integers(1, 3), st.integers(0, 1))
"""Host, records, and which worker hears them."""


def batch(host: str, count: int, now: float) -> Batch:
    """Records of one host."""
    records = [Record("", "INFO", "x", host=host, peer="192.0.2.7") for _ in range(count)]
    return Batch("tcp", now, "", records)


@given(st.lists(HEARD, max_size=20))
def test_several_tables_are_as_one(heard: list[tuple[str, int, int]]) -> None:
    """Whoever heard what: the same senders, records, bytes and times, in the same order."""
    alone = Sources(tz=UTC)
    tables = [Sources(tz=UTC, first_id=number, id_step=2) for number in (1, 2)]
    for now, (host, count, worker) in enumerate(heard):
        alone.see(batch(host, count, 1000.0 + now))
        tables[worker].see(batch(host, count, 1000.0 + now))
    page = joined([table.page(0.0) for table in tables], 2000.0)
    expected = alone.page(2000.0)

    assert [without_id(sender) for sender in page["sources"]] == [
        without_id(sender) for sender in expected["sources"]
    ]
    assert (page["now"], page["known"]) == (2000.0, expected["known"])
    ids = [sender["id"] for sender in page["sources"]]
    assert len(set(ids)) == len(ids)


def without_id(sender: dict) -> dict:
    """What does not depend on who numbers the senders."""
    return {name: value for name, value in sender.items() if name != "id"}


def test_a_sender_that_went_to_another_worker_is_not_silent() -> None:
    """Its old connection is silent in one table, its new one speaks in the other."""
    old, new = Sources(tz=UTC), Sources(tz=UTC)
    for second in range(0, 200, 2):
        old.see(batch("a", 1, float(second)))
        old.see(batch("b", 1, float(second)))
    for second in range(200, 20_000, 2):
        new.see(batch("a", 1, float(second)))
    for table in (old, new):
        table.check(20_000.0)
    page = joined([old.page(0.0), new.page(0.0)], 20_000.0)

    assert {sender["host"]: sender["silent"] for sender in page["sources"]} == {
        "a": False,
        "b": True,
    }
    assert page["silent"] == 1


def test_gaps_add_up_where_anything_is_numbered() -> None:
    """A sender that numbers nothing has none, whoever hears it."""
    page = {"evicted": 1, "sources": [Source(1, ("tcp", None, "a"), 1.0).as_dict()]}
    numbered = {"evicted": 2, "sources": [page["sources"][0] | {"gaps": 3}]}
    assert joined([page, page], 2.0)["sources"][0]["gaps"] is None
    assert joined([page, numbered, numbered], 2.0)["sources"][0]["gaps"] == 6
    assert joined([page, numbered], 2.0)["evicted"] == 3
