"""A key a day, kept in files: what `privacy.daykeys` asks of the shell around it."""

import os
import threading
import time
from collections.abc import Callable

from logopsd.errors import PrivacyError, TokenError
from logopsd.keys.files import DayKeyFiles
from logopsd.privacy.daykeys import DayTokens, day_of, rewrap, unwrap, wrap
from logopsd.privacy.tokens import TokenMaker, new_key

AHEAD_SECONDS = 3600.0
"""How long before midnight the next day's key is made: writing it durably may take seconds, and
the event loop should find it made."""


class DayKeys:
    """The day keys of a daemon, or of who opens its tokens.

    Args:
        files: the folder of the key files.
        primary: wraps and opens them; opens tokens of the time before there were day keys.
        clock: seconds since the epoch.

    Attributes:
        tokens: makes tokens under the key of their day, and opens those of any.
    """

    def __init__(
        self, files: DayKeyFiles, primary: TokenMaker, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._files = files
        self._primary = primary
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, str] = {}
        self.tokens = DayTokens(self._key_of_day, random_bytes=os.urandom, others=primary)

    def __repr__(self) -> str:
        return "DayKeys(keys hidden)"

    def keep(self, now: float) -> None:
        """Have the keys of now and of the next hour ready, and none of days past in memory.

        To be called at start, and then each minute, through a thread. A key whose file was
        removed is made anew: it must not make tokens that nobody can open.

        Raises:
            PrivacyError: a key file cannot be read or written; with the mend.
        """
        today = day_of(now)
        wanted = {today, day_of(now + AHEAD_SECONDS)}
        with self._lock:
            for day in list(self._kept):
                if day not in wanted or not self._is_stored(day):
                    del self._kept[day]
                    self.tokens.forget(day)
        for day in sorted(wanted):
            try:
                self._key_of_day(day, True)
            except OSError as error:
                raise PrivacyError(
                    f"the key of {day} cannot be kept in {self._files.directory}: "
                    f"{error.strerror}; mend the folder, or choose another by LOGOPS_KEY_DIR"
                ) from None
            except TokenError:
                raise PrivacyError(
                    f"{self._files.path(day)} does not open with the keys that are set; put the "
                    "former key into LOGOPS_SECRET_KEYS_OLD, or behind the new one in the key file"
                ) from None

    def rewrap(self) -> tuple[int, list[str]]:
        """Wrap every day's key under the primary key of now.

        Returns:
            How many were changed, and the days whose key no key at hand opens; those stay.

        Raises:
            OSError: a file cannot be read or written.
        """
        changed = 0
        failed: list[str] = []
        for day in self._files.days():
            contents = self._files.read(day)
            if contents is None:
                continue
            try:
                new = rewrap(contents, day, self._primary)
            except TokenError:
                failed.append(day)
                continue
            if new.strip() != contents.strip():
                self._files.replace(day, new)
                changed += 1
        return changed, failed

    def rotate(self, token: str) -> str:
        """Give a token's text a token that opens with the primary key of now, or its day's.

        A token under its day's key stays as it is: it is the day's key that is wrapped anew.

        Raises:
            TokenError: no key at hand opens it.
        """
        try:
            return self._primary.rotate(token)
        except TokenError:
            self.tokens.decrypt(token)
            return token

    def _is_stored(self, day: str) -> bool:
        return os.path.lexists(self._files.path(day))

    def _key_of_day(self, day: str, make: bool) -> str:
        with self._lock:
            key = self._kept.get(day)
            if key is not None:
                return key
            contents = self._files.read(day)
            if contents is None and make:
                contents = wrap(new_key(os.urandom), day, self._primary, self._clock())
                if not self._files.create(day, contents):
                    contents = self._files.read(day)
            if contents is None:
                raise TokenError(f"the key of {day} is gone")
            key = unwrap(contents, day, self._primary)
            if make:  # who only opens keeps none, so that a deleted key is gone at once
                self._kept[day] = key
            return key
