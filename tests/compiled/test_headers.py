"""The compiled reader of headers makes of each line what the patterns make of it, or nothing."""

from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logopsd.parsing.lines import LineParser
from logopsd.records import Batch, Frames
from tests.depth import examples
from tests.parsing.helpers import NOW, batch_at

DATA = Path(__file__).parent.parent / "data" / "parsing"
GOLDEN = [
    line
    for path in sorted(DATA.glob("*.raw"))
    for line in path.read_bytes().split(b"\n")
    if line and len(line) < 1000
]

BSD = b"<34>Oct 11 22:14:15 mymachine su[12]: failed for lonvick"
JOURNALD = b"<30>Oct 11 22:14:15 systemd[1]: Started x"
UNTAGGED = b"<13>Oct  1 22:14:15 host app: "
ISO = b"<13>2026-03-14T15:09:26.123456789+01:00 host.example app[7]: text"
RFC5424 = b'<165>1 2026-03-14T15:09:26.003Z host app 12 ID47 [a@1 b="c"][d e="f" g="h"] text'
NIL = b"<0>1 2026-03-14T15:09:26-08:00 - - - - - "
BOM = b"<191>1 2026-03-14T15:09:26Z h a - - - \xef\xbb\xbfna\xc3\xafve"
USUAL = (BSD, JOURNALD, UNTAGGED, ISO, RFC5424, NIL, BOM)

# What the readers look at, and what is odd.
BITS = [
    *(b"<", b">", b"[", b"]", b":", b" ", b"  ", b'"', b"\\", b"=", b"%", b"{", b"-", b".", b","),
    *(
        b"\0",
        b"\n",
        b"\t",
        b"\xef\xbb\xbf",
        b"\xc3\xa9",
        b"\xff",
        b"\xe2\x80\xa6",
        b"\x7f",
        b"\x1f",
    ),
    *(b"0", b"9", b"191", b"192", b"a", b"Z", b"UTC", b"UTC:", b"2026", b"last", b"last message "),
    *(b"Message forwarded from ", b"fe80::1", b"1w2d:", b"a,b", b"a=b", b"x: 1", b"@cee: {", b"!"),
    *(b"x" * 128, b"x" * 129, b"+01:00", b"Feb 30 ", b"T25:61:61", b"1 ", b"007", b"[1] ", b"[x] "),
]

edits = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 3), st.sampled_from(BITS)), max_size=3
)
lines = st.tuples(st.one_of(st.sampled_from(USUAL), st.sampled_from(GOLDEN)), edits)


