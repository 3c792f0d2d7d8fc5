from logopsd.records import Receipt
from logopsd.sinks.discard import DiscardSink


class Observer:
    """Counts what is reported as stored."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []

    def stored(self, receipts):
        """Take the receipts of a round."""
        self.receipts += receipts


def test_a_dry_run_gives_receipts_and_keeps_nothing():
    """Each batch is reported and its owner told, but only once the loop comes to it."""
    later, told, observer = [], [], Observer()
    sink = DiscardSink(deliver=later.append, observer=observer)
    sink.open()
    sink.register(lambda: None, lambda: None)

    sink.write(b"{}\n", "20260101", Receipt("tcp", 1, lambda: told.append("a")))
    sink.write(b"{}\n", "20260101", Receipt("udp", 1))
    assert (observer.receipts, told) == ([], [])
    for call in later:
        call()

    assert ([r.input for r in observer.receipts], told) == (["tcp", "udp"], ["a"])
    assert (sink.paused, sink.stalled, sink.unstored_bytes) == (False, None, 0)
    assert (sink.unstored(), sink.open_files()) == ([], set())
    sink.reopen()
    assert sink.close(1.0)
