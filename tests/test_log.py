"""The daemon's own log: one line an event, and never a byte of what was received."""

import io
import json
import logging
import re
import sys
import threading
from collections.abc import Iterator

import pytest

from logopsd.errors import SinkError
from logopsd.log import (
    MAX_CAUSES,
    MAX_FRAMES,
    Threshold,
    configure,
    describe_exception,
    new_instance,
    take_over,
)

CANARY = "jan.kowalski@example.com"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


@pytest.fixture
def hooks() -> Iterator[None]:
    """Puts the process's own hooks back."""
    kept = sys.excepthook, threading.excepthook, sys.unraisablehook
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    sys.excepthook, threading.excepthook, sys.unraisablehook = kept
    root.handlers[:] = handlers
    root.setLevel(level)


def failed(action: str = "int", text: str = CANARY) -> BaseException:
    """An exception that quotes the text, with a traceback."""
    try:
        if action == "int":
            int(text)
        if action == "key":
            {"": ""}[text]
        if action == "decode":
            (text.encode() + b"\xff").decode()
        if action == "os":
            raise OSError(28, text, text)
        if action == "chain":
            try:
                int(text)
            except ValueError as error:
                raise RuntimeError(text) from error
        if action == "group":
            raise ExceptionGroup(text, [ValueError(text), KeyError(text)])
    except Exception as error:
        return error
    raise AssertionError(action)


def test_json_has_ts_level_and_event_first() -> None:
    """Outside a terminal each event is one JSON object with its keys in order."""
    stream = io.StringIO()
    log = configure("info", "auto", stream)
    log.info("listening", address="udp://127.0.0.1:5514", granted=8388608)

    line = stream.getvalue()
    assert line.endswith("}\n")
    assert line.count("\n") == 1
    event = json.loads(line)
    assert list(event) == ["ts", "level", "event", "address", "granted"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event["ts"])
    assert (event["level"], event["event"]) == ("info", "listening")


