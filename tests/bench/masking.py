"""What masking and encryption cost, in microseconds a record: `python -m tests.bench.masking`.

All figures come from one run, so that their ratios hold on any machine.
"""

import os
import time
from collections.abc import Callable

from cryptography.fernet import Fernet

from logopsd.privacy.detectors import DEFAULT
from logopsd.privacy.stage import PrivacyStage
from logopsd.privacy.tokens import TokenMaker, new_key
from logopsd.records import Batch, Record

LINES = 1000
LENGTH = 160
REPEATS = 15
TEMPLATES = (
    "Accepted publickey for deploy from 83.11.{b}.{c} port 52{n:04d} ssh2: RSA SHA256:Qx7vY0kq0m8 "
    "session opened pid={n} elapsed=0.{n:04d}s worker-{b} status=ok ",
    '"GET /api/v1/items/{n}?page=3 HTTP/1.1" 200 5{n} "https://shop.example.com/cart" "Mozilla/5.0 '
    '(X11; Linux x86_64) AppleWebKit/537.36" rt=0.0{c} ',
    "connection from user{n}@mail.example.com closed, 12 messages sent in 4.{b} s, queue id "
    "4X{n:05d} relay=smtp.example.net:25 delay=0.3 dsn=2.0.0 stat=Sent ",
    "[12345.{n:06d}] usb 1-1.2: new high-speed USB device number {b} using xhci_hcd bus=3 port=4 "
    "vendor=0x1d6b product=0x0003 serial 0000:00:14.0 ",
    "caller=compact.go:519 component=tsdb write block mint=17324{n:08d} maxt=1732410000000 "
    "duration=312.4ms shard={b} at 2026-11-23T16:55:01.123Z ",
    "Started Session {n} of User root. unit=session-{n}.scope slice=user-0.slice memory=12.5M "
    "cpu=0.31s tasks=4 restart=0 watchdog=0 result=success ",
)
"""Six kinds of lines; the first holds an IPv4 address and the third a mail address."""


def messages() -> list[str]:
    """Make LINES messages of LENGTH characters, a third of them with one address."""
    made = (
        TEMPLATES[n % len(TEMPLATES)].format(n=n, b=n % 250 + 1, c=n * 7 % 250 + 1)
        for n in range(LINES)
    )
    return [line.ljust(LENGTH, "x")[:LENGTH] for line in made]


def batch(texts: list[str]) -> Batch:
    """Make a batch as the parser of syslog lines does."""
    now = "2026-11-23T12:00:00.000Z"
    records = [
        Record(
            ts=now,
            level="INFO",
            msg=text,
            emitter="sshd",
            host="web1",
            app="sshd",
            procid=str(place % 700),
            input="tcp",
        )
        for place, text in enumerate(texts)
    ]
    return Batch(input="tcp", now=1_790_000_000.0, received=now, records=records)


def cost(work: Callable[[Batch], object], texts: list[str]) -> float:
    """Give the least CPU time a record, in microseconds; making the batch does not count."""
    best = float("inf")
    for _ in range(REPEATS):
        made = batch(texts)
        begin = time.process_time()
        work(made)
        best = min(best, time.process_time() - begin)
    return best / len(texts) * 1e6


def main() -> None:
    """Print the table."""
    texts = messages()
    hundred = [text[:100] for text in texts]
    key = new_key(os.urandom)
    tokens = TokenMaker([key], random_bytes=os.urandom)
    fernet = Fernet(key)
    two = ["email", "ipv4"]
    figures = {
        "masking, email and ipv4": cost(PrivacyStage(detectors=two).apply, texts),
        "masking, default set": cost(PrivacyStage().apply, texts),
        "masking, default set, and encryption": cost(PrivacyStage(tokens=tokens).apply, texts),
        "encryption alone, 160 bytes": cost(lambda _: tokens.encrypt_many(texts, 1e9), texts),
        "encryption alone, 100 bytes": cost(lambda _: tokens.encrypt_many(hundred, 1e9), texts),
        "Fernet.encrypt one by one, 100 bytes": cost(
            lambda _: [fernet.encrypt(text.encode()) for text in hundred], texts
        ),
    }
    base = figures["Fernet.encrypt one by one, 100 bytes"]
    print(f"{LINES} records of {LENGTH} characters; default set: {', '.join(DEFAULT)}")
    for name, value in figures.items():
        print(f"{name:40} {value:6.2f} us  {1e6 / value:10,.0f} records/s  {base / value:5.1f}x")


if __name__ == "__main__":
    main()
