from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.figures.sequences import LATE, MAX_SEQUENCE
from logopsd.figures.source import FORGET_SECONDS, SILENT_FLOOR_SECONDS
from logopsd.figures.sources import MAX_HOST_CHARS, OTHER_HOSTS, Sources
from logopsd.records import Batch, Record

NOW = 1_790_000_000.0  # 2026-09-21T14:13:20Z
RECEIVED = "2026-09-21T14:13:20.000Z"


def record(host: str | None = "web1", peer: str | None = "192.0.2.7", **more) -> Record:
    """Make a record that tells no time of its own."""
    fields = {"ts": RECEIVED, "level": "INFO", "msg": "hello", "received": RECEIVED}
    return Record(**{**fields, "host": host, "peer": peer, "input": "udp", **more})


def numbered(*numbers: int) -> list[Record]:
    """Make records with these sequence numbers of RFC 5424."""
    return [record(sd={"meta": {"sequenceId": str(number)}}) for number in numbers]


def see(sources: Sources, *records: Record, now: float = NOW, sizes=None) -> None:
    """Hand over a batch."""
    sources.see(Batch("udp", now, RECEIVED, list(records)), sizes)


def rows(sources: Sources) -> list[dict]:
    """Give the table."""
    return sources.page(NOW)["sources"]


@pytest.fixture
def sources() -> Sources:
    """Give an empty table."""
    return Sources(tz=UTC)


def test_records_and_bytes_are_summed_up_by_sender(sources):
    """A sender is an input, a peer and a host; each batch adds to it."""
    see(sources, record("a"), record("b"), record("a"), sizes=[10, 20, 30])
    see(sources, record("a"), sizes=[5], now=NOW + 1)

    assert [(r["host"], r["records"], r["bytes"]) for r in rows(sources)] == [
        ("a", 3, 45),  # two thirds of 60, as the first batch is shared, and all of the second
        ("b", 1, 20),
    ]
    assert rows(sources)[0]["last_seen"] == NOW + 1
    assert rows(sources)[0]["first_seen"] == NOW


def test_the_same_host_behind_two_peers_is_two_senders(sources):
    """A host that comes over two relays is seen to do so."""
    see(sources, record("a", "192.0.2.1"), record("a", "192.0.2.2"), record("a", "192.0.2.1"))

    counts = {r["peer"]: (r["records"], r["bytes"]) for r in rows(sources)}
    assert counts == {"192.0.2.1": (2, 10), "192.0.2.2": (1, 5)}


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, "a", "b", "c"]),
            st.sampled_from([None, "p", "q"]),
            st.integers(0, 9000),
        ),
        max_size=40,
    ),
    st.integers(1, 40),
)
def test_however_batches_are_cut_the_sums_are_the_same(entries, length):
    """The records of each sender are exact, and so are the bytes of all; of each where alone."""
    sources = Sources(tz=UTC)
    expected: dict = {}
    for start in range(0, len(entries), length):
        part = entries[start : start + length]
        see(
            sources,
            *(record(host, peer) for host, peer, _ in part),
            sizes=[size for *_, size in part],
        )
    for host, peer, size in entries:
        records, bytes = expected.get((host, peer), (0, 0))
        expected[host, peer] = records + 1, bytes + size

    table = rows(sources)
    assert {(r["host"], r["peer"]): r["records"] for r in table} == {
        key: records for key, (records, _) in expected.items()
    }
    assert sum(r["bytes"] for r in table) == sum(bytes for _, bytes in expected.values())
    if len(expected) == 1 or length == 1:
        assert {(r["host"], r["peer"]): r["bytes"] for r in table} == {
            key: bytes for key, (_, bytes) in expected.items()
        }


def test_an_empty_batch_has_no_sender(sources):
    """Nothing comes of nothing."""
    see(sources)
    assert len(sources) == 0


def test_sizes_that_do_not_fit_the_records_are_not_used(sources):
    """Where records were left out on the way, the characters of the messages count."""
    see(sources, record(), sizes=[10, 20])
    assert rows(sources)[0]["bytes"] == len("hello")


def test_the_table_is_bounded_and_who_was_heard_last_stays():
    """The one not heard for the longest time goes first, and that is counted."""
    sources = Sources(tz=UTC, max_sources=3)
    for second, host in enumerate(("a", "b", "c", "a", "d")):
        see(sources, record(host), now=NOW + second)

    assert [r["host"] for r in rows(sources)] == ["d", "a", "c"]
    assert sources.evicted == sources.page(NOW)["evicted"] == 1


