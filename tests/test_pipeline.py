import json
from datetime import UTC

import pytest

from logopsd.metrics import Metrics
from logopsd.parsing.documents import DocumentParser
from logopsd.parsing.lines import LineParser
from logopsd.pipeline import Pipeline, rfc3339_milliseconds
from logopsd.privacy.stage import PrivacyStage
from logopsd.records import Frames, Receipt

NOW = 1_790_000_000.25
RECEIVED = "2026-09-21T14:13:20.250Z"


class MemorySink:
    """Keeps what it is given, and gives receipts when told to."""

    def __init__(self) -> None:
        self.written: list[tuple[bytes, str, Receipt]] = []

    def write(self, data: bytes, day: str, receipt: Receipt) -> None:
        """Keep a batch."""
        self.written.append((data, day, receipt))

    def records(self) -> list[dict]:
        """Read all lines back."""
        return [json.loads(line) for data, _, _ in self.written for line in data.splitlines()]


class Rig:
    """A pipeline of the real stages on a sink in memory, at a time that stands still."""

    def __init__(self, **privacy) -> None:
        self.sink = MemorySink()
        self.metrics = Metrics(detectors=("email", "ipv4"))
        self.pipeline = Pipeline(
            lines=LineParser(tz=UTC),
            documents=DocumentParser(tz=UTC),
            privacy=PrivacyStage(detectors=("email", "ipv4"), **privacy),
            sink=self.sink,
            metrics=self.metrics,
            clock=lambda: NOW,
        )


@pytest.fixture
def rig() -> Rig:
    """Give a rig for one test."""
    return Rig()


def test_frames_become_masked_lines_in_the_file_of_their_day(rig):
    """A batch goes through all steps in one call, and its day is the one of its arrival."""
    rig.pipeline.take_frames(
        "tcp", Frames([b"<34>1 - h app - - - by bob@example.com", b"second"]), "192.0.2.7"
    )

    first, second = rig.sink.records()
    assert first["msg"] == "by b***@example.com"
    assert (second["msg"], second["format"]) == ("second", "plain")
    assert {(r["input"], r["peer"], r["received"]) for r in (first, second)} == {
        ("tcp", "192.0.2.7", RECEIVED)
    }
    assert rig.sink.written[0][1] == "20260921"


def test_documents_become_records(rig):
    """A structured payload goes the same way from its own entrance."""
    batch = rig.pipeline.take_documents(
        "http", [{"msg": "hi", "ip": "83.11.22.33"}], "192.0.2.7", format="json"
    )

    (record,) = rig.sink.records()
    assert (record["msg"], record["ip"], record["format"]) == ("hi", "83.11.x.x", "json")
    assert (batch.missing_ts, batch.missing_level) == (1, 1)


def test_each_figure_is_counted_once(rig):
    """Received and in flight are counted when the batch is handed down, accepted by the receipt."""
    rig.pipeline.take_frames("udp", Frames([b"a@b.example 1.2.3.4", b"x"], cut={1: 99}), "h")

    figures = rig.metrics.input("udp")
    assert (figures.received, figures.inflight, figures.accepted) == (2, 2, 0)
    assert (figures.missing_ts, figures.missing_level, figures.truncated) == (2, 2, 1)
    page, _ = rig.metrics.page(None)
    assert b'logops_pii_masked_total{detector="email"} 1.0' in page
    assert b'logops_pii_masked_total{detector="ipv4"} 1.0' in page


def test_the_receipt_goes_down_with_the_batch(rig):
    """The sink is told whose batch it is, how many records, and who wants to hear."""
    told = []
    rig.pipeline.take_frames("tcp", Frames([b"a", b"b"]), "h", on_stored=lambda: told.append(1))

    receipt = rig.sink.written[0][2]
    assert (receipt.input, receipt.count, told) == ("tcp", 2, [])
    receipt.on_stored()
    assert told == [1]


def test_what_cannot_be_masked_is_counted_as_withheld(rig, monkeypatch):
    """A failing detector costs the text of a record, never its masking."""

    def fail(*_):
        raise RuntimeError("broken detector")

    monkeypatch.setattr("logopsd.privacy.masking.Masker.mask_many", fail)
    rig.pipeline.take_frames("tcp", Frames([b"bob@example.com"]), "h")

    assert b"bob@" not in rig.sink.written[0][0]
    assert b"logops_pii_withheld_total 1.0" in rig.metrics.page(None)[0]


def test_times_are_written_with_milliseconds():
    """The time of arrival is RFC 3339 in UTC; less than a millisecond is cut off."""
    assert rfc3339_milliseconds(NOW) == RECEIVED
    assert rfc3339_milliseconds(0.9999) == "1970-01-01T00:00:00.999Z"
