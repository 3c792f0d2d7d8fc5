import contextlib
import importlib
import pkgutil
import re
import sys
import threading
from pathlib import Path

import pytest

import logopsd
from logopsd.patterns import compile_next, lazy_pattern, possessive

REPEATED = re.compile(r"\)(?:[?*+]|\{+[0-9]+(?:,[0-9]*)?\}+)\+")


@pytest.mark.parametrize("version", [(3, 11, 2), sys.version_info])
def test_a_repeated_group_takes_whole_rounds_and_gives_none_back(monkeypatch, version):
    """In this Python as written for it, and as written for one that cannot."""
    monkeypatch.setattr(sys, "version_info", version)
    pattern = re.compile(possessive("(?:ab)", "*") + "(a?)")
    assert pattern.match("ababac")[1] == "a"
    assert re.compile(possessive("(?:ab)", "*") + "ab").match("abab") is None
    assert re.compile(possessive("(?:ab)", "+")).match("ac") is None


def test_no_pattern_repeats_a_group_possessively_by_itself():
    """Debian 12's Python has a bug there, by which a message lost its first letter."""
    sources = Path(logopsd.__file__).parent.rglob("*.py")
    found = [source.name for source in sources if REPEATED.search(source.read_text())]
    assert found == []


def test_a_lazy_pattern_answers_as_a_compiled_one():
    """Whatever it is asked first, and afterwards."""
    compiled = re.compile(r"([a-z])=(\d)", re.IGNORECASE)
    text = "A=1 b=2"
    for _ in range(2):
        pattern = lazy_pattern(r"([a-z])=(\d)", re.IGNORECASE)
        for _ in range(2):
            assert pattern.match(text, 4).groups() == compiled.match(text, 4).groups()
            assert pattern.search(text, 1)[0] == "b=2"
            assert pattern.fullmatch(text) is None
            assert [found[0] for found in pattern.finditer(text)] == ["A=1", "b=2"]
            assert pattern.findall(text) == compiled.findall(text)
            assert pattern.split(text) == compiled.split(text)
            assert pattern.sub("x", text) == "x x"
            assert pattern.subn("x", text) == ("x x", 2)
            assert (pattern.pattern, pattern.flags) == (compiled.pattern, compiled.flags)
    assert lazy_pattern(rb"[0-9]+").match(b"12a")[0] == b"12"


def test_a_lazy_pattern_is_compiled_once_and_when_it_is_needed(monkeypatch):
    """Then its methods are those of the pattern: nothing stands between on a hot way."""
    compiled = []
    real = re.compile
    monkeypatch.setattr(re, "compile", lambda *args: compiled.append(args) or real(*args))
    pattern = lazy_pattern("ab", re.ASCII)
    assert compiled == []
    assert pattern.match("ab")
    assert pattern.search("cab")
    assert compiled == [("ab", re.ASCII)]
    assert pattern.match.__self__ is pattern.search.__self__
    assert type(pattern.match.__self__) is re.Pattern


def test_threads_that_need_a_pattern_at_once_find_the_same():
    """The loop and a thread beside it may both come first."""
    pattern = lazy_pattern("(?:a|b){1,50}c")
    found, start = [], threading.Barrier(4)

    def ask():
        start.wait()
        found.append(pattern.fullmatch("abc")[0])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["abc"] * 4


def test_every_lazy_pattern_compiles():
    """An error in one would show only when a line needs it."""
    for module in pkgutil.walk_packages(logopsd.__path__, "logopsd."):
        if not module.name.endswith("__main__"):
            with contextlib.suppress(ImportError):  # of an extra that is not installed
                importlib.import_module(module.name)
    while compile_next():
        pass
    assert not compile_next()


def test_what_waits_is_compiled_one_at_a_time():
    """For the time when there is nothing else to do."""
    while compile_next():
        pass
    broken = lazy_pattern("(")
    fine = lazy_pattern("a")
    with pytest.raises(re.error):
        compile_next()
    assert compile_next()
    assert not compile_next()
    assert fine.match("a")
    with pytest.raises(re.error):
        broken.match("a")