def test_one_peer_cannot_take_all_places():
    """A sender that makes up names gets one place for those beyond its share."""
    sources = Sources(tz=UTC, max_hosts=2)
    see(sources, record("good", "192.0.2.1"))
    for number in range(50):
        see(sources, record(f"made-up-{number}", "192.0.2.66"))

    hosts = {r["host"]: r["records"] for r in rows(sources)}
    assert hosts == {"good": 1, "made-up-0": 1, "made-up-1": 1, OTHER_HOSTS: 48}
    assert sources.evicted == 0


def test_a_host_of_any_length_is_cut(sources):
    """What is kept of a name is bounded, and two cut to the same are one."""
    see(sources, record("x" * 100_000))
    see(sources, record("x" * 99_999))

    (row,) = rows(sources)
    assert row["host"] == "x" * MAX_HOST_CHARS
    assert row["records"] == 2


def test_the_skew_of_a_clock_is_smoothed(sources):
    """A clock that is ahead shows as such, and one odd look does not change much."""
    for second in range(0, 60, 10):
        see(sources, record(ts="2026-09-21T14:14:20Z"), now=NOW + second)
    before = rows(sources)[0]["skew_seconds"]
    assert 0 < before < 60
    see(sources, record(ts="2026-09-21T14:13:20Z"), now=NOW + 100)

    assert before > rows(sources)[0]["skew_seconds"] > before - 30


def test_a_sender_without_a_time_has_no_skew(sources):
    """Where the time is that of arrival, nothing is known of the sender's clock."""
    see(sources, record())
    assert (rows(sources)[0]["skew_seconds"], rows(sources)[0]["zone"]) == (None, None)


@pytest.mark.parametrize("ts", ["not a time", "9999-99-99T00:00:00Z", "0001-01-01T00:00:00Z"])
def test_a_time_that_is_none_hurts_nobody(sources, ts):
    """Whatever stands there, the sender is noted."""
    see(sources, record(ts=ts))
    assert len(sources) == 1


@pytest.mark.parametrize(
    ("ours", "ts", "zone", "skew"),
    [
        (0, "2026-09-21T16:13:22Z", "+02:00", 2.0),
        (0, "2026-09-21T14:13:19Z", "+00:00", -1.0),
        (2, "2026-09-21T12:13:20Z", "+00:00", 0.0),
        (0, "2026-09-21T08:43:20Z", "-05:30", 0.0),
        (0, "2026-09-21T14:20:20Z", None, 420.0),
        (0, "2026-09-23T14:13:20Z", None, 2 * 86400.0),
    ],
)
def test_the_zone_of_stamps_without_one_is_guessed(ours, ts, zone, skew):
    """A difference of whole quarters of an hour is a zone, what remains is the clock."""
    sources = Sources(tz=timezone(timedelta(hours=ours)))
    see(sources, record(ts=ts, guessed=["year", "zone"]))

    (row,) = rows(sources)
    assert (row["zone"], row["skew_seconds"]) == (zone, skew)


def test_gaps_of_rfc_5424_sequences_are_counted(sources):
    """Numbers that never came are counted, within a batch and between two."""
    see(sources, *numbered(1, 2, 5))
    see(sources, *numbered(6, 10))
    assert rows(sources)[0]["gaps"] == 2 + 3


def test_a_number_that_comes_late_is_no_gap(sources):
    """UDP mixes datagrams: what was missing and came is not missing."""
    see(sources, *numbered(1, 3, 2, 4))
    assert rows(sources)[0]["gaps"] == 0


def test_a_repeated_number_is_no_gap(sources):
    """The same number twice changes nothing."""
    see(sources, *numbered(7, 7, 8))
    assert rows(sources)[0]["gaps"] == 0


@pytest.mark.parametrize(
    "numbers",
    [
        (500, 501, 1, 2),
        (MAX_SEQUENCE - 1, MAX_SEQUENCE, 1, 2),
        (500_000, 500_000 - LATE - 5),
        (1, 900_000_000, 900_000_001),
    ],
)
def test_a_sequence_that_starts_anew_is_no_gap(sources, numbers):
    """A restart, the wrap of the counter and a leap are no loss."""
    see(sources, *numbered(*numbers))
    assert rows(sources)[0]["gaps"] == 0