def edited(line: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """Put bits in the places of some bytes."""
    for place, length, bit in edits:
        place %= len(line) + 1
        line = line[:place] + bit + line[place + length :]
    return line


def both(frames: list[bytes], peers: object = "192.0.2.7", tz: object = UTC) -> tuple[Batch, Batch]:
    """Parse frames with what is compiled, and with the patterns alone."""
    batches = batch_at(), batch_at()
    for batch, use_compiled in zip(batches, (True, False), strict=True):
        parser = LineParser(tz=tz, use_compiled=use_compiled)
        parser.parse(Frames(frames), peers, batch)
    return batches


@settings(max_examples=examples(500), deadline=None)
@given(st.lists(lines, min_size=1, max_size=4))
@example([(BSD, [])])
def test_every_line_is_read_as_by_the_patterns(chosen):
    """Whatever stands in a line, both ways make the same records and counts of it."""
    compiled, plain = both([edited(*line) for line in chosen])
    assert compiled == plain


@settings(max_examples=examples(170), deadline=None)
@given(st.lists(st.binary(max_size=60) | st.sampled_from(BITS), max_size=12).map(b"".join))
def test_any_bytes_behind_a_pri_are_read_as_by_the_patterns(rest):
    """The same of what is nothing known."""
    for head in (b"", b"<34>", b"<34>1 ", BSD[:20], RFC5424[:30], RFC5424[:53]):
        compiled, plain = both([head + rest])
        assert compiled == plain


@pytest.mark.parametrize("line", USUAL)
def test_a_usual_line_is_read_here(line):
    """None of them is left to the patterns, also where it is cut to nothing but its header."""
    parser = LineParser(tz=UTC)
    parser.stamps.at(NOW.timestamp())
    (record,), left, hinted = parser._headers.read([line], None, "tcp", "", "tcp")
    assert left == hinted == []
    assert record.level


@pytest.mark.parametrize("msg", [b'{"a": 1}', b"error: x", b"a=b", b"%ASA-6-1: x", b"1.2.3.4 - -"])
def test_a_message_that_may_be_structured_is_told_of(msg):
    """Its header is read here, and the message by who knows how it begins."""
    parser = LineParser(tz=UTC)
    parser.stamps.at(NOW.timestamp())
    frames = [UNTAGGED + msg, BSD, NIL + msg]
    records, left, hinted = parser._headers.read(frames, None, "tcp", "", "tcp")
    assert (left, hinted) == ([], [0, 2])
    assert records[0].msg == records[2].msg == msg.decode()


@pytest.mark.parametrize("line", USUAL)
def test_each_beginning_of_a_line_is_read_as_by_the_patterns(line):
    """Cut anywhere, by a sender's limit, a line is read alike."""
    frames = [line[:size] for size in range(1, len(line) + 1)]
    compiled, plain = both(frames)
    assert compiled == plain


def test_lines_that_are_left_come_back_in_their_places():
    """A batch of usual and other lines keeps its order, and each record its own peer."""
    frames = [b"plain", BSD, b'{"msg": "x"}', RFC5424, b"<13>odd \xff", NIL]
    compiled, plain = both(frames, peers=[f"192.0.2.{n}" for n in range(5)])
    assert compiled == plain
    assert [record.peer for record in compiled.records] == [
        *(f"192.0.2.{n}" for n in range(5)),
        None,
    ]
    assert compiled.records[4].encoding == "invalid-utf8"


def test_a_stamp_is_not_remembered_from_one_batch_to_the_next():
    """What a stamp means follows the time of arrival of its batch."""
    parser = LineParser(tz=ZoneInfo("Europe/Warsaw"))
    years = []
    for year in (2025, 2026):
        batch = batch_at(NOW.replace(year=year))
        parser.parse(Frames([JOURNALD]), None, batch)
        years.append(batch.records[0].ts[:4])
    assert years == ["2024", "2025"]


@pytest.mark.parametrize("frame", [bytearray(BSD), None, "x"])
def test_a_frame_that_is_no_bytes_is_refused(frame):
    """What would be read beyond its end is not read at all."""
    parser = LineParser(tz=UTC)
    with pytest.raises(TypeError):
        parser._headers.read([frame], None, "tcp", "", "tcp")


def test_a_bug_costs_no_line(monkeypatch):
    """Where reading them raises, the patterns are asked; and these keep what they fail on."""

    def fail(_):
        raise RuntimeError

    parser, batch = LineParser(tz=UTC), batch_at()
    monkeypatch.setattr(parser.stamps.bsd, "_convert", fail)
    parser.parse(Frames([BSD, RFC5424]), None, batch)
    assert [record.format for record in batch.records] == ["plain", "rfc5424"]
    assert batch.failed == 1


def test_words_that_share_a_place_are_told_apart():
    """More of them than are kept, of one length and of many, read twice."""
    hosts = [f"h{n}" for n in range(3000)] + ["x" * length for length in range(1, 120)]
    frames = [f"<13>1 2026-11-23T10:00:00Z {host} a - {host} [{host} n='']" for host in hosts]
    frames += [f'<13>1 2026-11-23T10:00:00Z {host} a - {host} [{host} n=""]' for host in hosts]
    compiled, plain = both([frame.encode() for frame in frames])
    assert compiled == plain
    assert [record.host for record in compiled.records] == hosts * 2
