"""Which entries of journals were seen, in bounded memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.parsing.cursors import SeenCursors, place_of

S = "0123456789abcdef0123456789abcdef"
B = "fedcba9876543210fedcba9876543210"


def cursor(number: int, journal: str = S) -> str:
    """Write a cursor as journald does."""
    return f"s={journal};i={number:x};b={B};m=1f;t=2f;x=3f"


def test_an_entry_is_known_by_its_number_journal_and_boot() -> None:
    """The rest of the cursor says where it is, not which it is."""
    assert place_of(cursor(255)) == (f"s={S};b={B}", 255)


@pytest.mark.parametrize(
    "text", ["", "s=1", "s=1;i=2", "i=2;s=1;b=3", f"s={S};j=1;b={B}", f"s={S};i=x;b={B}", ";;;"]
)
def test_a_cursor_of_another_form_is_never_known(text: str) -> None:
    """What cannot be told apart is taken, and not remembered."""
    seen = SeenCursors()
    seen.add(text)
    assert text not in seen
    assert not seen


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), max_size=60))
def test_it_remembers_as_a_set_does(added: list[tuple[str, int]]) -> None:
    """In whatever order numbers come; and numbers that follow on each other are one run."""
    seen = SeenCursors()
    for journal, number in added:
        seen.add(cursor(number, journal))
    for journal in "abc":
        numbers = {n for j, n in added if j == journal}
        assert {n for n in range(32) if cursor(n, journal) in seen} == numbers
        runs = seen.dump().get(f"s={journal};b={B}", [])
        assert len(runs) == len({n for n in numbers if n - 1 not in numbers})
    again = SeenCursors()
    again.load(seen.dump())
    assert again.dump() == seen.dump()
    assert bool(again) == bool(added)


def test_a_gap_that_is_filled_joins_two_runs() -> None:
    """Two uploaders of one journal may each send a part of it."""
    seen = SeenCursors(max_runs=2)
    for number in (1, 3, 2, 4, 0):
        seen.add(cursor(number))
    assert list(seen.dump().values()) == [[[0, 4]]]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 40)), max_size=80),
    st.integers(1, 5),
)
def test_what_is_forgotten_is_never_invented(added: list[tuple[str, int]], limit: int) -> None:
    """The runs stay below the limit; what is in them was added; no more."""
    seen = SeenCursors(max_runs=limit)
    for journal, number in added:
        seen.add(cursor(number, journal))
        assert sum(map(len, seen.dump().values())) <= limit
    known = {(j, n) for j in "abc" for n in range(42) if cursor(n, j) in seen}
    assert known <= set(added)


def test_the_journal_heard_longest_ago_is_forgotten() -> None:
    """Where there are too many runs."""
    seen = SeenCursors(max_runs=3)
    for journal, number in (("a", 1), ("b", 1), ("a", 3), ("c", 1)):
        seen.add(cursor(number, journal))
    assert list(seen.dump()) == [f"s=a;b={B}", f"s=c;b={B}"]


def test_of_the_only_journal_the_lowest_numbers_are_forgotten() -> None:
    """They are the oldest."""
    seen = SeenCursors(max_runs=2)
    for number in (1, 5, 9):
        seen.add(cursor(number))
    assert list(seen.dump().values()) == [[[5, 5], [9, 9]]]


@pytest.mark.parametrize("runs", [[[2, 1]], [[1, 5], [3, 9]], [[1, 2], [3, 4]], [[5, 6], [1, 2]]])
def test_runs_in_no_order_are_refused(runs: list[list[int]]) -> None:
    """A file that was not written by us must not make us drop what is new."""
    with pytest.raises(ValueError, match="order"):
        SeenCursors().load({"s=a;b=b": runs})


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30)), max_size=40),
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30)), max_size=40),
)
def test_what_two_saw_is_known_to_who_absorbs_both(
    one: list[tuple[str, int]], other: list[tuple[str, int]]
) -> None:
    """As if one of them had seen all of it, run for run."""
    seen, second, alone = SeenCursors(), SeenCursors(), SeenCursors()
    for journal, number in one:
        seen.add(cursor(number, journal))
    for journal, number in other:
        second.add(cursor(number, journal))
    for journal, number in one + other:
        alone.add(cursor(number, journal))
    seen.absorb(second.dump())
    assert seen.dump().items() == alone.dump().items()


def test_what_is_absorbed_keeps_to_the_bound() -> None:
    """The journals that come last stay."""
    seen, other = SeenCursors(max_runs=3), SeenCursors()
    seen.add(cursor(1, "old"))
    for number in (1, 3, 5):
        other.add(cursor(number, "new"))
    seen.absorb(other.dump())
    assert cursor(1, "old") not in seen
    assert all(cursor(number, "new") in seen for number in (1, 3, 5))
