"""Another receiver as the target: NDJSON over HTTP, answered once it is stored."""

import contextlib
import http.client
import json
import ssl
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import Any, Final

from logopsd.commands.replay.batches import growing
from logopsd.commands.replay.targets import Sent
from logopsd.errors import LogopsError

PATH: Final = "/v1/logs"
"""Where a URL names none."""

TIMEOUT_SECONDS: Final = 30.0
"""For an answer: a receiver whose disk is slow answers when it has written."""

PATIENCE_SECONDS: Final = 120.0
"""How long a batch is tried: time enough to restart a receiver, or to free its disk."""

FIRST_PAUSE_SECONDS: Final = 0.2
MAX_PAUSE_SECONDS: Final = 5.0

IDLE_SECONDS: Final = 20.0
"""A connection that lay idle for longer is made anew: the other side may have closed it."""

MAX_ANSWER_BYTES: Final = 64 * 1024
"""An answer has some hundred bytes."""

MAX_RETRY_AFTER_SECONDS: Final = 60.0
"""Longer is not slept on the word of a receiver."""

_LATER: Final = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
"""What is answered by who may take the same another time."""


class HttpTarget:
    """Posts lines to a receiver, and posts them again where it cannot take them now.

    Args:
        url: `http://host:8080`; with a path where it is another than PATH.
        token: for the header Authorization; empty for none.
        clock: seconds, of a clock that never steps.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self.sent = Sent()
        parts = urllib.parse.urlsplit(url)
        self._path = parts.path if parts.path.strip("/") else PATH
        self._name = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._connection = _connection(parts)
        self._headers = {"Content-Type": "application/x-ndjson"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._clock = clock
        self._sleep = sleep
        self._used_at = clock()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def send(self, lines: Sequence[bytes]) -> None:
        """Post lines until they are answered as stored."""
        body = b"".join(lines)
        pauses = growing(FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS)
        deadline = self._clock() + PATIENCE_SECONDS
        while True:
            problem, pause = self._attempt(body, len(lines), pauses)
            if problem is None:
                return
            if self._clock() + pause > deadline:
                raise LogopsError(f"{self._name} took nothing in {PATIENCE_SECONDS:g} s: {problem}")
            self._sleep(pause)

    def _attempt(
        self, body: bytes, count: int, pauses: Iterator[float]
    ) -> tuple[str | None, float]:
        """Post once; returns what is in the way, None for nothing, and how long to wait."""
        if self._clock() - self._used_at > IDLE_SECONDS:
            self._connection.close()
        try:
            if self._connection.sock is None:
                self._connection.connect()
        except OSError as error:
            self._connection.close()
            return _reason(error), next(pauses)
        try:
            answer, told = self._post(body)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            self.sent.perhaps_twice += count
            return _reason(error), next(pauses)
        self._used_at = self._clock()
        if answer.status in _LATER:
            return f"it answers {answer.status}", _retry_after(answer) or next(pauses)
        self._count(answer.status, told, count)
        return None, 0.0

    def _post(self, body: bytes) -> tuple[http.client.HTTPResponse, dict[str, Any]]:
        self._connection.request("POST", self._path, body, self._headers)
        answer = self._connection.getresponse()
        text = answer.read(MAX_ANSWER_BYTES)
        if not answer.isclosed():  # more than any receiver says
            self._connection.close()
        with contextlib.suppress(ValueError):
            told = json.loads(text)
            if isinstance(told, dict):
                return answer, told
        return answer, {}

    def _count(self, status: int, told: dict[str, Any], count: int) -> None:
        rejected = _number(told, "rejected") + _number(told, "suppressed")
        good = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
        if not good and not (status == HTTPStatus.BAD_REQUEST and rejected):
            detail = ascii(str(told.get("detail", "")))[1:-1]
            raise LogopsError(f"{self._name} answers {status}{f': {detail}' if detail else ''}")
        self.sent.rejected += rejected
        self.sent.taken += _number(told, "accepted") if "accepted" in told else count - rejected


def _connection(parts: urllib.parse.SplitResult) -> http.client.HTTPConnection:
    assert parts.hostname is not None
    if parts.scheme == "https":
        return http.client.HTTPSConnection(
            parts.hostname,
            parts.port,
            timeout=TIMEOUT_SECONDS,
            context=ssl.create_default_context(),
        )
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)


def _retry_after(answer: http.client.HTTPResponse) -> float:
    """The seconds of Retry-After (RFC 9110 section 10.2.3); 0 where it says none, or a date."""
    text = answer.getheader("Retry-After") or ""
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return min(float(text), MAX_RETRY_AFTER_SECONDS)
    return 0.0


def _number(told: dict[str, Any], name: str) -> int:
    value = told.get(name, 0)
    return value if type(value) is int and value >= 0 else 0


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
