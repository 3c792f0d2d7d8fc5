"""JSON from strangers into Python values, bounded in depth, always fit to be written again."""

import re
from typing import Any, Final

import msgspec

from logopsd.compiled import is_deeper
from logopsd.errors import PayloadError
from logopsd.patterns import lazy_pattern

MAX_JSON_DEPTH: Final = 200
"""Nesting that is still decoded: far more than any payload has, far less than the stack."""

_decode = msgspec.json.Decoder().decode

# An escaped surrogate pair; a surrogate that is alone; any other escape.
_ESCAPES: Final = lazy_pattern(
    r"(\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2})"
    r"|(\\u[dD][89a-fA-F][0-9A-Fa-f]{2})|\\."
)
_CONTAINERS: Final = frozenset((dict, list))
_BYTE: Final = lazy_pattern(r" \(byte ([0-9]+)\)")


def decode(text: str) -> Any:
    r"""Return the value of a JSON text.

    A lone surrogate (`\ud800`), which no UTF-8 can hold, becomes U+FFFD.

    Raises:
        PayloadError: says what is wrong and at which line and column, and quotes nothing.
    """
    try:
        value = _decode(text)
    except RecursionError:
        raise PayloadError(f"nested deeper than {MAX_JSON_DEPTH}") from None
    except msgspec.DecodeError as error:
        mended = _ESCAPES.sub(_mend_escape, text) if "\\u" in text else text
        if mended != text:
            return decode(mended)
        raise PayloadError(_explain(error, text)) from None
    if (is_deeper or _is_deeper)(value, MAX_JSON_DEPTH + 1):
        raise PayloadError(f"nested deeper than {MAX_JSON_DEPTH}")
    return value


def _mend_escape(match: re.Match[str]) -> str:
    return match[0] if match[2] is None else "\\ufffd"


def _is_deeper(value: object, limit: int) -> bool:
    """Look through the value level by level, without recursion."""
    containers: list[Any] = [value] if type(value) in _CONTAINERS else []
    for _ in range(limit):
        items: list[Any] = []
        for container in containers:
            items += container.values() if type(container) is dict else container
        if _CONTAINERS.isdisjoint(map(type, items)):  # told in C: most have no third level
            return False
        containers = [item for item in items if type(item) in _CONTAINERS]
    return True


def _explain(error: msgspec.DecodeError, text: str) -> str:
    """Say what is wrong where; msgspec counts in bytes and quotes no value."""
    what = str(error).partition(" - at ")[0].removeprefix("JSON is malformed: ")
    where = _BYTE.search(what)
    if where is None:
        return what
    before = text.encode()[: int(where[1])].decode(errors="ignore")
    line = before.count("\n") + 1
    column = len(before) - before.rfind("\n")
    return f"{what[: where.start()]} at line {line}, column {column}"
