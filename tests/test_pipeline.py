import json
from datetime import UTC

import pytest

from logopsd.figures.metrics import Metrics
from logopsd.parsing.documents import DocumentParser
from logopsd.parsing.lines import LineParser
from logopsd.pipeline import Pipeline, rfc3339_milliseconds
from logopsd.privacy.stage import PrivacyStage
from logopsd.rate_limit import RateLimiter
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

    def __init__(self, *, defer=None, **privacy) -> None:
        self.sink = MemorySink()
        self.metrics = Metrics(detectors=("email", "ipv4"))
        self.pipeline = Pipeline(
            lines=LineParser(tz=UTC),
            documents=DocumentParser(tz=UTC),
            privacy=PrivacyStage(detectors=("email", "ipv4"), **privacy),
            sink=self.sink,
            metrics=self.metrics,
            clock=lambda: NOW,
            defer=defer,
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


@pytest.mark.parametrize("stage", ["lines", "documents", "privacy"])
def test_what_a_stage_fails_on_is_in_the_account(rig, monkeypatch, stage):
    """A bug costs the batch and is heard of; nothing of it is lost in silence."""

    def fail(*_, **__):
        raise RuntimeError("a bug")

    method = "apply" if stage == "privacy" else "parse"
    monkeypatch.setattr(getattr(rig.pipeline, stage), method, fail)
    if stage == "documents":
        with pytest.raises(RuntimeError):
            rig.pipeline.take_documents("http", [{}, {}], "h", format="json")
    else:
        with pytest.raises(RuntimeError):
            rig.pipeline.take_frames("http", Frames([b"a", b"b"]), "h")

    figures = rig.metrics.input("http")
    assert (figures.received, figures.dropped["error"], figures.inflight) == (2, 2, 0)
    assert rig.sink.written == []


def test_times_are_written_with_milliseconds():
    """The time of arrival is RFC 3339 in UTC; less than a millisecond is cut off."""
    assert rfc3339_milliseconds(NOW) == RECEIVED
    assert rfc3339_milliseconds(0.9999) == "1970-01-01T00:00:00.999Z"


def test_what_a_peer_sends_beyond_its_rate_is_suppressed_and_told(rig):
    """The rest is counted, the account closes, and two notices say so in the data itself."""
    rig.pipeline.limiter = RateLimiter(1)
    told = []
    batch = rig.pipeline.take_frames("udp", Frames([b"x"] * 8), ["192.0.2.7"] * 8)
    rig.pipeline.take_frames("udp", Frames([b"y"]), ["192.0.2.8"])
    rig.pipeline.take_frames("tcp", Frames([b"z"]), "192.0.2.7", on_stored=lambda: told.append(1))
    rig.pipeline.write_notices(final=True)

    figures = rig.metrics.input("udp")
    assert (figures.received, figures.suppressed, figures.inflight) == (9, 3, 6)
    assert (len(batch.records), batch.suppressed) == (5, 3)
    # Of the last batch nothing is left; who waits for it is told all the same.
    data, _, receipt = rig.sink.written[2]
    assert (data, receipt.count) == (b"", 0)
    assert receipt.on_stored is not None
    begin, end = rig.sink.records()[-2:]
    assert (begin["app"], begin["peer"], begin["level"]) == ("logopsd", "192.0.2.7", "WARN")
    assert begin["format"] == "plain"
    assert (end["msg"], end["suppressed"]) == (
        "suppression ended: 4 records of this peer were left out",
        4,
    )
    assert figures.received == 9, "notices are counted nowhere"


def test_documents_are_limited_too(rig):
    """What HTTP brings counts against the same rate as lines."""
    rig.pipeline.limiter = RateLimiter(1)
    documents = [{"msg": str(n)} for n in range(7)]
    batch = rig.pipeline.take_documents("http", documents, "192.0.2.7", format="json")

    assert [record.msg for record in batch.records] == ["0", "1", "2", "3", "4"]
    assert rig.metrics.input("http").suppressed == 2


def test_a_notice_is_masked_like_any_record():
    """Where peers are masked, they are so in what we say of them."""
    rig = Rig(mask_fields=("peer",))
    rig.pipeline.limiter = RateLimiter(1)
    rig.pipeline.take_frames("udp", Frames([b"x"] * 8), ["83.11.22.33"] * 8)
    rig.pipeline.write_notices()

    assert rig.sink.records()[-1]["peer"] == "83.11.x.x"
    Rig().pipeline.write_notices()  # nothing to say where there is no limit


OWN = b'{"ts": "2026-09-21T14:13:20Z", "event": "ingest", "instance": "qwertyuiopasdfgh"}'


@pytest.mark.parametrize(
    ("frame", "kept"),
    [
        (OWN, False),
        (b"<30>Sep 21 14:13:20 h logopsd[12]: " + OWN, False),
        (b"<30>1 - h logopsd - - - " + OWN, False),
        (OWN.replace(b"q", b"x"), True),
        (b"<30>Sep 21 14:13:20 h logopsd[12]: stopped", True),
    ],
)
def test_lines_of_the_own_log_are_not_taken_in_again(rig, frame, kept):
    """However they come back; another daemon's are a sender's like any other."""
    rig.pipeline._own_log = b"qwertyuiopasdfgh"
    rig.pipeline.take_frames("udp", Frames([b"before", frame, b"after"]), ["192.0.2.7"] * 3)

    assert len(rig.sink.records()) == 2 + kept
    figures = rig.metrics.input("udp")
    assert (figures.received, figures.inflight) == (3, 2 + kept)
    assert figures.dropped["own_log"] == (not kept)


def test_a_shipped_own_line_is_recognised_as_a_document(rig):
    """As journald's entry, where it is a text, and as a shipper has parsed it."""
    rig.pipeline._own_log = b"qwertyuiopasdfgh"
    documents = [{"MESSAGE": OWN.decode()}, json.loads(OWN), {"msg": "other"}]
    batch = rig.pipeline.take_documents("http", documents, "192.0.2.7", format="json")

    assert [record.msg for record in batch.records] == ["other"]


def test_small_batches_of_a_turn_go_down_together():
    """Requests with a record each are masked and stored as one batch, and each is told."""
    deferred, told = [], []
    rig = Rig(defer=deferred.append)
    first = rig.pipeline.take_documents(
        "http",
        [{"msg": "by bob@example.com"}],
        "192.0.2.7",
        format="json",
        on_stored=lambda: told.append(1),
    )
    rig.pipeline.take_frames(
        "http", Frames([b"by eve@example.com"]), "192.0.2.8", on_stored=lambda: told.append(2)
    )
    assert (rig.sink.written, rig.metrics.input("http").received) == ([], 0)

    deferred.pop()()

    assert [(r["msg"], r["peer"]) for r in rig.sink.records()] == [
        ("by b***@example.com", "192.0.2.7"),
        ("by e***@example.com", "192.0.2.8"),
    ]
    ((_, _, receipt),) = rig.sink.written
    receipt.on_stored()
    assert (receipt.count, told) == (2, [1, 2])
    assert first.records[0].msg == "by b***@example.com"
    figures = rig.metrics.input("http")
    assert (figures.received, figures.missing_ts) == (2, 2)


def test_what_waits_is_stored_when_the_daemon_ends():
    """The loop may have no turn left for it."""
    rig = Rig(defer=lambda _: None)
    rig.pipeline.take_frames("tcp", Frames([b"a"]), "h")
    rig.pipeline.flush()
    assert [r["msg"] for r in rig.sink.records()] == ["a"]
