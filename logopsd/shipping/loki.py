"""Pushes ranges to Loki by its JSON API, `POST /loki/api/v1/push`.

Loki refuses records for what they are, mostly for their time, with a 400 that leaves the others of
the push taken: the same push may be made again, as Loki keeps one of equal entries. So a refused
push is made again with times that Loki takes, and then in halves, until those that it will not
take stand alone; they are skipped and counted.
"""

import asyncio
import base64
import gzip
import http.client
import ssl
import time
from collections.abc import Callable
from typing import Final

from logopsd.bus.login import Login
from logopsd.errors import RemoteError
from logopsd.shipping.address import LokiAddress
from logopsd.shipping.cut import Cut
from logopsd.shipping.loki_entries import Entry, body, entry_of, restamped
from logopsd.shipping.target import Sent

TIMEOUT_SECONDS: Final = 15.0
"""For a connection, and for an answer; Loki's own limit for a push is 10 s by default."""

MAX_REPLY_BYTES: Final = 16 * 1024
"""Read of an answer; more says nothing new."""

MAX_PUSHES: Final = 64
"""For one range that is refused: with 9 halvings each, some 7 refused records are found alone; what
is left then is skipped in larger pieces, as shipping must not stand still."""

LONGEST_RETRY_SECONDS: Final = 300.0
"""Of a Retry-After that is believed."""


class _Reply(Exception):  # noqa: N818  # it is an answer, which halving asks for
    """Loki refuses what was pushed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Loki:
    """The target of `loki+http://` and `loki+https://`.

    Args:
        address: where it is.
        login: a user with its password, or a bearer token.
        tenant: sent as X-Scope-OrgID; empty for none.
        clock: seconds since the epoch.
    """

    kind = "loki"

    def __init__(
        self,
        address: LokiAddress,
        login: Login,
        *,
        tenant: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._address = address
        self._clock = clock
        self._headers = _headers(login, tenant)
        self._tls: ssl.SSLContext | None = login.tls_context() if address.tls else None
        self._connection: http.client.HTTPConnection | None = None
        self._pushes = 0

    async def send(self, cut: Cut, source: str) -> Sent:
        """See `Target.send`."""
        return await asyncio.to_thread(self._send, cut)

    async def close(self) -> None:
        """Let go of the connection."""
        self._hang_up()

    def _send(self, cut: Cut) -> Sent:
        now = int(self._clock() * 1e9)
        entries = [entry_of(line, now) for line in cut.data.split(b"\n") if line]
        self._pushes = 0
        skipped: dict[str, int] = {}
        try:
            self._push(entries)
        except _Reply as refused:
            again = list(restamped(entries, now, refused.text))
            skipped = self._push_in_parts(again)
        return Sent(
            records=len(entries) - sum(skipped.values()), publishes=self._pushes, skipped=skipped
        )

    def _push_in_parts(self, entries: list[Entry]) -> dict[str, int]:
        """Push what was refused in ever smaller parts; what is skipped, by reason."""
        skipped: dict[str, int] = {}
        parts = [entries]
        while parts:
            part = parts.pop()
            try:
                self._push(part)
            except _Reply as refused:
                if len(part) == 1 or self._pushes >= MAX_PUSHES:
                    reason = _reason(refused.text)
                    skipped[reason] = skipped.get(reason, 0) + len(part)
                else:
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]  # the earlier one goes first
        return skipped

    def _push(self, entries: list[Entry]) -> None:
        """Make one push.

        Raises:
            _Reply: it is refused for what it holds.
            RemoteError: it is not taken now.
        """
        if not entries:
            return
        self._pushes += 1
        status, retry_after, text = self._post(gzip.compress(body(entries), compresslevel=3))
        if status in (200, 204):
            return
        if status == 400:
            raise _Reply(text)
        raise self._explained(status, retry_after)

    def _post(self, data: bytes) -> tuple[int, str, str]:
        try:
            if self._connection is None:
                self._connection = self._connected()
            self._connection.request("POST", self._address.path, data, self._headers)
            answer = self._connection.getresponse()
            text = answer.read(MAX_REPLY_BYTES + 1)
            if len(text) > MAX_REPLY_BYTES or answer.will_close:
                self._hang_up()
            return (
                answer.status,
                answer.headers.get("Retry-After", ""),
                text.decode(errors="replace"),
            )
        except (OSError, http.client.HTTPException) as error:
            self._hang_up()
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise RemoteError(
                f"{self._address} cannot be reached ({reason}); is it running?", passing=True
            ) from None

    def _connected(self) -> http.client.HTTPConnection:
        host, port = self._address.host, self._address.port
        if self._tls is None:
            return http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=self._tls)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _explained(self, status: int, retry_after: str) -> RemoteError:
        where = str(self._address)
        if status in (401, 403):
            return RemoteError(
                f"{where} refuses our login ({status}); check LOGOPS_SHIP_USER with "
                "LOGOPS_SHIP_PASSWORD_FILE, LOGOPS_SHIP_TOKEN_FILE and LOGOPS_SHIP_TENANT",
                passing=False,
            )
        if status == 429 or status >= 500:
            return RemoteError(
                f"{where} takes no more at present ({status})",
                passing=True,
                after=_seconds(retry_after),
            )
        if status == 260:
            return RemoteError(f"{where} blocks ingestion (260) for this tenant", passing=True)
        return RemoteError(
            f"{where} does not take pushes ({status}); is {self._address.path} its push API?",
            passing=False,
        )


def _headers(login: Login, tenant: str) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    if login.user:
        both = base64.b64encode(f"{login.user}:{login.password}".encode()).decode()
        headers["Authorization"] = f"Basic {both}"
    elif login.token:
        headers["Authorization"] = f"Bearer {login.token}"
    if tenant:
        headers["X-Scope-OrgID"] = tenant
    return headers


def _reason(text: str) -> str:
    """Why Loki refuses, of SKIP_REASONS; its text may quote a label, and is not shown."""
    if "too old" in text or "too far behind" in text or "out of order" in text:
        return "too_old"
    return "too_large" if "max_line_size" in text or "Max entry size" in text else "refused"


def _seconds(retry_after: str) -> float:
    """Seconds of a Retry-After; a date is not taken, as our clock may differ."""
    return min(float(retry_after), LONGEST_RETRY_SECONDS) if retry_after.isdecimal() else 0.0
