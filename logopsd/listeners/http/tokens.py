"""Who may send: bearer tokens out of a file (RFC 6750), read again when it changes.

Tokens are kept as their SHA-256 and compared in constant time; neither they nor what a client
sent in their place is ever logged.
"""

import hashlib
import hmac
import os
import re
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from structlog.typing import FilteringBoundLogger

from logopsd.errors import SettingsError
from logopsd.listeners.http.messages import Request, Response, error_response

LOOK_SECONDS = 1.0
"""How often it is looked whether the file has changed; a look costs a system call."""

MAX_FILE_BYTES = 1024 * 1024
"""Some 16,000 tokens. A longer file is another one, named by mistake."""

MIN_TOKEN_CHARS = 16
"""A shorter token can be guessed; `openssl rand -hex 32` gives 64."""

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)  # RFC 6750 section 2.1, b64token
_SCHEME = "bearer "

Stat = tuple[int, int, int]


class TokenFile:
    """The tokens, and the check of a request.

    Args:
        path: one token a line; blank lines and those that begin with `#` are passed over.
        log: told when the file was read again, or could not be.
        clock: seconds, monotonic.

    Raises:
        SettingsError: the file cannot be used; names the mend.
    """

    def __init__(
        self, path: Path, log: FilteringBoundLogger, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self._path = path
        self._log = log
        self._clock = clock
        self._stat = self._look()
        self._digests = _digests_of(self._read())
        self._next_look = clock() + LOOK_SECONDS

    def check(self, request: Request) -> Response | None:
        """Refuse a request that brings none of the tokens; None where it brings one."""
        self._refresh()
        header = request.header(b"authorization")
        if header[: len(_SCHEME)].lower() != _SCHEME:
            return _unauthorized("send the header `Authorization: Bearer TOKEN`", "")
        digest = hashlib.sha256(header[len(_SCHEME) :].strip().encode("latin-1")).digest()
        # All of them, whichever it is: the time tells nothing.
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        return None if any(matches) else _unauthorized("the token is not known", "invalid_token")

    def _refresh(self) -> None:
        """Read the file again where it has changed; what cannot be used changes nothing."""
        now = self._clock()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        stat = self._look()
        if stat == self._stat:
            return
        self._stat = stat
        try:
            self._digests = _digests_of(self._read())
        except SettingsError as error:
            self._log.warning("tokens kept as they were", problem=str(error))
        else:
            self._log.info("tokens read again", tokens=len(self._digests))

    def _look(self) -> Stat | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> str:
        try:
            with self._path.open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise _unusable(
                f"{self._path}: {error.strerror}; name a file that can be read"
            ) from None
        if len(data) > MAX_FILE_BYTES:
            raise _unusable(f"{self._path} is longer than {MAX_FILE_BYTES} bytes")
        return data.decode("latin-1")


def _digests_of(text: str) -> list[bytes]:
    digests = []
    for number, line in enumerate(text.splitlines(), 1):
        token = line.strip()
        if not token or token.startswith("#"):
            continue
        if not _TOKEN.fullmatch(token) or len(token) < MIN_TOKEN_CHARS:
            raise _unusable(
                f"line {number} is no token: {MIN_TOKEN_CHARS} or more of letters, digits and "
                "-._~+/, as `openssl rand -hex 32` gives"
            )
        digests.append(hashlib.sha256(token.encode("ascii")).digest())
    if not digests:
        raise _unusable("the file holds no token; `openssl rand -hex 32` gives one")
    return digests


def _unusable(problem: str) -> SettingsError:
    return SettingsError([f"LOGOPS_HTTP_TOKENS_FILE: {problem}"])


def _unauthorized(detail: str, error: str) -> Response:
    challenge = 'Bearer realm="logopsd"'
    if error:
        challenge += f', error="{error}"'
    return error_response(401, detail, headers=(("WWW-Authenticate", challenge),))
