"""Regular expressions that may not backtrack: what Python's `re` has for them, and since when."""

import sys
from typing import Final

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
