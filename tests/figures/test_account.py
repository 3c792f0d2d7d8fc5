import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logopsd.encoding import encode
from logopsd.figures.account import STATE_FILE, Account, figures_of, unaccounted
from logopsd.figures.metrics import Metrics
from tests.depth import examples

DAY = 86400.0
NOON = 20_780 * DAY + DAY / 2  # 2026-11-23, 12:00 UTC


class Rig:
    """An account over figures that a test sets by hand, and the records it wrote."""

    def __init__(self, directory=None, now: float = NOON) -> None:
        self.metrics = Metrics()
        self.records: list[dict] = []
        self.account = Account(self.metrics, write=self._write, directory=directory)
        self.account.open(now)

    def _write(self, records) -> None:
        self.records += [json.loads(line) for line in encode(records).splitlines()]

    def end(self, *, clean: bool = True) -> None:
        """Keep the state, as the end of a process does, or as each minute does."""
        self.account.save(self.account.saved(clean=clean))


def test_a_day_is_told_once_it_is_over():
    """At midnight each input has one record, marked by a format that no sender can forge."""
    rig = Rig()
    udp = rig.metrics.input("udp")
    udp.received, udp.accepted, udp.truncated = 10, 7, 1
    udp.drop("backpressure", 3)
    rig.metrics.kernel_dropped(5)
    rig.metrics.input("tcp")

    assert not rig.account.tick(NOON + 3600)
    assert rig.account.tick(NOON + DAY / 2)

    first, second = rig.records
    assert (first["app"], first["msg"], first["format"]) == ("logopsd", "account", "account")
    assert (first["input"], second["input"]) == ("udp", "tcp")
    assert first["day"] == "2026-11-23"
    assert first["ts"] == first["received"] == "2026-11-24T00:00:00.000Z"
    figures = first["account"]
    assert (figures["received"], figures["accepted"], figures["dropped"]) == (10, 7, 3)
    assert (figures["dropped_backpressure"], figures["kernel_drops"]) == (3, 5)
    assert "dropped_empty" not in figures
    assert unaccounted(figures) == 0


def test_the_next_day_begins_at_nothing():
    """What was in flight at midnight belongs to both days, and both close."""
    rig = Rig()
    tcp = rig.metrics.input("tcp")
    tcp.received, tcp.accepted, tcp.inflight = 10, 8, 2
    rig.account.tick(NOON + DAY)
    tcp.received, tcp.accepted, tcp.inflight = 15, 15, 0
    rig.account.tick(NOON + 2 * DAY)

    today = rig.records[-1]["account"]
    assert (today["received"], today["accepted"], today["inflight_before"]) == (5, 7, 2)
    assert [unaccounted(each["account"]) for each in rig.records] == [0, 0]


def test_a_restart_goes_on_with_the_day(tmp_path):
    """The figures of a process that ended well are the first part of the day's."""
    first = Rig(tmp_path)
    first.metrics.input("udp").received = first.metrics.input("udp").accepted = 4
    first.end()
    second = Rig(tmp_path)
    second.metrics.input("udp").received = second.metrics.input("udp").accepted = 3
    second.account.tick(NOON + DAY)

    (record,) = second.records
    assert (record["account"]["received"], record["account"]["accepted"]) == (7, 7)
    assert "interrupted" not in record


def test_a_kill_is_said(tmp_path):
    """What was in flight when the figures were last kept has a fate that nobody knows."""
    first = Rig(tmp_path)
    tcp = first.metrics.input("tcp")
    tcp.received, tcp.accepted, tcp.inflight = 10, 8, 2
    first.end(clean=False)
    second = Rig(tmp_path)
    second.metrics.input("tcp")
    second.account.tick(NOON + DAY)

    (record,) = second.records
    assert record["interrupted"] == 1
    assert record["account"]["unknown"] == 2
    assert unaccounted(record["account"]) == 0


