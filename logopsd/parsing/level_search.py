"""Levels in free text: found near its beginning, in the ways that programs write them."""

from string import ascii_letters
from typing import Final

from logopsd.parsing.priority import LEVEL_WORDS
from logopsd.patterns import lazy_pattern

LEVEL_SEARCH_CHARS: Final = 100
"""How much of a line is searched for a level: where it comes first in every known form, and no
more than costs a microsecond."""

# The words that stand for a level in free text. Capitals or brackets are wanted, or `level=`:
# in plain prose "error" and "info" are words like others.
_WORDS: Final = (
    r"EMERGENCY|EMERG|PANIC|ALERT|CRITICAL|CRIT|FATAL|SEVERE|ERROR|ERR|WARNING|WARN|NOTICE"
    r"|INFORMATION|INFO|DEBUG|TRACE|VERBOSE"
)
_LEVEL: Final = lazy_pattern(
    rf"(?<![\w.-])(?:(?:{_WORDS})(?![\w.-])"
    rf"|\[(?:\w{{1,16}}:)?(?i:{_WORDS})\]"
    rf"|(?i:level|severity|lvl)[\"']?[=:] ?[\"']?(?i:{_WORDS})(?!\w)"
    rf"|(?i:{_WORDS}):(?=\s))"
)
_WORD: Final = lazy_pattern(rf"(?i:{_WORDS})(?!\w)")
LEADING_LEVEL: Final = lazy_pattern(rf"\[?(?i:{_WORDS})[\]: ]{{1,4}}\[?")
"""A level that a text starts with, up to what may be the stamp behind it."""

# Searching costs 14 us where there is nothing to find; looking the words of a line up, 0.7 us.
_CAPITALS: Final = {word.encode(): LEVEL_WORDS[word.lower()] for word in _WORDS.split("|")}
_CANDIDATES: Final = frozenset(
    form for word in _CAPITALS for form in (word, word.lower(), word.capitalize())
)
_PUNCTUATION: Final = b"[](){}<>|:;=,\"'/\\*#"
_TO_BLANKS: Final = bytes.maketrans(_PUNCTUATION, b" " * len(_PUNCTUATION))


def find_level(text: str) -> str | None:
    """Return the first level that a text names near its beginning, or None."""
    start = text[:LEVEL_SEARCH_CHARS]
    if len(text) > LEVEL_SEARCH_CHARS:
        # The last word may be cut: `ERR` of `ERRONEOUS` is no level.
        start = start.rstrip(ascii_letters)
    words = start.encode().translate(_TO_BLANKS).split()
    if _CANDIDATES.isdisjoint(words):
        return None
    first = next(word for word in words if word in _CANDIDATES)
    if first in _CAPITALS:
        return _CAPITALS[first]
    match = _LEVEL.search(start)
    # The word stands last in all that the pattern finds.
    return None if match is None else LEVEL_WORDS[_WORD.findall(match[0])[-1].lower()]
