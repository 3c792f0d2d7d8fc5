import errno
import os
import threading

import pytest

from logopsd.errors import SinkError
from logopsd.sinks.stdout import OsStream, StdoutSink
from tests.sinks.helpers import Observer, at_once, line, receipt

DAY = "20261123"


class Reads:
    """The reader's side of a pipe, read to its end by a thread."""

    def __init__(self) -> None:
        self.fd, self.out = os.pipe()
        self.data = b""
        self.thread = threading.Thread(target=self._read)

    def _read(self) -> None:
        with open(self.fd, "rb") as file:
            self.data = file.read()

    def end(self) -> bytes:
        """Close the writer's side and return all that was read."""
        os.close(self.out)
        self.thread.join(20)
        return self.data


def make_sink(fd: int, observer: Observer, stream: OsStream | None = None) -> StdoutSink:
    """An open sink on a descriptor."""
    sink = StdoutSink(
        deliver=at_once, observer=observer, fd=fd, stream=stream, retry_seconds=(0.001, 0.01)
    )
    sink.open()
    return sink


def test_lines_come_out_in_order(tmp_path: object) -> None:
    """More than a pipe holds comes out whole, with a receipt for each batch."""
    reads, observer = Reads(), Observer()
    reads.thread.start()
    sink = make_sink(reads.out, observer)
    batches = [line(f"{n}" * 5000) for n in range(50)]
    for number, batch in enumerate(batches):
        sink.write(batch, DAY, receipt(number))
    assert sink.close(20)
    assert reads.end() == b"".join(batches)
    assert [r.count for r in observer.receipts] == list(range(50))
    assert sink.open_files() == set()


def test_a_reader_that_takes_nothing_stalls_and_nothing_is_doubled() -> None:
    """While the pipe is full there is no receipt; once it is read all goes on."""

    class Impatient(OsStream):
        def wait(self, fd: int, seconds: float) -> bool:
            return super().wait(fd, 0.001)

    reads, observer = Reads(), Observer()
    sink = make_sink(reads.out, observer, Impatient())
    batches = [line("x" * 50_000 + str(n)) for n in range(10)]
    for number, batch in enumerate(batches):
        sink.write(batch, DAY, receipt(number))
    observer.until(lambda: bool(observer.stalls))
    assert sink.stalled == "EAGAIN: the reader takes nothing"
    sink.reopen()
    reads.thread.start()
    observer.until(lambda: len(observer.receipts) == 10)
    assert sink.close(20)
    assert reads.end() == b"".join(batches)


def test_a_reader_that_went_away_is_told_of() -> None:
    """EPIPE stalls the sink: no receipt is given for what nobody reads."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    observer = Observer()
    sink = make_sink(write_end, observer)
    sink.write(line("one"), DAY, receipt(1))
    observer.until(lambda: bool(observer.stalls))
    assert sink.stalled == f"EPIPE: {os.strerror(errno.EPIPE)}"
    assert not sink.close(0.05)
    assert len(sink.unstored()) == 1
    os.close(write_end)


def test_a_closed_standard_output_is_refused_at_start() -> None:
    """A daemon that was started without one says so."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    os.close(write_end)
    with pytest.raises(SinkError, match="standard output is closed"):
        make_sink(write_end, Observer())