def test_cisco_sequences_are_followed(sources):
    """The number before the message of a Cisco device; a JSON field of that name is none."""
    cisco = {"format": "rfc3164", "msgid": "SYS-5-CONFIG_I"}
    see(sources, *(record(extras={"sequence": n}, **cisco) for n in (41, 42, 45)))
    see(sources, *(record("j", extras={"sequence": n}, format="json") for n in (1, 9)))
    see(sources, *(record("k", extras={"sequence": n}, **cisco) for n in ("1", True)))

    assert {r["host"]: r["gaps"] for r in rows(sources)} == {"web1": 2, "j": None, "k": None}


@pytest.mark.parametrize("value", ["", "-1", "x", "1" * 5000, "\u0661", ["1", "2"], None])
def test_a_number_that_is_none_is_not_followed(sources, value):
    """Whatever a sender writes there, the sender is noted and nothing breaks."""
    see(sources, record(sd={"meta": {"sequenceId": value}}))
    assert rows(sources)[0]["gaps"] is None


def test_the_sequences_of_senders_in_one_batch_are_kept_apart(sources):
    """Each sender of a batch has its own numbers."""
    batch = []
    for number in (1, 2, 4):
        batch += [
            record("a", sd={"meta": {"sequenceId": str(number)}}),
            record("b", sd={"meta": {"sequenceId": str(100 + number * 2)}}),
        ]
    see(sources, *batch)
    assert {r["host"]: r["gaps"] for r in rows(sources)} == {"a": 1, "b": 1 + 3}


def heard_each(sources: Sources, interval: float, times: int, host: str = "web1") -> float:
    """Let a sender be heard at an interval; when it was heard last."""
    for number in range(times):
        see(sources, record(host), now=NOW + number * interval)
    return NOW + (times - 1) * interval


def test_a_sender_that_falls_silent_is_told_once(sources):
    """Much longer than it used to be: it is counted until it is heard again."""
    last = heard_each(sources, 10.0, 100)

    assert sources.check(last + SILENT_FLOOR_SECONDS - 1) == []
    (fallen,) = sources.check(last + SILENT_FLOOR_SECONDS + 1)
    assert (fallen.key, sources.silent) == (("udp", "192.0.2.7", "web1"), 1)
    assert sources.check(last + SILENT_FLOOR_SECONDS + 60) == []
    assert sources.silent == 1
    assert rows(sources)[0]["silent"] is True

    see(sources, record(), now=last + 5000)
    assert sources.check(last + 5001) == []
    assert (sources.silent, rows(sources)[0]["silent"]) == (0, False)


def test_a_sender_is_measured_by_its_own_habit(sources):
    """Who speaks once in an hour is not silent after ten minutes, nor who speaks in bursts."""
    last = heard_each(sources, 3600.0, 20)
    assert sources.check(last + 9 * 3600) == []
    assert len(sources.check(last + 11 * 3600)) == 1

    bursts = Sources(tz=UTC)
    for hour in range(5):
        for second in range(0, 100, 2):
            see(bursts, record(), now=NOW + hour * 3600 + second)
    assert bursts.check(NOW + 5 * 3600) == []


def test_a_sender_of_a_moment_has_no_habit(sources):
    """A few records say nothing of when the next should come."""
    heard_each(sources, 1.0, 5)
    assert sources.check(NOW + 86400) == []


def test_who_is_silent_for_days_is_forgotten(sources):
    """A machine out of service does not count as silent for ever."""
    last = heard_each(sources, 10.0, 100)
    see(sources, record("young"), now=last + 1000)
    sources.check(last + 1000)
    sources.check(last + FORGET_SECONDS + 1)

    assert [r["host"] for r in rows(sources)] == ["young"]
    assert (sources.silent, sources.evicted) == (0, 0)


def test_a_clock_put_back_hurts_nobody(sources):
    """Our own clock may jump; nobody is then heard in the future, and nobody falls silent."""
    last = heard_each(sources, 10.0, 100)
    see(sources, record(), now=NOW - 86400)
    assert rows(sources)[0]["last_seen"] == last
    assert sources.check(NOW - 86400) == []
