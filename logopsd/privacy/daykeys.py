"""A key of its own for each UTC day, so that a day can be forgotten (crypto-shredding).

The day's data key is random. It is stored wrapped by the primary key, in a small file of its own;
deleting that file makes every token of the day unreadable, wherever the lines were copied to, as
the primary key alone opens none of them. Rotating the primary key wraps the few day keys anew and
leaves the tokens as they are.

This module is pure: whoever holds the files hands their contents in, and stores what `wrap` gives
*before* the first token is made under a new day's key.
"""

import datetime
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Sequence

from logopsd.errors import TokenError
from logopsd.patterns import lazy_pattern
from logopsd.privacy.tokens import TokenMaker, check_key

_LABEL = "logopsd day key"
"""Begins what is wrapped, with the day: a key file renamed to another day is refused."""

_DAY = lazy_pattern(r"\d{8}", re.ASCII)

_TIME_BYTES = slice(1, 9)
"""Where a token bears its time: seconds since the epoch, big-endian (Fernet specification)."""


def day_of(now: float) -> str:
    """Give the UTC day of a time in seconds since the epoch, as YYYYMMDD."""
    return datetime.datetime.fromtimestamp(now, datetime.UTC).strftime("%Y%m%d")


def day_of_token(token: str) -> str:
    """Give the UTC day on which a token was made; it can be read without the key.

    Raises:
        TokenError: it is no token.
    """
    try:
        # 12 characters hold the version and the time.
        head = urlsafe_b64decode(token[:12].encode("ascii"))
        if len(head) != 9 or head[0] != 0x80:
            raise ValueError("no version")
        return day_of(int.from_bytes(head[_TIME_BYTES], "big"))
    except (ValueError, OverflowError, OSError):
        raise TokenError("this is no token") from None


def wrap(key: str, day: str, primary: TokenMaker, now: float) -> bytes:
    """Give the contents of a day's key file: its key, encrypted under the primary key.

    Args:
        key: a Fernet key (`new_key`).
        day: the UTC day it is for, YYYYMMDD.
        primary: of the daemon's keys.
        now: seconds since the epoch.

    Raises:
        PrivacyError: the key is none.
        ValueError: the day is none.
    """
    check_key(key)
    if not _DAY.fullmatch(day):
        raise ValueError(f"{day!r} is no day")
    return f"{primary.encrypt_one(f'{_LABEL} {day} {key}', now)}\n".encode("ascii")


def unwrap(contents: bytes, day: str, primary: TokenMaker) -> str:
    """Read a day's key out of its file.

    Args:
        contents: of the file.
        day: the UTC day the file is named for, YYYYMMDD.
        primary: of the daemon's keys; old ones open it too.

    Raises:
        TokenError: no key at hand opens it, it was altered, or it is of another day.
    """
    label, _, key = primary.decrypt(_token_in(contents)).rpartition(" ")
    if label != f"{_LABEL} {day}":
        raise TokenError(f"this key file is not the one of {day}")
    return key


def rewrap(contents: bytes, day: str, primary: TokenMaker) -> bytes:
    """Wrap a day's key under the primary key of now; all that a rotation has to do.

    Raises:
        TokenError: as for `unwrap`.
    """
    unwrap(contents, day, primary)
    return f"{primary.rotate(_token_in(contents))}\n".encode("ascii")


def _token_in(contents: bytes) -> str:
    return contents.strip().decode("ascii", "replace")


class DayTokens:
    """Makes tokens under the key of their day, and opens those of any day whose key is left.

    Args:
        key_of_day: gives the key of a UTC day (YYYYMMDD). Asked to make one (`True`) it must have
            stored it before it returns; asked not to, it raises TokenError where there is none.
        random_bytes: gives so many bytes of the kernel's generator (`os.urandom`).
        others: opens what was encrypted before there were day keys; None for nothing.
    """

    __slots__ = ("_key_of_day", "_makers", "_others", "_random_bytes")

    def __init__(
        self,
        key_of_day: Callable[[str, bool], str],
        *,
        random_bytes: Callable[[int], bytes],
        others: TokenMaker | None = None,
    ) -> None:
        self._key_of_day = key_of_day
        self._random_bytes = random_bytes
        self._others = others
        self._makers: dict[str, TokenMaker] = {}

    def __repr__(self) -> str:
        return "DayTokens(keys hidden)"

    def encrypt_many(self, texts: Sequence[str], now: float) -> list[str]:
        """Encrypt texts under the key of the day that `now` falls on; see `TokenMaker`."""
        return self._maker(day_of(now), make=True).encrypt_many(texts, now)

    def decrypt(self, token: str) -> str:
        """Open a token by the key of the day it was made on.

        Raises:
            TokenError: the day's key is gone, none opens it, or it was altered.
        """
        try:
            return self._maker(day_of_token(token), make=False).decrypt(token)
        except TokenError:
            if not self._others:
                raise
        return self._others.decrypt(token)

    def forget(self, day: str) -> None:
        """Drop a day's key from memory, once its file is deleted."""
        self._makers.pop(day, None)

    def _maker(self, day: str, *, make: bool) -> TokenMaker:
        maker = self._makers.get(day)
        if not maker:
            if len(self._makers) >= KEPT_DAYS:
                self._makers.clear()
            key = self._key_of_day(day, make)
            maker = self._makers[day] = TokenMaker([key], random_bytes=self._random_bytes)
        return maker


KEPT_DAYS = 8
"""Days whose cipher is kept ready: a daemon writes one or two, a reader goes day by day."""