def test_a_day_that_ended_while_nobody_ran_is_told_at_the_start(tmp_path):
    """The next process writes the account of its predecessor's day."""
    first = Rig(tmp_path)
    first.metrics.input("http").received = first.metrics.input("http").accepted = 9
    first.end()

    second = Rig(tmp_path, NOON + 3 * DAY)

    (record,) = second.records
    assert (record["day"], record["account"]["received"]) == ("2026-11-23", 9)
    assert record["received"].startswith("2026-11-26")


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"day": 1}', b"x" * 100_000])
def test_a_state_that_cannot_be_read_is_no_reason_not_to_start(tmp_path, text):
    """The day then begins anew."""
    (tmp_path / STATE_FILE).write_bytes(text)
    rig = Rig(tmp_path)

    rig.account.tick(NOON + DAY)

    assert rig.records == []


def test_a_clock_put_back_over_midnight_tells_no_day_twice():
    """A step back of less than a day is waited out; a leap of years ends the day."""
    rig = Rig()
    rig.metrics.input("udp")
    assert rig.account.tick(NOON + DAY)
    assert not rig.account.tick(NOON)
    assert not rig.account.tick(NOON + DAY)
    assert rig.account.tick(NOON + 4000 * DAY)
    assert rig.account.tick(NOON + DAY)


def test_nothing_is_kept_before_the_start_and_behind_the_end(tmp_path):
    """A process that could not have the directory does not touch what is another's."""
    never = Account(Metrics(), write=lambda _: None, directory=tmp_path)
    never.save(never.saved(clean=True))
    assert list(tmp_path.iterdir()) == []

    rig = Rig(tmp_path)
    rig.end()
    kept = (tmp_path / STATE_FILE).read_bytes()
    rig.metrics.input("udp").received = 5
    rig.end(clean=False)
    assert (tmp_path / STATE_FILE).read_bytes() == kept
    assert [path.name for path in tmp_path.iterdir()] == [STATE_FILE]


def test_without_files_nothing_is_kept():
    """A dry run counts, and leaves nothing behind."""
    rig = Rig(None)
    rig.end()


def test_midnight_is_where_utc_has_it():
    """The time to sleep ends with the day."""
    account = Rig().account
    assert account.seconds_until_midnight(NOON) == DAY / 2
    assert account.seconds_until_midnight(NOON + DAY / 2) == DAY


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["receive", "store", "drop", "restart", "kill", "midnight"]),
        st.integers(0, 50),
    ),
    max_size=40,
)


@given(STEPS)
@settings(deadline=None, max_examples=examples(60))
def test_the_accounts_of_all_days_add_up(tmp_path_factory, steps):
    """Whatever happens when: each day closes, and the days together are all that was counted."""
    directory = tmp_path_factory.mktemp("account")
    rig, now, received = Rig(directory), NOON, 0
    written: list[dict] = []
    for what, count in [*steps, ("midnight", 0)]:
        udp = rig.metrics.input("udp")
        if what == "receive":
            udp.received += count
            udp.inflight += count
            received += count
        elif what in ("store", "drop"):
            count = min(count, udp.inflight)
            udp.inflight -= count
            if what == "store":
                udp.accepted += count
            else:
                udp.drop("shutdown", count)
        elif what == "midnight":
            now += DAY
            rig.account.tick(now)
        else:
            if what == "restart":
                udp.drop("shutdown", udp.inflight)
                udp.inflight = 0
            rig.end(clean=what == "restart")
            written += rig.records
            rig = Rig(directory, now)
            rig.metrics.input("udp")
    written += rig.records

    assert all(unaccounted(record["account"]) == 0 for record in written)
    assert sum(record["account"]["received"] for record in written) == received


def test_the_figures_of_an_input_name_its_reasons():
    """Sums stand for all reasons, and those that occurred beside them."""
    metrics = Metrics()
    metrics.input("tcp").fault("resync", 3)
    figures = figures_of(metrics.input("tcp"))
    assert (figures["malformed"], figures["malformed_resync"]) == (3, 3)
    assert figures["suppressed"] == figures["repeats"] == 0


def test_a_worker_that_dies_interrupts_the_day():
    """As a kill of the whole does; but nobody else has to start anew for it."""
    rig = Rig()
    rig.account.interrupt()
    rig.metrics.input("udp")
    rig.account.tick(NOON + DAY)
    assert [record["interrupted"] for record in rig.records] == [1]
    rig.account.tick(NOON + 2 * DAY)
    assert "interrupted" not in rig.records[-1]
