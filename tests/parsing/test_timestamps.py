"""Stamps of every form into RFC 3339 UTC."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from logopsd.parsing import timestamps
from tests.parsing.helpers import NOW, stamps_at

BERLIN = ZoneInfo("Europe/Berlin")


def read(value: object, now: datetime = NOW, tz: tzinfo = UTC) -> tuple[str, list[str]] | None:
    """Read one value of a time field."""
    stamp = stamps_at(now, tz).read(value)
    return stamp and (stamp.ts, stamp.guessed or [])


@pytest.mark.parametrize(
    ("text", "ts"),
    [
        ("2024-05-03T12:00:00Z", "2024-05-03T12:00:00Z"),
        ("2024-05-03t12:00:00z", "2024-05-03T12:00:00Z"),
        ("2024-05-03T12:00:00.5Z", "2024-05-03T12:00:00.5Z"),
        ("2024-05-03T12:00:00.120Z", "2024-05-03T12:00:00.120Z"),
        ("2024-05-03T12:00:00.123456789Z", "2024-05-03T12:00:00.123456Z"),
        ("2024-05-03T12:00:00.123+02:00", "2024-05-03T10:00:00.123Z"),
        ("2024-05-03T12:00:00-00:00", "2024-05-03T12:00:00Z"),
        ("2024-12-31T23:30:00-05:30", "2025-01-01T05:00:00Z"),
        ("2024-05-03 12:00:00 +0200", "2024-05-03T10:00:00Z"),
        ("2024-05-03 12:00:00+02", "2024-05-03T10:00:00Z"),
        ("2024-05-03 12:00:00 CEST", "2024-05-03T10:00:00Z"),
        ("2024-05-03 12:00:00,123 UTC", "2024-05-03T12:00:00.123Z"),
        ("2024/05/03 12:00:00 GMT", "2024-05-03T12:00:00Z"),
        ("2024-05-03T12:00Z", "2024-05-03T12:00:00Z"),
        ("20240503T120000Z", "2024-05-03T12:00:00Z"),
        ("03/May/2024:12:00:00 +0200", "2024-05-03T10:00:00Z"),
        ("[03/May/2024:12:00:00 +0200]", "2024-05-03T10:00:00Z"),
        ("Fri, 03 May 2024 12:00:00 +0200", "2024-05-03T10:00:00Z"),
        ("Fri, 3 May 2024 12:00:00 GMT", "2024-05-03T12:00:00Z"),
        ("3 May 2024 12:00:00 EST", "2024-05-03T17:00:00Z"),
        ("Fri May  3 12:00:00 UTC 2024", "2024-05-03T12:00:00Z"),
        ("1714737600", "2024-05-03T12:00:00Z"),
        ("1714737600.123456789", "2024-05-03T12:00:00.123456Z"),
        ("1714737600123", "2024-05-03T12:00:00.123Z"),
        ("1714737600123456", "2024-05-03T12:00:00.123456Z"),
        ("1714737600123456789", "2024-05-03T12:00:00.123456Z"),
        (1714737600, "2024-05-03T12:00:00Z"),
        (1714737600.25, "2024-05-03T12:00:00.25Z"),
        (1714737600123, "2024-05-03T12:00:00.123Z"),
        (1714737600123456512.0, "2024-05-03T12:00:00.123456Z"),
        (999999999, "2001-09-09T01:46:39Z"),
    ],
)
def test_stamps_that_say_everything(text: object, ts: str) -> None:
    """A stamp with year and zone is converted to UTC, and nothing is guessed."""
    assert read(text) == (ts, [])


@pytest.mark.parametrize(
    ("text", "ts", "guessed"),
    [
        ("2024-05-03T12:00:00", "2024-05-03T10:00:00Z", ["zone"]),
        ("2024-05-03 12:00:00,123", "2024-05-03T10:00:00.123Z", ["zone"]),
        ("2024-05-03 12:00:00:123", "2024-05-03T10:00:00.123Z", ["zone"]),
        ("2024-01-03 12:00:00", "2024-01-03T11:00:00Z", ["zone"]),
        ("20240503120000", "2024-05-03T10:00:00Z", ["zone"]),
        ("20240503120000123", "2024-05-03T10:00:00.123Z", ["zone"]),
        ("03-May-2024 12:00:00.123", "2024-05-03T10:00:00.123Z", ["zone"]),
        ("May  3 2025 12:00:00", "2025-05-03T10:00:00Z", ["zone"]),
        ("2025 May  3 12:00:00", "2025-05-03T10:00:00Z", ["zone"]),
        ("[Fri Sep 09 10:42:29.902022 2011]", "2011-09-09T08:42:29.902022Z", ["zone"]),
        ("Mar 14 12:00:00 2025", "2025-03-14T11:00:00Z", ["zone"]),
        ("Mar 14 12:00:00 UTC", "2026-03-14T12:00:00Z", ["year"]),
        ("Mar 14 12:00:00.123", "2026-03-14T11:00:00.123Z", ["year", "zone"]),
        ("Mar 4 12:00:00", "2026-03-04T11:00:00Z", ["year", "zone"]),
        ("2024-05-03 12:00:00 IST", "2024-05-03T06:30:00Z", ["zone"]),
    ],
)
def test_what_was_inferred_is_said(text: str, ts: str, guessed: list[str]) -> None:
    """A missing year or zone, or a name that several zones bear, is filled in and named."""
    assert read(text, tz=BERLIN) == (ts, guessed)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "yesterday",
            "12:00:00",
            "2024-05-03",
            "2024-13-03T12:00:00Z",
            "0000-01-01T00:00:00Z",
        ),
        *("2024-02-30T12:00:00Z", "2024-05-03T24:00:00Z", "2024-05-03T12:60:00Z"),
        *("2024-05-03T12:00:00+24:00", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"),
        *("2024-05-03T12:00:00Z and more", "Mar 14 12:00:00 and more", "Xxx 14 12:00:00"),
        *("2026-05-03T12:00:60Z", "Mar 14 12:00:60", "Feb 30 12:00:00", "Mar 00 12:00:00"),
        *(0, 1, -1714737600, 12345.678, 5 * 10**10, 10**30, 10**400, True, None, [], {}),
        *(float("nan"), float("inf"), "1" * 11, "1" * 1_000_000, "٢٠٢٤-05-03T12:00:00Z"),
        *("Mar 14 25:00:00 EST", "12/13/2024 10:00:00"),
    ],
)
def test_what_names_no_instant_is_not_read(value: object) -> None:
    """Impossible dates, uptimes, and numbers that fit no unit are no stamps."""
    assert read(value) is None


@pytest.mark.parametrize(
    ("text", "ts"),
    [
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.5Z"),
        ("2017-01-01T05:29:60+05:30", "2017-01-01T00:00:00Z"),
        ("Dec 31 23:59:60", "2026-01-01T00:00:00Z"),
    ],
)
def test_a_leap_second_is_the_second_after(text: str, ts: str) -> None:
    """It becomes what a POSIX clock shows for it, as many readers refuse a second 60."""
    stamp = read(text)
    assert stamp is not None
    assert stamp[0] == ts


@pytest.mark.parametrize(
    ("now", "text", "year"),
    [
        ("2026-01-01T00:10:00", "Dec 31 23:59:50", 2025),
        ("2026-12-31T23:50:00", "Jan  1 00:00:10", 2027),
        ("2026-12-31T23:50:00", "Dec 31 23:49:00", 2026),
        ("2026-07-01T12:00:00", "Jan  2 00:00:00", 2026),
        ("2026-07-05T12:00:00", "Jan  2 00:00:00", 2027),
        ("2026-07-02T23:30:00", "Jan  1 12:00:00", 2026),
        ("2026-07-03T00:30:00", "Jan  1 12:00:00", 2027),
        ("2024-02-29T12:00:00", "Feb 29 11:00:00", 2024),
        ("2024-03-01T00:10:00", "Feb 29 23:59:00", 2024),
        ("2023-12-31T12:00:00", "Feb 29 11:00:00", 2024),
    ],
)
def test_a_missing_year_is_the_one_nearest_to_arrival(now: str, text: str, year: int) -> None:
    """Around New Year and 29 February too."""
    stamp = read(text, datetime.fromisoformat(f"{now}+00:00"))
    assert stamp is not None
    assert stamp[0].startswith(str(year))


@pytest.mark.parametrize("now", ["2026-03-01T00:10:00", "2025-03-01T00:10:00"])
def test_29_february_of_a_common_year_is_no_date(now: str) -> None:
    """No year that makes it a date lies within half a year of arrival."""
    assert read("Feb 29 23:59:00", datetime.fromisoformat(f"{now}+00:00")) is None


@pytest.mark.parametrize("text", ["Nov 23 01:00:20-79", "Nov 23 01:00:20+2400"])
def test_an_offset_of_a_day_is_none(text: str) -> None:
    """A stamp without a year whose offset no clock has is not read, and is no error."""
    assert read(text) is None
    assert stamps_at().scan(f"{text}: and more") is None


def test_an_hour_that_comes_twice_is_the_one_nearer_to_arrival() -> None:
    """Where the clocks are put back, the time of arrival decides."""
    early = datetime(2026, 10, 25, 0, 31, tzinfo=UTC)
    for now in (early, early + timedelta(hours=1)):
        expected = (now - timedelta(minutes=1)).isoformat()[:19] + "Z"
        assert read("Oct 25 02:30:00", now, BERLIN) == (expected, ["year", "zone"])


def test_a_name_that_several_zones_bear_means_ours_where_ours_bears_it() -> None:
    """IST is India's zone for a daemon in India, and no guess."""
    assert read("2024-05-03 12:00:00 IST", tz=ZoneInfo("Asia/Kolkata")) == (
        *("2024-05-03T06:30:00Z", []),
    )
    assert read("2024-05-03 12:00:00 IST", tz=ZoneInfo("Asia/Jerusalem")) == (
        *("2024-05-03T10:00:00Z", []),
    )


