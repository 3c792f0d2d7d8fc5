"""Which lines are wanted, and what is counted of the others."""

import json

from hypothesis import given
from hypothesis import strategies as st

from logopsd.commands.replay.selection import Found, Selection, head_of, select, time_of
from logopsd.records import LEVELS

NOON = "2026-11-23T12:00:00.000"


def line(msg: str = "m", time: str = NOON, **more: object) -> bytes:
    """One stored line."""
    record = {"ts": f"{time}Z", "level": "INFO", "msg": msg, "received": f"{time}Z", **more}
    return json.dumps(record).encode() + b"\n"


def chosen(lines: list[bytes], selection: Selection | None = None) -> tuple[list[str], Found]:
    """The messages that are wanted, and what was counted."""
    found = Found()
    wanted = select(lines, selection or Selection(), found)
    return [json.loads(each)["msg"] for each in wanted], found


def test_a_range_holds_its_start_and_not_its_end() -> None:
    """So that two ranges side by side give every line once."""
    times = ["2026-11-23T11:59:59.999", NOON, "2026-11-23T12:00:00.001", "2026-11-23T13:00:00.000"]
    lines = [line(str(number), time) for number, time in enumerate(times)]

    assert chosen(lines, Selection(since=NOON, until="2026-11-23T13:00:00.000"))[0] == ["1", "2"]
    assert chosen(lines, Selection(since="2026-11-23T13:00:00.000"))[0] == ["3"]
    assert chosen(lines, Selection(until=NOON))[0] == ["0"]


def test_filters() -> None:
    """All of them must let it pass."""
    lines = [
        line("a", level="ERROR", emitter="shop", input="udp"),
        line("b", level="INFO", emitter="shop", input="udp"),
        line("c", level="CRITICAL", emitter="mail", input="tcp"),
        line("d", level=["odd"], emitter="shop", input="udp")[:-1] + b"\n",
    ]
    assert chosen(lines, Selection(level="WARN"))[0] == ["a", "c"]
    assert chosen(lines, Selection(level="WARN", emitters={"shop"}))[0] == ["a"]
    assert chosen(lines, Selection(inputs={"tcp"}))[0] == ["c"]


def test_what_no_input_received_counts_by_its_own_time() -> None:
    """The notice of a torn line; one without any time is wanted only where no time is asked for."""
    notice = b'{"ts":"2026-11-23T12:00:00.000Z","level":"WARN","msg":"torn"}\n'
    bare = b'{"msg":"bare"}\n'

    assert time_of(notice) == f"{NOON}Z"
    assert chosen([notice, bare])[0] == ["torn", "bare"]
    assert chosen([notice, bare], Selection(since=NOON))[0] == ["torn"]
    assert chosen([notice, bare], Selection(until="2027"))[0] == ["torn"]


def test_lines_that_are_no_records_are_counted() -> None:
    """A torn last line apart from others; blank ones are nothing at all."""
    names, found = chosen([line("a"), b"no JSON\n", b"[1]\n", b"\n", line("b"), line("c")[:-9]])

    assert names == ["a", "b"]
    assert (found.records, found.malformed, found.torn) == (2, 2, 1)
    assert head_of(b"\xff") is None
    assert time_of(b"[]") == ""


def test_a_last_line_that_lacks_its_lf_alone_is_whole() -> None:
    """It gets its LF."""
    found = Found()

    assert list(select([line("a")[:-1]], Selection(), found)) == [line("a")]
    assert (found.torn, found.size) == (0, len(line("a")))


@given(
    st.lists(st.tuples(st.sampled_from(LEVELS), st.integers(0, 86399))),
    st.sampled_from(LEVELS),
    st.integers(0, 86399),
    st.integers(0, 86399),
)
def test_it_is_what_a_plain_search_finds(
    records: list[tuple[str, int]], level: str, start: int, stop: int
) -> None:
    """For any records, levels and times; and first and last are theirs."""

    def text(second: int) -> str:
        hours, rest = divmod(second, 3600)
        return f"2026-11-23T{hours:02}:{rest // 60:02}:{rest % 60:02}.000"

    lines = [line(str(n), text(s), level=each) for n, (each, s) in enumerate(records)]
    expected = [
        number
        for number, (each, second) in enumerate(records)
        if LEVELS.index(each) >= LEVELS.index(level) and start <= second < stop
    ]
    names, found = chosen(lines, Selection(text(start), text(stop), level))
    seconds = [records[number][1] for number in expected]

    assert names == [str(number) for number in expected]
    assert found.first == (f"{text(min(seconds))}Z" if seconds else "")
    assert found.last == (f"{text(max(seconds))}Z" if seconds else "")
