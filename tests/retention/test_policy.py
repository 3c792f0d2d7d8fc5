import datetime
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.retention.policy import (
    CONFIRM_DAYS,
    LEAP_DAYS,
    Entry,
    believed_today,
    day_of_archive,
    day_of_file,
    decide,
)

TODAY = date(2026, 11, 23)


def entry(day: date, *, size: int = 10, suffix: str = "", written: date | None = None) -> Entry:
    """The file of a day."""
    return Entry(f"{day:%Y%m%d}{suffix}.ndjson", size, day, written)


def names(entries: list[Entry]) -> list[str]:
    """Their names."""
    return [e.name for e in entries]


@pytest.mark.parametrize(
    ("name", "file", "archive"),
    [
        ("20261123.ndjson", True, False),
        ("20261123-1.ndjson", True, False),
        ("20261123-error.ndjson", True, False),
        ("20261123.ndjson.torn", True, False),
        ("20261123.ndjson.zip", False, True),
        ("20261123-1.ndjson.zip", False, True),
        ("20261123.ndjson-2.zip", False, True),
        ("20261123.ndjson.torn.zip", False, True),
        ("20260231.ndjson", False, False),
        ("00000101.ndjson", False, False),
        ("20261123.ndjson.zip.part", False, False),
        ("20261123.log", False, False),
        ("x20261123.ndjson", False, False),
        ("20261123.ndjson\n", False, False),
        (".lock", False, False),
    ],
)
def test_only_our_own_names_have_a_day(name: str, file: bool, archive: bool) -> None:
    """What the sink and the sweeper make is told apart; all else is not touched."""
    assert (day_of_file(name) is not None) is file
    assert (day_of_archive(name) is not None) is archive
    for day in (day_of_file(name), day_of_archive(name)):
        assert day in (None, TODAY)


@pytest.mark.parametrize(("age", "goes"), [(0, False), (30, False), (31, True), (-1, False)])
def test_a_file_goes_when_its_day_is_more_than_days_before_today(age: int, goes: bool) -> None:
    """Thirty days stay; the thirty-first goes; the future is not old."""
    plan = decide([entry(TODAY - timedelta(age))], [], today=TODAY, days=30)
    assert bool(plan.remove) is goes
    assert plan.kept == (0 if goes else 1)


def test_zero_days_keep_today_and_what_is_open() -> None:
    """With no days kept, today's pieces and open files stay all the same."""
    files = [
        entry(TODAY),
        entry(TODAY, suffix="-1"),
        entry(TODAY - timedelta(1)),
        entry(TODAY - timedelta(2)),
    ]
    plan = decide(files, [], today=TODAY, days=0, open_names={"20261122.ndjson"})
    assert names(plan.remove) == ["20261121.ndjson"]


def test_the_cap_takes_the_oldest_first_and_stops_in_time() -> None:
    """Files go from the oldest until the folder is within the cap, never today's."""
    files = [entry(TODAY - timedelta(n)) for n in range(5)]
    plan = decide(files, [], today=TODAY, days=30, max_bytes=25)
    assert names(plan.remove) == ["20261119.ndjson", "20261120.ndjson", "20261121.ndjson"]
    plan = decide(files, [], today=TODAY, days=30, max_bytes=1)
    assert "20261123.ndjson" not in names(plan.remove)
    assert len(plan.remove) == 4
    assert decide(files, [], today=TODAY, days=30, max_bytes=50).remove == []


def test_what_goes_by_age_counts_for_the_cap() -> None:
    """A file that is old makes room first."""
    files = [entry(TODAY - timedelta(40)), entry(TODAY - timedelta(2)), entry(TODAY)]
    assert names(decide(files, [], today=TODAY, days=30, max_bytes=20).remove) == [
        "20261014.ndjson"
    ]


def test_archives_have_days_of_their_own() -> None:
    """Archives stay for good, or for their own number of days; the cap is not theirs."""
    archives = [entry(TODAY - timedelta(n)) for n in (400, 100, 99)]
    near = [entry(TODAY - timedelta(1))]
    assert decide(near, archives, today=TODAY, days=30, max_bytes=15).expire == []
    plan = decide(near, archives, today=TODAY, days=30, archive_days=99)
    assert names(plan.expire) == ["20251019.ndjson", "20260815.ndjson"]
    assert plan.kept == 2


