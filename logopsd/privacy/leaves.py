"""Takes the texts out of a sender's nested values, and puts masked ones back in their places."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

MAX_DEPTH = 32
"""Levels of nesting that are walked; what lies deeper is turned into its JSON text first."""

SMALL = 10**9
"""Integers below hold too few digits to be anything personal, and are not looked at."""

_PLAIN = (bool, type(None))


def collect(value: Any, texts: list[str], known: Callable[[str], bool], depth: int = 0) -> None:
    """Append every text of a value to `texts`: keys, strings, and numbers that may be personal.

    Args:
        value: what a JSON document may hold.
        texts: is appended to, in an order that `rebuild` follows.
        known: says of a key that it holds nothing personal, and need not be looked at.
        depth: levels above this one.
    """
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, _PLAIN):
        pass
    elif isinstance(value, int):
        if not -SMALL < value < SMALL:
            texts.append(str(value))
    elif isinstance(value, float):
        if value.is_integer() and abs(value) >= SMALL:
            texts.append(str(int(value)))
    elif depth >= MAX_DEPTH:
        texts.append(_as_json(value))
    elif isinstance(value, dict):
        for key, item in value.items():
            if not known(key):
                texts.append(key)
            collect(item, texts, known, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            collect(item, texts, known, depth + 1)
    else:
        texts.append(str(value))


def rebuild(
    value: Any, masked: Iterator[str | None], known: Callable[[str], bool], depth: int = 0
) -> Any:
    """Make a copy of a value that holds the masked texts.

    Args:
        value: as `collect` saw it.
        masked: for each text that `collect` found, in order, what replaces it; None for nothing.
        known: as `collect` was given it.
        depth: levels above this one.
    """
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, int) and -SMALL < value < SMALL:
        return value
    if isinstance(value, float) and not (value.is_integer() and abs(value) >= SMALL):
        return value
    if depth < MAX_DEPTH:
        if isinstance(value, dict):
            return _rebuild_dict(value, masked, known, depth)
        if isinstance(value, list | tuple):
            return [rebuild(item, masked, known, depth + 1) for item in value]
    text = next(masked)
    if text is not None:
        return text
    return _as_json(value) if isinstance(value, dict | list | tuple) else value


def _rebuild_dict(
    value: dict[Any, Any], masked: Iterator[str | None], known: Callable[[str], bool], depth: int
) -> dict[Any, Any]:
    out: dict[Any, Any] = {}
    for key, item in value.items():
        name = key if known(key) else next(masked) or key
        # Two keys may look alike once masked; neither's value is to be lost.
        alike = 1
        while name in out:
            alike += 1
            name = f"{name.partition('#')[0]}#{alike}"
        out[name] = rebuild(item, masked, known, depth + 1)
    return out


def _as_json(value: Any) -> str:
    return msgspec.json.encode(value).decode("utf-8")
