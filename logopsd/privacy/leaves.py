"""Takes the texts out of a sender's nested values, and puts masked ones back in their places."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from logopsd.patterns import lazy_pattern

MAX_DEPTH = 32
"""Levels of nesting that are walked; what lies deeper is looked at as its JSON text."""

SMALL = 10**8
"""Integers below hold too few digits to be anything personal, unless their key says so."""

KNOWN_LIMIT = 8192
"""Texts remembered. A fleet has hundreds of keys and header texts; at the limit all are forgotten,
so that a sender who makes up names costs memory once, and then only time."""

KNOWN_LENGTH = 128
"""Characters of the longest text remembered."""

_TELLING = lazy_pattern(
    r"pass|pwd|secret|token|key|auth|pesel|ssn|social|phone|tel|mobile|msisdn|cell", re.IGNORECASE
)
"""Words in a key that tell what its value is."""

_SECRET = lazy_pattern(
    r"(pass(?:word|wd|phrase|code)|pwd|secret)|(?:token|(?:api|access|private|auth)[_-]?key)",
    re.IGNORECASE,
)
"""Words in a key that tell that its value is a secret; of the first even where it is a number."""

_ABOUT = lazy_pattern(
    r"name|type|count|used|usage|limit|remain|expir|age\b|age[_-]|ttl|len|size|reset|"
    r"change|polic|version|status|error|attempt|max|min|total|iz|_at\b|At\b|file|path|dir|url|hint",
)
"""Words behind such a word that tell that the value is not the secret, but about it."""

_OTHER = lazy_pattern(r"pesel|ssn|phone|tel|mobile|msisdn|authorization", re.IGNORECASE)
"""Words that detectors of their own ask for; `key` and `auth` alone tell next to nothing."""

VALUE, KEY = range(2)
"""What a text was: a value or a key; a value read together with a key has the key's name here."""

Place = tuple[Any, Any, int | str]
"""Where a text came from: the dict or list, its key or index there, and what it was."""


class Known:
    """Texts seen before in which there was nothing to hide: keys, names, process ids.

    Attributes:
        clean: header texts; None among them, so that an absent field is clean.
        hosts: names of hosts that may stay, whether or not they are addresses.
        keys: keys of payloads -> whether they tell what their value is, as `password` does.
    """

    __slots__ = ("clean", "hosts", "keys")

    def __init__(self) -> None:
        self.clean: set[str | None] = {None}
        self.hosts: set[str | None] = {None}
        self.keys: dict[str, bool] = {}

    def remember(self, clean: set[str | None], texts: Iterable[str]) -> None:
        """Note texts in which nothing was found, in `clean` or `hosts`."""
        short = [text for text in texts if len(text) <= KNOWN_LENGTH][:KNOWN_LIMIT]
        if len(clean) + len(short) > KNOWN_LIMIT:
            clean.clear()
            clean.add(None)
        clean.update(short[: KNOWN_LIMIT - 1])

    def remember_keys(self, keys: Iterable[str]) -> None:
        """Note keys in which nothing was found."""
        for key in keys:
            if len(key) <= KNOWN_LENGTH:
                if len(self.keys) >= KNOWN_LIMIT:
                    self.keys.clear()
                self.keys[key] = tells(key)


def tells(key: str) -> bool:
    """Say whether a key tells what its value is."""
    return _TELLING.search(key) is not None


def collect(
    value: dict[str, Any] | list[Any],
    texts: list[str],
    places: list[Place],
    keys: dict[str, bool],
    depth: int = 0,
    name: str = "",
) -> None:
    """Append every text of a value to `texts`: keys, strings, and numbers that may be personal.

    Written out for speed: most of what it meets is a short string under a known key.

    Args:
        value: what a JSON document may hold.
        texts: is appended to.
        places: is appended to likewise: where each text came from.
        keys: of `Known`; these need not be looked at.
        depth: levels above this one.
        name: of the key above that tells what all below is, as `password`; empty for none.
    """
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        kind = type(item)
        told = name
        if type(key) is str:
            telling = keys.get(key)
            if telling is None:
                texts.append(key)
                places.append((value, key, KEY))
                telling = tells(key)
            if telling and (not name or _goes_before(key, name)):
                told = key
        if kind is str or kind is int:
            if told:
                label = _label(told, is_text=kind is str)
                texts.append(_told(label, item))
                places.append((value, key, label))
            elif kind is str:
                texts.append(item)
                places.append((value, key, VALUE))
            elif not -SMALL < item < SMALL:
                texts.append(str(item))
                places.append((value, key, VALUE))
        elif kind is bool or item is None:
            continue
        elif (kind is dict or kind is list) and depth < MAX_DEPTH:
            collect(item, texts, places, keys, depth + 1, told)
        elif kind is not float:
            texts.append(msgspec.json.encode(item).decode("utf-8"))
            places.append((value, key, VALUE))
        elif told and (word := _secret(told)) and word[1]:
            texts.append(_told(word[0], item))
            places.append((value, key, word[0]))
        elif item.is_integer() and abs(item) >= SMALL:
            texts.append(str(int(item)))
            places.append((value, key, VALUE))


def put(masked: Iterable[tuple[Place, str]]) -> None:
    """Put masked texts in the places of the originals.

    Args:
        masked: the places that `collect` told, and what goes there.
    """
    renamed: dict[int, tuple[dict[str, Any], dict[str, str]]] = {}
    for (value, key, kind), text in masked:
        if kind == VALUE:
            value[key] = text
        elif isinstance(kind, str):
            value[key] = _untold(kind, text)
        else:
            renamed.setdefault(id(value), (value, {}))[1][key] = text
    for value, names in renamed.values():
        _rename(value, names)


def _secret(key: str) -> re.Match[str] | None:
    """Find the word by which a key tells that its value is a secret."""
    word = _SECRET.search(key)
    return None if word is None or _ABOUT.search(key, word.end()) else word


def _goes_before(key: str, name: str) -> bool:
    """Say whether what a key tells of its value goes before what one above it tells."""
    if _secret(name):
        return False
    return bool(_secret(key) or _OTHER.search(key) or not _OTHER.search(name))


def _label(key: str, *, is_text: bool) -> str:
    """Give the name by which detectors know what a key tells: of `passwordOld` it is `password`.

    Numbers below a token's name are counters (`tokens`), so that these keep theirs.
    """
    word = _secret(key)
    return word[0] if word and (is_text or word[1]) else key


def _told(key: str, value: object) -> str:
    """Put the key before its value, so that `"password": "x"` reads as it does in a text."""
    return f'{key}="' + str(value).replace('"', "'").replace("\0", " ") + '"'


def _untold(key: str, masked: str) -> str:
    """Take the value out of what `_told` made, masked."""
    before = f'{key}="'
    if masked.startswith(before) and masked.endswith('"'):
        return masked[len(before) : -1]
    return "***"  # the key itself was masked: nothing of the value is sure to be


def _rename(value: dict[str, Any], names: dict[str, str]) -> None:
    """Give keys new names in their old places; two that look alike then are told apart."""
    items = list(value.items())
    value.clear()
    for key, item in items:
        name = wanted = names.get(key, key)
        number = 1
        while name in value:
            number += 1
            name = f"{wanted}#{number}"
        value[name] = item
