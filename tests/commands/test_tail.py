"""`logopsd tail` over files made by hand, with a clock handed in."""

import argparse
import datetime
import io
import json
import os
from pathlib import Path

import pytest

from logopsd.commands import arguments, tail
from logopsd.commands.record_line import Filter
from logopsd.commands.tail import Printer, Tail

NOON = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC).timestamp()


class Files:
    """A directory of records, and what a tail of it shows."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.shown: list[str] = []

    def write(
        self, name: str, *messages: str, at: str = "2026-11-23T12:00:00", **more: str
    ) -> None:
        """Append records to a file."""
        with (self.directory / f"{name}.ndjson").open("a") as file:
            for msg in messages:
                record = {"ts": f"{at}Z", "level": "INFO", "msg": msg, "received": f"{at}.000Z"}
                file.write(json.dumps(record | more) + "\n")

    def tail(self, wanted: Filter | None = None) -> Tail:
        """Make a tail at noon."""
        wanted = wanted or Filter()
        return Tail(
            self.directory, wanted, lambda _, r: self.shown.append(str(r["msg"])), lambda: NOON
        )


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Return an empty directory."""
    return Files(tmp_path)


def test_it_begins_with_the_last_lines_of_today(files: Files) -> None:
    """Over all pieces of the day; a line that is not whole yet comes when it is."""
    files.write("20261122", "yesterday")
    files.write("20261123", "1", "2")
    files.write("20261123-1", "3")
    half = files.directory / "20261123-1.ndjson"
    with half.open("a") as file:
        file.write('{"msg": "4')
    one = files.tail()
    one.begin(2)
    assert files.shown == ["2", "3"]
    with half.open("a") as file:
        file.write('"}\n')
    one.poll()
    assert files.shown == ["2", "3", "4"]
    one.close()


def test_it_follows_over_midnight_and_a_size_rotation(files: Files) -> None:
    """Nothing is left out, and nothing comes twice."""
    files.write("20261123", "1")
    one = files.tail()
    one.begin(10)
    files.write("20261123", "2")
    files.write("20261123-1", "3")
    one.poll()
    files.write("20261123-1", "4")
    files.write("20261124", "5")
    one.poll()
    files.write("20261124", "6")
    one.poll()
    assert files.shown == list("123456")
    one.close()


def test_filters_hold_for_what_is_there_and_what_comes(files: Files) -> None:
    """The last lines are the last that pass."""
    files.write("20261123", "a", level="ERROR")
    files.write("20261123", "b", "c")
    one = files.tail(Filter(level="WARN"))
    one.begin(1)
    files.write("20261123", "d", level="WARN")
    files.write("20261123", "e")
    one.poll()
    assert files.shown == ["a", "d"]
    one.close()


@pytest.mark.parametrize(("lines", "expected"), [(None, "2345"), (2, "345"), (0, "5")])
def test_since_goes_back_over_days(files: Files, lines: int | None, expected: str) -> None:
    """All from that time on, or the last so many of them."""
    files.write("20261121", "0", at="2026-11-21T12:00:00")
    files.write("20261122", "1", at="2026-11-22T12:00:00")
    files.write("20261122", "2", at="2026-11-22T13:00:00")
    files.write("20261123", "3", "4")
    one = files.tail(Filter(since="2026-11-22T13:00:00.000"))
    one.begin(lines)
    files.write("20261123", "5")
    one.poll()
    assert files.shown == list(expected)
    one.close()


def test_lines_that_are_held_are_bounded(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest are left out."""
    monkeypatch.setattr(tail, "MAX_HELD_BYTES", 250)
    files.write("20261123", *"123456")
    one = files.tail()
    one.begin(6)
    assert files.shown == ["5", "6"]
    one.close()


def test_there_may_be_no_file_yet(files: Files) -> None:
    """The first one is waited for."""
    one = files.tail()
    one.begin(10)
    files.write("20261123", "1")
    one.poll()
    assert files.shown == ["1"]
    one.close()


def test_a_pipe_gets_the_lines_as_they_are() -> None:
    """With --json; else text that its encoding can hold, uncut."""
    line = '{"msg":"é\x9b"}'.encode()
    for raw, expected in ((True, line), (False, rb"-------- -        \xe9\x9b")):
        out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        printer = Printer(out, raw=raw, colour=False, full=False)
        printer.measure()
        printer.show(line, {"msg": "é\x9b"})
        assert out.buffer.getvalue() == expected + b"\n"  # type: ignore[attr-defined]


def test_a_reader_that_left_is_noticed_while_nothing_comes() -> None:
    """So that `logopsd tail | head -1` ends."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as out:
        printer = Printer(out, raw=False, colour=False, full=False)
        printer.wait()
        os.close(reader)
        with pytest.raises(BrokenPipeError):
            printer.wait()


def test_times_are_ages_or_have_a_zone() -> None:
    """What is neither is refused with an example."""
    assert arguments.since("5m") == datetime.timedelta(minutes=5)
    assert arguments.since("2026-11-23T13:00:00+01:00").timestamp() == NOON  # type: ignore[union-attr]
    for text in ("5", "m", "yesterday", "2026-11-23T12:00:00", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="2h"):
            arguments.since(text)
    assert arguments.moment_text(arguments.since("90m"), NOON) == "2026-11-23T10:30:00.000"
    assert arguments.moment_text(arguments.since("999999d"), NOON) == "1970-01-01T00:00:00.000"
    assert arguments.moment_text(arguments.since("0001-01-01T00:00:00+14:00"), NOON).startswith(
        "1970"
    )
    assert arguments.moment_text(None, NOON) == ""


def test_levels_and_numbers_are_read() -> None:
    """In any case; the rest is refused."""
    assert arguments.level("Warning") == "WARN"
    assert arguments.line_count("0") == 0
    for kind, text in ((arguments.level, "loud"), (arguments.line_count, "-1")):
        with pytest.raises(argparse.ArgumentTypeError, match="takes"):
            kind(text)


def test_it_shows_the_last_lines_of_all_workers_in_order(files: Files) -> None:
    """By the time of arrival, whoever of them stored a line; and goes on with all."""
    for worker, seconds in ((1, (0, 3, 4)), (2, (1, 2, 5))):
        for second in seconds:
            files.write(f"20261123-w{worker}", str(second), at=f"2026-11-23T12:00:0{second}")
    one = files.tail()
    one.begin(4)
    assert files.shown == ["2", "3", "4", "5"]
    files.write("20261123-w1", "7", at="2026-11-23T12:00:07")
    files.write("20261123-w2", "6", at="2026-11-23T12:00:06")
    one.poll()
    assert files.shown == ["2", "3", "4", "5", "6", "7"]
    one.close()


def test_since_goes_back_in_the_files_of_all_workers(files: Files) -> None:
    """From the first record of each that came since."""
    for worker in (1, 2):
        for second in (1, 5, 8):
            at = f"2026-11-23T12:00:0{second}"
            files.write(f"20261123-w{worker}", f"{second} of {worker}", at=at)
    one = files.tail(Filter(since="2026-11-23T12:00:05"))
    one.begin(None)
    assert files.shown == ["5 of 1", "5 of 2", "8 of 1", "8 of 2"]
    one.close()
