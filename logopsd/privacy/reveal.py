"""Stored lines with their tokens opened, or moved under a new key; generators over NDJSON.

Only top-level fields ending in `_enc` hold tokens: a sender's own keys of that form were renamed
when they came in. What is not touched keeps its very bytes.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from re import Pattern

import msgspec

from logopsd.errors import TokenError

SUFFIX = "_enc"
"""Ends the name of a field that holds the token of the field named before it."""

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode
_TEXT = msgspec.json.Decoder(str)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file, after its tokens were opened or moved.

    Attributes:
        data: the line, without its line feed.
        done: tokens opened or moved.
        failed: fields whose token no key at hand opens; these stand unchanged.
        malformed: the line is no JSON object, and stands unchanged.
    """

    data: bytes
    done: int = 0
    failed: tuple[str, ...] = ()
    malformed: bool = False


def reveal(
    lines: Iterable[bytes],
    decrypt: Callable[[str], str],
    *,
    fields: Collection[str] | None = None,
    grep: Pattern[str] | None = None,
) -> Iterator[Line]:
    """Put the originals in the place of the masked, and leave out the tokens that were opened.

    Args:
        lines: NDJSON, with or without line feeds.
        decrypt: opens a token (`TokenMaker.decrypt`, `DayTokens.decrypt`); raises TokenError.
        fields: open these only (`msg`, `user_email`); None for all.
        grep: give only lines that match this once opened.
    """
    for line in lines:
        revealed = _each_token(line, fields, decrypt, _put_back)
        if not grep or grep.search(revealed.data.decode("utf-8", "replace")):
            yield revealed


def rekey(lines: Iterable[bytes], rotate: Callable[[str], str]) -> Iterator[Line]:
    """Move every token under the primary key.

    A token that no key opens stays as it is and is told in `failed`: whoever writes the lines back
    decides, and must not let the old key go. Tokens that are under the primary key already do not
    change, so that a rekeying cut short may be done again.

    Args:
        lines: NDJSON, with or without line feeds.
        rotate: gives a token's text a token under the primary key (`TokenMaker.rotate`).
    """
    for line in lines:
        yield _each_token(line, None, rotate, _put_token)


_Record = dict[str, msgspec.Raw]


def _each_token(
    line: bytes,
    fields: Collection[str] | None,
    change: Callable[[str], str],
    put: Callable[[_Record, str, str], None],
) -> Line:
    """Do one thing to every token of a line."""
    data = line.rstrip(b"\r\n")
    try:
        record = _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Line(data, malformed=True)
    done = 0
    failed: list[str] = []
    for key in [key for key in record if key.endswith(SUFFIX)]:
        name = key.removesuffix(SUFFIX)
        if fields is not None and name not in fields:
            continue
        try:
            new = change(_TEXT.decode(record[key]))
        except (TokenError, msgspec.MsgspecError):
            failed.append(name)
            continue
        put(record, name, new)
        done += 1
    return Line(_encode(record) if done else data, done, tuple(failed))


def _put_back(record: _Record, name: str, original: str) -> None:
    """Write an original where its mask stands; what was no text before is none afterwards."""
    del record[name + SUFFIX]
    masked = bytes(record.get(name, b'""'))
    is_text = masked.startswith(b'"')
    record[name] = msgspec.Raw(_encode(original) if is_text else original.encode("utf-8"))


def _put_token(record: _Record, name: str, token: str) -> None:
    record[name + SUFFIX] = msgspec.Raw(_encode(token))