def test_a_clock_years_ahead_deletes_nothing_that_the_right_one_would_not() -> None:
    """Today is ten years ahead of all files: ages are counted from the newest of them."""
    files = [entry(TODAY - timedelta(n)) for n in range(40)]
    archives = [entry(TODAY - timedelta(n)) for n in range(40, 80)]
    future = date(2036, 1, 1)
    files.append(entry(future))  # the daemon has written under the wrong clock already
    plan = decide(files, archives, today=future, days=30, archive_days=60)
    assert plan.today == TODAY
    assert names(plan.remove) == names([entry(TODAY - timedelta(n)) for n in range(39, 30, -1)])
    assert names(plan.expire) == names([entry(TODAY - timedelta(n)) for n in range(79, 60, -1)])
    assert len(plan.held) == 31 + 21
    assert plan.kept == 31 + 21 + 1


def test_a_leap_is_believed_once_a_week_of_files_stands_after_it() -> None:
    """A machine that rested for years goes on as the policy says, with a week's delay."""
    old = entry(date(2020, 1, 1))
    for days in range(1, CONFIRM_DAYS + 1):
        files = [old, *(entry(TODAY - timedelta(n)) for n in range(days))]
        assert bool(decide(files, [], today=TODAY, days=30).remove) is (days == CONFIRM_DAYS)


def test_a_file_written_lately_confirms_the_clock() -> None:
    """A file with an old day in its name but written today is no sign of a leap."""
    plan = decide([entry(date(2020, 1, 1), written=TODAY)], [], today=TODAY, days=30)
    assert names(plan.remove) == ["20200101.ndjson"]


def test_a_gap_of_months_is_no_leap() -> None:
    """A machine that rested for a few months is swept at once."""
    old = entry(TODAY - timedelta(LEAP_DAYS))
    assert decide([old], [], today=TODAY, days=30).remove == [old]


def test_a_clock_that_went_back_deletes_nothing_by_age() -> None:
    """All files lie in the future then."""
    files = [entry(TODAY - timedelta(n)) for n in range(400)]
    plan = decide(files, [], today=date(1970, 1, 1), days=30, max_bytes=1, archive_days=0)
    assert plan.remove == plan.expire == plan.held == []


@given(
    st.sets(st.dates(date(2015, 1, 1), date(2040, 1, 1)), max_size=30),
    st.dates(date(1970, 1, 1), date(2099, 1, 1)),
    st.integers(0, 400),
)
def test_the_policy_names_no_more_than_the_clock_would(
    days: set[date], today: date, keep: int
) -> None:
    """Distrust only ever keeps: the believed day is never after today."""
    files = [entry(day) for day in days]
    assert believed_today(files, today) <= today
    plan = decide(files, [], today=today, days=keep)
    assert all(today - e.day > datetime.timedelta(keep) for e in plan.remove)
    assert {*plan.remove, *plan.held} == {e for e in files if (today - e.day).days > keep}


def test_what_is_not_shipped_waits_though_it_is_old() -> None:
    """And is named, so that it can be told; the others go."""
    old, older = entry(TODAY - timedelta(days=40)), entry(TODAY - timedelta(days=41))

    plan = decide([old, older], [], today=TODAY, days=30, unshipped={older.name})

    assert (plan.remove, plan.waiting, plan.unshipped, plan.kept) == ([old], [older], [], 1)


def test_for_want_of_room_what_is_shipped_goes_before_what_is_not() -> None:
    """Even where it is newer; only then the oldest of those that are not, and they are named."""
    days = [entry(TODAY - timedelta(days=n)) for n in (5, 4, 3, 2)]
    unshipped = {days[0].name, days[1].name}

    roomy = decide(days, [], today=TODAY, days=30, max_bytes=25, unshipped=unshipped)
    tight = decide(days, [], today=TODAY, days=30, max_bytes=15, unshipped=unshipped)

    assert (roomy.remove, roomy.unshipped) == (days[2:], [])
    assert (tight.remove, tight.unshipped) == ([*days[2:], days[0]], [days[0]])


def test_an_open_file_or_one_of_today_does_not_even_wait() -> None:
    """It is none of the policy's business yet."""
    files = [entry(TODAY), entry(TODAY - timedelta(days=40))]
    everything = {each.name for each in files}

    plan = decide(
        files, [], today=TODAY, days=30, max_bytes=1, open_names=everything, unshipped=everything
    )

    assert (plan.remove, plan.waiting, plan.unshipped) == ([], [], [])
