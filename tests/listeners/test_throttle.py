"""Tests of logopsd.listeners.throttle."""

from logopsd.listeners.throttle import WARN_INTERVAL, ThrottledWarnings
from tests.listeners.helpers import FakeLog, as_log


class TestThrottledWarnings:
    def test_each_event_is_logged_once_in_a_while(self) -> None:
        """A warning within the interval of the last of its kind is counted, not logged."""
        log, now = FakeLog(), 0.0
        warnings = ThrottledWarnings(as_log(log), lambda: now, input="tcp")
        for _ in range(3):
            warnings.warn("one", peer="a")
        warnings.warn("two")
        now = WARN_INTERVAL
        warnings.warn("one", peer="b")

        assert [(call.args[0], call.kwargs) for call in log.calls] == [
            ("one", {"input": "tcp", "peer": "a"}),
            ("two", {"input": "tcp"}),
            ("one", {"input": "tcp", "peer": "b", "left_out": 2}),
        ]

    def test_each_reason_has_its_turn(self) -> None:
        """A reason that comes often does not hide one that comes once."""
        log = FakeLog()
        warnings = ThrottledWarnings(as_log(log), lambda: 0.0)
        for reason in ("address", "address", "proxy"):
            warnings.warn("connection refused", reason=reason)

        assert [call.kwargs["reason"] for call in log.calls] == ["address", "proxy"]
