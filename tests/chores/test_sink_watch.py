import pytest
import structlog.testing

from logopsd.chores.sink_watch import SinkWatch
from logopsd.figures.metrics import Metrics
from logopsd.records import Receipt


class FakeNotifier:
    """Remembers what systemd would be shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def status(self, text: str) -> None:
        """Show a line."""
        self.shown.append(text)


@pytest.fixture
def parts():
    """Give a watch, its metrics, its log and its notifier; it delivers at once."""
    metrics, notify = Metrics(), FakeNotifier()
    log = structlog.testing.CapturingLogger()
    return SinkWatch(metrics, log, notify, lambda call: call()), metrics, log, notify


def test_a_receipt_moves_records_from_in_flight_to_accepted(parts):
    """What is stored is accepted and no longer in flight, for the input it came from."""
    watch, metrics, _, _ = parts
    metrics.input("tcp").inflight = 5

    watch.stored([Receipt("tcp", 2), Receipt("tcp", 3)])

    assert (metrics.input("tcp").inflight, metrics.input("tcp").accepted) == (0, 5)


def test_what_is_lost_at_the_end_is_dropped_by_reason(parts):
    """The account closes even where the disk did not take everything."""
    watch, metrics, _, _ = parts
    metrics.input("udp").inflight = 4

    assert watch.lost([Receipt("udp", 4)]) == 4
    assert metrics.input("udp").inflight == 0
    assert metrics.input("udp").dropped["shutdown"] == 4


def test_a_stall_is_shown_everywhere_and_taken_back(parts):
    """The log and systemd say that the sink waits, and then that it goes on."""
    watch, _, log, notify = parts
    changes = []
    watch.stall_changed = changes.append

    watch.stalled("ENOSPC")
    watch.stalled(None)

    assert changes == [True, False]
    assert [call.method_name for call in log.calls] == ["error", "info"]
    assert [("ENOSPC" in text) for text in notify.shown] == [True, False]


def test_a_disk_that_does_not_answer_is_told_once(parts):
    """Looked at each second, a growing time of silence is one event, and its end another."""
    watch, _, log, notify = parts

    for reason in (None, "slow: no answer for 6 s", "slow: no answer for 7 s", None, None):
        watch.look(reason)

    assert [call.method_name for call in log.calls] == ["error", "info"]
    assert ["6 s" in text for text in notify.shown] == [True, False]


def test_a_stall_told_by_both_is_one_event(parts):
    """What the writer thread told is not told again by who looks, and the other way round."""
    watch, _, log, _ = parts

    watch.stalled("ENOSPC")
    watch.look("ENOSPC")
    watch.look(None)
    watch.stalled(None)

    assert [call.method_name for call in log.calls] == ["error", "info"]


def test_writes_and_torn_lines_are_told(parts, tmp_path):
    """Bytes written are counted; a torn line is named by its file, never shown."""
    watch, metrics, log, _ = parts

    watch.wrote(120, 0.01)
    watch.torn(tmp_path / "20260101.ndjson", 7)

    assert b"logops_sink_written_bytes_total 120.0" in metrics.page(None)[0]
    assert log.calls[0].kwargs == {"file": str(tmp_path / "20260101.ndjson.torn"), "bytes": 7}
