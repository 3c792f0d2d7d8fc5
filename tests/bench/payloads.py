"""Prebuilt bytes for the benchmark: what senders write, a third of it with personal data."""

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

LINES = 20_000  # distinct lines in a buffer: 3 to 4 MiB, larger than any processor's L2 cache
LINES_A_SECOND = 500  # how fast the time in their stamps moves on
RFC3164_BYTES = 158  # a line with its LF
RFC5424_BYTES = 200  # a message without its count
BATCH = 500  # records a request

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FILLER = (
    "and the quick brown fox went over the lazy dog again while nobody was looking at it at all "
)


class Payload(NamedTuple):
    """Bytes that can be sent again and again, and how many records each part of them holds."""

    parts: list[bytes]
    records: int


def texts() -> Iterator[str]:
    """Yield messages without end; each third one holds a mail address, an IPv4 address or both."""
    for n in itertools.count():
        yield (
            f"session {n} opened for user root by (uid=0)",
            f"worker {n % 64} finished job {n * 7919 % 100003} in {n % 977} ms",
            (
                f"Failed password for user{n % 300}@example.com from 203.0.113.{n % 250 + 1}",
                f"connection from 83.11.{n % 250}.{n % 199 + 1} port {1024 + n % 60000} refused",
                f"mail to first.last{n % 300}@mail.example.org queued as {n:08X}",
            )[n // 3 % 3],
        )[n % 3]


def stamps() -> Iterator[datetime]:
    """Yield the times of the lines: LINES_A_SECOND share one second."""
    start = datetime.now(UTC).replace(microsecond=0)
    for n in itertools.count():
        yield start + timedelta(seconds=n // LINES_A_SECOND)


def _padded(text: str, size: int) -> bytes:
    return (text + " " + FILLER * (size // len(FILLER) + 1))[:size].encode()


def rfc3164(size: int = RFC3164_BYTES) -> Payload:
    """Lines of RFC 3164 of a size in bytes, LF behind each and counted in."""
    made = []
    for n, (at, text) in enumerate(zip(stamps(), texts(), strict=False)):
        if n == LINES:
            break
        when = f"{MONTHS[at.month - 1]} {at.day:2} {at:%H:%M:%S}"
        head = f"<{n % 24 * 8 + n % 8}>{when} host{n % 20} app{n % 30}[{n % 32768}]: "
        made.append(_padded(head + text, size - 1) + b"\n")
    return _joined(made)


def rfc5424() -> Payload:
    """Messages of RFC 5424 with structured data, octet-counted."""
    return _joined([b"%d %s" % (len(message), message) for message in _rfc5424_messages()])


def datagrams() -> list[bytes]:
    """Return messages of RFC 5424 as they stand in datagrams."""
    return list(_rfc5424_messages())


def _rfc5424_messages() -> Iterator[bytes]:
    for n, (at, text) in enumerate(zip(stamps(), texts(), strict=False)):
        if n == LINES:
            return
        when = f"{at:%Y-%m-%dT%H:%M:%S}.{n % 1000:03}Z"
        head = f"<{n % 24 * 8 + n % 8}>1 {when} host{n % 20} app{n % 30} {n % 32768} ID{n % 99}"
        yield _padded(f'{head} [meta sequenceId="{n + 1}"] {text}', RFC5424_BYTES)


def mix() -> Payload:
    """Lines of nginx, sshd, the kernel and JSON in syslog, and JSON alone; LF behind each."""
    made = []
    for n, (at, text) in enumerate(zip(stamps(), texts(), strict=False)):
        if n == LINES:
            break
        made.append(_mixed(n, at, text).encode() + b"\n")
    return _joined(made)


def _mixed(n: int, at: datetime, text: str) -> str:
    syslog = f"{MONTHS[at.month - 1]} {at.day:2} {at:%H:%M:%S} host{n % 20}"
    ip, pid = f"83.11.{n % 250}.{n % 199 + 1}", n % 32768
    shapes: tuple[Callable[[], str], ...] = (
        lambda: (
            f'<190>{syslog} nginx: {ip} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET /p/{n} HTTP/1.1" '
            f'200 {n % 9999} "-" "Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0"'
        ),
        lambda: f"<86>{syslog} sshd[{pid}]: {text}",
        lambda: f"<4>{syslog} kernel: [{n}.{n % 1000000:06}] usb 1-1: new device number {n % 99}",
        lambda: f"<30>1 {at:%Y-%m-%dT%H:%M:%S}Z host{n % 20} app {pid} - - {text}",
        lambda: json.dumps({"timestamp": at.isoformat(), "level": "warning", "msg": text, "n": n}),
        lambda: f"{at:%Y-%m-%d %H:%M:%S},{n % 1000:03} ERROR shop.orders: {text}",
    )
    return shapes[n // 3 % len(shapes)]()


def documents(batch: int) -> list[bytes]:
    """Return bodies of application/json with `batch` records each."""
    records = [
        {
            "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}Z",
            "level": ("info", "warn", "error")[n % 3],
            "msg": text,
            "service": f"app{n % 30}",
            "duration_ms": n % 977,
        }
        for n, at, text in zip(range(LINES), stamps(), texts(), strict=False)
    ]
    if batch == 1:
        return [json.dumps(record).encode() for record in records]
    starts = range(0, LINES, batch)
    return [json.dumps(records[start : start + batch]).encode() for start in starts]


def _joined(lines: list[bytes]) -> Payload:
    """Join lines to parts of some 250 lines: a send of a busy relay, and small to count by."""
    size = 250
    parts = [b"".join(lines[start : start + size]) for start in range(0, len(lines), size)]
    return Payload(parts, size)
