import re
import sys
from pathlib import Path

import pytest

import logopsd
from logopsd.patterns import possessive

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