def test_what_a_cache_holds_is_bounded_in_length_too() -> None:
    """A stamp padded to a mebibyte is not read, and so not kept."""
    assert stamps_at().scan("Fri," + " " * 2**20 + "03 May 2024 12:00:00 GMT") is None


def test_a_guess_is_made_anew_as_time_goes_on() -> None:
    """A parser that lives for a year does not stick to the year it first saw."""
    stamps = stamps_at(datetime(2026, 7, 1, tzinfo=UTC))
    assert stamps.bsd["Jan  2 00:00:00"] == "2026-01-02T00:00:00"
    stamps.at(datetime(2026, 12, 31, tzinfo=UTC).timestamp())
    assert stamps.bsd["Jan  2 00:00:00"] == "2027-01-02T00:00:00"


def test_caches_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender of ever new stamps does not fill the memory."""
    monkeypatch.setattr(timestamps, "MAX_CACHED_STAMPS", 10)
    stamps = stamps_at()
    for second in range(60):
        assert stamps.bsd[f"Mar 14 12:00:{second:02d}"] == f"2026-03-14T12:00:{second:02d}"
        assert stamps.scan(f"2026-03-14 12:00:{second:02d}") is not None
        assert max(len(stamps.bsd), len(stamps.iso), len(stamps._scanned)) <= 10


@given(
    moment=st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)),  # noqa: DTZ001
    offset=st.integers(-23 * 60 - 59, 23 * 60 + 59),
    separator=st.sampled_from("T "),
)
def test_any_instant_written_with_its_offset_is_read_back(
    moment: datetime, offset: int, separator: str
) -> None:
    """RFC 3339 text of any offset names the same instant after conversion."""
    sign = "-" if offset < 0 else "+"
    text = moment.isoformat(separator, "microseconds")
    zoned = f"{text}{sign}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"
    utc = moment - timedelta(minutes=offset)
    assert read(zoned) == (utc.isoformat(timespec="microseconds") + "Z", [])


@given(
    now=st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001
    ahead=st.integers(-180 * 86400, 180 * 86400),
)
def test_any_instant_within_half_a_year_is_read_back_without_its_year(
    now: datetime, ahead: int
) -> None:
    """The year is inferred rightly for stamps up to 180 days from arrival."""
    moment = (now + timedelta(seconds=ahead)).replace(microsecond=0)
    text = f"{moment:%b} {moment.day:2d} {moment:%H:%M:%S}"
    assert stamps_at(now.replace(tzinfo=UTC)).bsd[text] == moment.isoformat()


@given(st.text(max_size=80) | st.floats() | st.integers())
def test_no_value_of_a_time_field_raises(value: object) -> None:
    """Whatever a sender writes as its time, it is a stamp or it is none."""
    stamp = stamps_at().read(value)
    assert stamp is None or stamp.ts.endswith("Z")


@pytest.mark.parametrize("tz", [UTC, BERLIN, timezone(timedelta(hours=-3, minutes=-30))])
@given(
    moment=st.datetimes(datetime(2023, 1, 1), datetime(2027, 12, 31)),  # noqa: DTZ001
    away=st.timedeltas(timedelta(days=-400), timedelta(days=400)),
    second=st.sampled_from(["00", "07", "59", "60", "61", "99", "1", "0\u0663", "+1", "-1", "  "]),
)
def test_a_minute_that_is_known_gives_what_the_second_would(
    tz: tzinfo, moment: datetime, away: timedelta, second: str
) -> None:
    """In every zone; only which year is nearer, half a year from now, is told to the minute."""
    half_a_year = timedelta(days=365.2425 / 2)
    assume(abs(abs(away) - half_a_year) > timedelta(days=1))
    text = f"{moment:%b} {moment.day:2d} {moment:%H:%M}:{second}"
    stamps = stamps_at((moment + away).replace(tzinfo=tz), tz)
    assert stamps._convert_bsd(text) == stamps._nearest(text, None)
