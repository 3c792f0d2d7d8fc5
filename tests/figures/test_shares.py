"""A batch is divided among its senders, in one way and the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.figures import shares as module
from logopsd.figures.sequences import MAX_SEQUENCE
from logopsd.figures.shares import shares_of
from logopsd.records import Record

NUMBERS = st.one_of(
    st.integers(0, 2 * MAX_SEQUENCE).map(str),
    st.sampled_from(["", "x", "-1", "1" * 11, "0012", "\u0661", 5, ["1"], None]),
)
STRUCTURED = st.one_of(
    st.none(),
    st.just({"other": {}}),
    NUMBERS.map(lambda number: {"meta": {"sequenceId": number}}),
)
RECORDS = st.builds(
    Record,
    ts=st.just(""),
    level=st.just("INFO"),
    msg=st.text(max_size=3),
    host=st.sampled_from([None, "a", "b"]),
    peer=st.sampled_from([None, "p", "q"]),
    msgid=st.sampled_from([None, "SYS-5-CONFIG_I"]),
    format=st.sampled_from(["rfc3164", "rfc5424"]),
    sd=STRUCTURED,
    extras=st.none()
    | st.fixed_dictionaries({"sequence": st.integers(-1, 3) | st.sampled_from([2**70, True, "1"])}),
)


def record(host: str = "a", **more: object) -> Record:
    """Make a record of a host."""
    return Record("", "INFO", "hello", host=host, peer="p", **more)


@pytest.fixture(params=["compiled", "plain"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Divide in C, where that was built, and without it."""
    if request.param == "plain":
        monkeypatch.setattr(module, "record_fields", None)


@pytest.mark.usefixtures("way")
def test_each_sender_has_its_share() -> None:
    """Records, bytes, the place of the last one, and the numbers; in the order of appearance."""
    numbered = {"meta": {"sequenceId": "7"}}
    shares = shares_of([record("a"), record("b", sd=numbered), record("a")], [10, 20, 30])

    assert [(s.host, s.peer, s.records, s.bytes, s.last, s.numbers) for s in shares] == [
        ("a", "p", 2, 40, 2, []),
        ("b", "p", 1, 20, 1, [7]),
    ]


@pytest.mark.usefixtures("way")
def test_sizes_that_do_not_fit_the_records_are_not_used() -> None:
    """Where records were left out on the way, the characters of the messages count."""
    assert [share.bytes for share in shares_of([record()], [10, 20])] == [len("hello")]
    assert [share.bytes for share in shares_of([record(), record()], [10])] == [2 * len("hello")]


@pytest.mark.usefixtures("way")
def test_an_empty_batch_has_no_shares() -> None:
    """Nothing comes of nothing."""
    assert shares_of([]) == []


@given(st.lists(RECORDS, max_size=8), st.none() | st.lists(st.integers(0, 9000), max_size=8))
def test_both_ways_divide_alike(records: list[Record], sizes: list[int] | None) -> None:
    """Whoever the senders are, however they are mixed, and whatever numbers they give."""
    compiled = shares_of(records, sizes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "record_fields", None)
        plain = shares_of(records, sizes)
    names = ("peer", "host", "records", "last", "bytes", "numbers")
    assert [[getattr(share, name) for name in names] for share in compiled] == [
        [getattr(share, name) for name in names] for share in plain
    ]
