"""Regular expressions: those that are compiled when first needed, and those that may not backtrack.

To compile one takes a tenth of a millisecond to two, and there are two hundred of them: a seventh
of the daemon's start, for patterns of which the usual line needs none.
"""

import re
import sys
from collections import deque
from typing import AnyStr, Final, Generic, cast

_WAITING: "Final[deque[_Lazy[str] | _Lazy[bytes]]]" = deque()
"""Those that were made and that nobody has compiled ahead."""

_METHODS: Final = ("findall", "finditer", "fullmatch", "match", "search", "split", "sub", "subn")


class _Lazy(Generic[AnyStr]):
    """Becomes a compiled pattern when it is first asked for anything one has.

    From then on its methods are the pattern's own, found in its slots: they cost what they cost
    there. Two threads that ask at once both compile it, and find the same.
    """

    __slots__ = ("_compiled", "_flags", "_source", *_METHODS)

    def __init__(self, source: AnyStr, flags: int) -> None:
        self._source: AnyStr = source
        self._flags = flags
        self._compiled: re.Pattern[AnyStr] | None = None

    def __getattr__(self, name: str) -> object:
        """Return what a slot that is still empty will hold, or another attribute of the pattern."""
        return getattr(self.compile(), name)

    def compile(self) -> re.Pattern[AnyStr]:
        """Return the compiled pattern."""
        if self._compiled is None:
            self._compiled = re.compile(self._source, self._flags)
            for method in _METHODS:
                setattr(self, method, getattr(self._compiled, method))
        return self._compiled


def lazy_pattern(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return a pattern that is compiled when it is first used; for those that belong to a module.

    Whoever calls its methods sees no difference. An error in it shows only then: a test compiles
    them all.

    Args:
        pattern: as `re.compile` takes it.
        flags: likewise.
    """
    made = _Lazy(pattern, flags)
    _WAITING.append(made)
    return cast("re.Pattern[AnyStr]", made)


def compile_next() -> bool:
    """Compile one of the patterns that nobody has needed yet; False where none is left."""
    try:
        _WAITING.popleft().compile()
    except IndexError:
        return False
    return True


_FIXED: Final = (3, 11, 5)
"""Before it, a group repeated possessively went on from where its last, half-way failed try had
come to (python/cpython#106052): `(?:ab)` as often as it goes took the `a` of `ac`. Debian 12 has
3.11.2."""


def possessive(group: str, times: str) -> str:
    """Return the pattern of a group that is repeated and gives nothing back.

    An atomic group does the same in every Python, and is what patterns of few repetitions are
    written with; but it takes 130 bytes of memory for each time round, of which a hostile line has
    a hundred thousand.

    Args:
        group: the pattern of a group, `(?:...)`.
        times: `*` or `+`.
    """
    if sys.version_info >= _FIXED:
        return f"{group}{times}+"
    return f"(?>{group}{times})"