@pytest.mark.parametrize(
    ("peer", "shown"),
    [
        ("83.11.2.3", "83.11.x.x"),
        ("::ffff:83.11.2.3", "83.11.x.x"),
        ("2a02:a31c:1:2:3:4:5:6", "2a02:a31c:x:x:x:x:x:x"),
        ("fe80::1%eth0", "fe80:0:x:x:x:x:x:x"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("unix", "unix"),
        (None, None),
    ],
)
def test_a_peer_shows_its_network_alone(peer: str | None, shown: str | None) -> None:
    """The log is not masked by the privacy stage, and tells no more of an address than it."""
    stream = io.StringIO()
    configure("info", "json", stream).warning("connection refused", peer=peer)
    assert json.loads(stream.getvalue())["peer"] == shown


def test_level_is_a_threshold() -> None:
    """What is less urgent is dropped."""
    stream = io.StringIO()
    log = configure("warning", "json", stream)
    log.debug("a")
    log.info("b")
    log.warning("c")
    log.error("d")

    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["c", "d"]


def test_terminal_gets_colours_unless_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colours on a terminal; none where NO_COLOR is set, nor in a file."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured, plain, file = Terminal(), Terminal(), io.StringIO()
    configure("info", "auto", coloured).info("ready", files="x")
    monkeypatch.setenv("NO_COLOR", "1")
    configure("info", "auto", plain).info("ready", files="x")
    configure("info", "console", file).info("ready", files="x")

    assert "\x1b[" in coloured.getvalue()
    for stream in (plain, file):
        assert "\x1b" not in stream.getvalue()
        assert re.match(r"\d\d:\d\d:\d\d \[info +\] ready +files=x\n", stream.getvalue())


def test_standard_error_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a stream the log goes to standard error."""
    configure("info", "json").info("ready")

    captured = capsys.readouterr()
    assert json.loads(captured.err)["event"] == "ready"
    assert captured.out == ""


@pytest.mark.parametrize("action", ["int", "key", "decode", "os", "chain", "group"])
@pytest.mark.parametrize("format", ["console", "json"])
def test_exception_text_never_shows(action: str, format: str) -> None:
    """Type and places are shown, not the text that quotes the value it failed on."""
    stream = io.StringIO()
    log = configure("debug", format, stream)  # type: ignore[arg-type]
    error = failed(action)
    log.error("failed", exc_info=error)
    log.error("failed", exc_info=(type(error), error, error.__traceback__))
    log.error("failed", why=error)
    try:
        raise error
    except Exception:
        log.exception("failed")

    shown = stream.getvalue()
    assert CANARY not in shown
    assert shown.count("\n") == (4 if format == "json" else 7)
    assert shown.count(type(error).__name__) >= 4
    assert "test_log.py:" in shown


def test_nothing_to_show_is_no_exception() -> None:
    """exc_info outside of an except clause adds nothing."""
    stream = io.StringIO()
    configure("info", "json", stream).error("failed", exc_info=True)

    assert "exception" not in json.loads(stream.getvalue())


def test_our_own_errors_keep_their_text() -> None:
    """A LogopsError was written for the operator; so was the name of an error number."""
    assert describe_exception(SinkError("make the directory")) == "SinkError: make the directory"
    assert describe_exception(failed("os")).startswith("OSError: ENOSPC at tests/test_log.py:")
    assert describe_exception(OSError(99999, "x")) == "OSError: 99999"


def test_causes_are_shown_and_bounded() -> None:
    """The chain of causes and the places of a recursion are cut."""

    def deep(left: int) -> None:
        if left:
            deep(left - 1)
        raise ValueError

    with pytest.raises(ValueError) as raised:  # noqa: PT011  (it has no text)
        deep(100)
    assert describe_exception(raised.value).count(" in deep") == MAX_FRAMES

    shown = describe_exception(failed("chain"))
    assert re.fullmatch(r"RuntimeError at \S+ in failed <- ValueError at \S+ in failed", shown)
    error = ValueError()
    for _ in range(9):
        outer = ValueError()
        outer.__context__ = error
        error = outer
    assert describe_exception(error).count("ValueError") == MAX_CAUSES
    error.__suppress_context__ = True
    assert describe_exception(error) == "ValueError"


def test_stream_that_fails_does_not_raise() -> None:
    """A log that cannot be written hurts nobody."""

    class Full(io.StringIO):
        def write(self, _: str, /) -> int:
            raise OSError(28, "no space")

    configure("info", "json", Full()).info("x")
    closed = io.StringIO()
    log = configure("info", "json", closed)
    closed.close()
    log.info("x")


def test_undecodable_file_name_is_one_line() -> None:
    """A path with surrogates, and an object of any kind, can be logged."""
    stream = io.StringIO()
    configure("info", "json", stream).info("x", path="\udcff\n", other={1}, number=float("inf"))

    assert stream.getvalue().isascii()
    assert stream.getvalue().count("\n") == 1


@pytest.mark.usefixtures("hooks")
def test_last_resort_shows_no_text() -> None:
    """Uncaught exceptions, those of threads, and what libraries log come without their text."""
    stream = io.StringIO()
    take_over(configure("info", "json", stream))
    error = failed()
    sys.excepthook(type(error), error, error.__traceback__)
    thread = threading.Thread(target=int, args=[CANARY], name="writer")
    thread.start()
    thread.join()

    class Bad:
        def __del__(self) -> None:
            int(CANARY)

    Bad()
    logging.getLogger("asyncio").error("callback %s", CANARY, exc_info=error)
    logging.getLogger("asyncio").warning("slow: %s", CANARY)
    logging.getLogger("asyncio").info("dropped")

    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(event["event"], event["level"]) for event in events] == [
        ("crashed", "error"),
        ("thread crashed", "error"),
        ("error in a destructor", "error"),
        ("library", "error"),
        ("library", "warning"),
    ]
    assert events[1]["thread"] == "writer"
    assert events[4]["logger"] == "asyncio"
    assert events[4]["place"].startswith("test_log.py:")
    assert CANARY not in stream.getvalue()


def test_the_instance_stands_in_each_json_line() -> None:
    """The daemon knows its own lines by it; people are not bothered with it."""
    stream, terminal = io.StringIO(), io.StringIO()
    instance = new_instance()
    configure("info", "json", stream, instance=instance).info("ready")
    configure("info", "console", terminal, instance=instance).info("ready")

    assert json.loads(stream.getvalue())["instance"] == instance
    assert instance not in terminal.getvalue()
    assert instance[0] == "~"
    assert instance[1:].isalpha()
    assert instance != new_instance()


def test_the_threshold_may_change() -> None:
    """What is less urgent is dropped from the next line on."""
    stream = io.StringIO()
    threshold = Threshold("warning")
    log = configure(threshold, "json", stream)
    log.info("one")
    threshold.set("info")
    log.info("two")
    threshold.set("error")
    log.warning("three")
    log.error("four")

    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["two", "four"]


def test_who_has_much_to_say_may_ask_before() -> None:
    """The answer changes with the threshold, for loggers that are bound too."""
    threshold = Threshold("info")
    log = configure(threshold, "json", io.StringIO()).bind(input="http")
    assert (log.is_enabled_for(logging.DEBUG), log.is_enabled_for(logging.INFO)) == (False, True)
    threshold.set("debug")
    assert log.is_enabled_for(logging.DEBUG)
