"""Takes the texts out of a sender's nested values, and puts masked ones back in their places."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

MAX_DEPTH = 32
"""Levels of nesting that are walked; what lies deeper is turned into its JSON text first."""

SMALL = 10**8
"""Integers below hold too few digits to be anything personal, unless their key says so."""

KNOWN_LIMIT = 8192
"""Texts remembered. A fleet has hundreds of keys and header texts; at the limit all are forgotten,
so that a sender who makes up names costs memory once, and then only time."""

KNOWN_LENGTH = 128
"""Characters of the longest text remembered."""

_TELLING = re.compile(
    r"pass|pwd|secret|token|key|auth|pesel|ssn|social|phone|tel|mobile|msisdn|cell", re.IGNORECASE
)
"""Words in a key that tell what its value is."""


class Known:
    """Texts seen before in which there was nothing to hide: keys, names, process ids.

    Attributes:
        clean: those texts; None among them, so that an absent field is clean.
        hosts: names of hosts that may stay, whether or not they are addresses.
        telling: keys whose value is read together with them, as they tell what it is.
    """

    __slots__ = ("clean", "hosts", "telling")

    def __init__(self) -> None:
        self.clean: set[str | None] = {None}
        self.hosts: set[str | None] = {None}
        self.telling: dict[str, bool] = {}

    def tells(self, key: str) -> bool:
        """Say whether a key tells what its value is, as `password` does."""
        told = self.telling.get(key)
        if told is None:
            if len(self.telling) >= KNOWN_LIMIT:
                self.telling = {}
            told = self.telling[key] = _TELLING.search(key) is not None
        return told

    def remember(self, texts: list[str]) -> None:
        """Note texts in which nothing was found."""
        if len(self.clean) + len(texts) > KNOWN_LIMIT:
            self.clean = {None}
        self.clean.update(text for text in texts[:KNOWN_LIMIT] if len(text) <= KNOWN_LENGTH)


def collect(
    value: Any, texts: list[str], known: Known, unknown: list[tuple[str, int]], depth: int = 0
) -> None:
    """Append every text of a value to `texts`: keys, strings, and numbers that may be personal.

    Args:
        value: what a JSON document may hold.
        texts: is appended to, in an order that `rebuild` follows.
        known: the keys that need not be looked at.
        unknown: is told of each other key, and its place in `texts`.
        depth: levels above this one.
    """
    if isinstance(value, dict) and depth < MAX_DEPTH:
        for key, item in value.items():
            if key not in known.clean:
                unknown.append((key, len(texts)))
                texts.append(key)
            if known.tells(key) and _is_scalar(item):
                texts.append(_told(key, item))
            elif isinstance(item, str):
                texts.append(item)
            else:
                collect(item, texts, known, unknown, depth + 1)
    elif isinstance(value, list | tuple) and depth < MAX_DEPTH:
        for item in value:
            collect(item, texts, known, unknown, depth + 1)
    else:
        text = _text(value)
        if text is not None:
            texts.append(text)


def rebuild(value: Any, masked: Iterator[str | None], known: Known, depth: int = 0) -> Any:
    """Make a copy of a value that holds the masked texts.

    Args:
        value: as `collect` saw it.
        masked: for each text that `collect` found, in order, what replaces it; None for nothing.
        known: as `collect` was given it, and unchanged since.
        depth: levels above this one.
    """
    if isinstance(value, dict) and depth < MAX_DEPTH:
        out: dict[str, Any] = {}
        for key, item in value.items():
            name = key if key in known.clean else next(masked) or key
            name = _another(name, out) if name in out else name
            if known.tells(key) and _is_scalar(item):
                out[name] = _untold(key, item, next(masked))
            else:
                out[name] = rebuild(item, masked, known, depth + 1)
        return out
    if isinstance(value, list | tuple) and depth < MAX_DEPTH:
        return [rebuild(item, masked, known, depth + 1) for item in value]
    text = _text(value)
    if text is None:
        return value
    replaced = next(masked)
    if replaced is not None:
        return replaced
    return text if isinstance(value, dict | list | tuple) else value


def _text(value: Any) -> str | None:
    """Give a value as the text that is looked at; None for what can hold nothing personal."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return None if -SMALL < value < SMALL else str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) >= SMALL else None
    return msgspec.json.encode(value).decode("utf-8")


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _told(key: str, value: str | int) -> str:
    """Put the key before its value, so that `"password": "x"` reads as it does in a text."""
    return f'{key}="' + str(value).replace('"', "'").replace("\0", " ") + '"'


def _untold(key: str, value: str | int, masked: str | None) -> str | int:
    """Take the value out of what `_told` made, masked."""
    if masked is None:
        return value
    before = f'{key}="'
    if masked.startswith(before) and masked.endswith('"'):
        return masked[len(before) : -1]
    return "***"  # the key itself was masked: nothing of the value is sure to be


def _another(name: str, taken: dict[str, Any]) -> str:
    """Tell apart keys that look alike once masked, so that no value is lost."""
    number = 2
    while f"{name}#{number}" in taken:
        number += 1
    return f"{name}#{number}"
