"""The progress bar draws on a terminal alone, and leaves nothing behind."""

import io

import pytest

from logopsd.commands.progress import ProgressBar


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the bar sees, in seconds."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_bar_is_drawn_and_removed(clock: list[float]) -> None:
    """Work that takes long shows its part, redrawn on one line, and erased at the end."""
    stream = Terminal()
    bar = ProgressBar(stream, "archiving")
    for seconds, done in ((0.1, 1), (1.0, 5), (1.01, 6), (2.0, 20)):
        clock[0] = seconds
        bar(done, 10)
    bar.close()
    bar.close()

    assert stream.getvalue().split("\r\x1b[K") == [
        "",
        "[" + "#" * 15 + "." * 15 + "]  50% archiving",
        "[" + "#" * 30 + "] 100% archiving",
        "",
    ]


def test_nothing_is_drawn_for_nothing_nor_outside_of_a_terminal(clock: list[float]) -> None:
    """A file gets no control codes, and work of no size no division by it."""
    file, terminal = io.StringIO(), Terminal()
    for stream in (file, terminal):
        clock[0] = 0.0
        bar = ProgressBar(stream, "archiving")
        clock[0] = 9.0
        bar(0, 0)
        bar.close()

    assert file.getvalue() == ""
    assert "100%" in terminal.getvalue()
