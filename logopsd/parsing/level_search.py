"""Levels in free text: found near its beginning, in the ways that programs write them."""

import re
from string import ascii_letters
from typing import Final

from logopsd.parsing.priority import LEVEL_WORDS

LEVEL_SEARCH_CHARS: Final = 100
"""How much of a line is searched for a level: where it comes first in every known form, and no
more than costs a microsecond."""

# The words that stand for a level in free text. Capitals or brackets are wanted, or `level=`:
# in plain prose "error" and "info" are words like others.
_WORDS: Final = (
    r"EMERGENCY|EMERG|PANIC|ALERT|CRITICAL|CRIT|FATAL|SEVERE|ERROR|ERR|WARNING|WARN|NOTICE"
    r"|INFORMATION|INFO|DEBUG|TRACE|VERBOSE"
)
_LEVEL: Final = re.compile(
    rf"(?<![\w.-])(?:(?:{_WORDS})(?![\w.-])"
    rf"|\[(?:\w{{1,16}}:)?(?i:{_WORDS})\]"
    rf"|(?i:level|severity|lvl)[\"']?[=:] ?[\"']?(?i:{_WORDS})(?!\w)"
    rf"|(?i:{_WORDS}):(?=\s))"
)
_WORD: Final = re.compile(rf"(?i:{_WORDS})(?!\w)")
# Searching costs 14 us where there is nothing to find; looking the words of a line up, 1 us.
_CANDIDATES: Final = frozenset(
    form for word in _WORDS.split("|") for form in (word, word.lower(), word.capitalize())
)
_TO_BLANKS: Final = str.maketrans(dict.fromkeys("[](){}<>|:;=,\"'/\\*#", " "))


def find_level(text: str) -> str | None:
    """Return the level that a message names near its beginning, or None."""
    match = search_level(text)
    return None if match is None else level_in(match)


def search_level(text: str) -> re.Match[str] | None:
    """Return the match of the first level that a text names near its beginning, or None."""
    start = text[:LEVEL_SEARCH_CHARS]
    if len(text) > LEVEL_SEARCH_CHARS:
        # The last word may be cut: `ERR` of `ERRONEOUS` is no level.
        start = start.rstrip(ascii_letters)
    if _CANDIDATES.isdisjoint(start.translate(_TO_BLANKS).split()):
        return None
    return _LEVEL.search(start)


def level_in(match: re.Match[str]) -> str:
    """Return the level that `search_level` found; its word stands last."""
    return LEVEL_WORDS[_WORD.findall(match[0])[-1].lower()]
