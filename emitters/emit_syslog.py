"""Send syslog lines of RFC 3164 and RFC 5424, some of them poor: over UDP, TCP or HTTP."""

import argparse
import os
import random
import socket
import sys
import urllib.parse
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

if not __package__:  # run as a file: make the folder above it importable
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from emitters import common

PROG = "emit_syslog"
DEFAULT_TO = "udp://127.0.0.1:5514"
FACILITIES = (0, 1, 3, 4, 10, 16, 23)  # kern user daemon auth authpriv local0 local7
SEVERITIES = (2, 3, 4, 5, 6, 6, 6, 7)
APPS = ("sshd", "postfix/smtpd", "cron", "nginx", "myapp")
HOSTS = ("web-1", "db2.example.org", "router")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
GOODBYE_SECONDS = 2.0  # how long a TCP peer may take to read what is left before we hang up


class Target(NamedTuple):
    """Where to send to: `scheme` is `udp` or `tcp`, `octet` whether messages are counted."""

    scheme: str
    host: str
    port: int
    octet: bool
    text: str


def target(text: str) -> Target:
    """Read `udp://host:port` or `tcp://host:port[?framing=octet]` (an argparse type)."""
    parts = urllib.parse.urlsplit(text)
    query = urllib.parse.parse_qs(parts.query)
    framing = query.pop("framing", ["lf"])[-1]
    if parts.scheme not in ("udp", "tcp") or not parts.hostname or not parts.port:
        raise argparse.ArgumentTypeError("want udp://host:port or tcp://host:port[?framing=octet]")
    if query or framing not in ("lf", "octet") or (framing == "octet" and parts.scheme == "udp"):
        raise argparse.ArgumentTypeError("the only option is ?framing=octet or lf, and for tcp")
    return Target(parts.scheme, parts.hostname, parts.port, framing == "octet", text)


# --- lines ----------------------------------------------------------------------------------


def line(rng: random.Random, partial_ratio: float) -> str:
    """Return a syslog line of either form; with the chance `partial_ratio` a poor one."""
    form = rng.choice((_rfc3164, _rfc5424))
    return form(rng, poor=rng.random() < partial_ratio)


def _priority(rng: random.Random) -> int:
    return rng.choice(FACILITIES) * 8 + rng.choice(SEVERITIES)


def _rfc3164(rng: random.Random, *, poor: bool) -> str:
    """RFC 3164 section 4.1; a poor line lacks PRI, stamp, host or all of them."""
    now = datetime.now()  # noqa: DTZ005 - the stamp of RFC 3164 is the local time, without a zone
    pri, stamp = f"<{_priority(rng)}>", f"{MONTHS[now.month - 1]} {now.day:2} {now:%H:%M:%S}"
    host, app, pid = rng.choice(HOSTS), rng.choice(APPS), rng.randint(1, 32768)
    text, shape = common.message(rng), rng.randrange(4)
    if not poor:
        return f"{pri}{stamp} {host} {app}[{pid}]: {text}"
    poor_shapes = (
        f"{stamp} {host} {app}[{pid}]: {text}",
        f"{pri}{stamp} {app}[{pid}]: {text}",
        f"{pri}{app}: {text}",
        text,
    )
    return poor_shapes[shape]


def _rfc5424(rng: random.Random, *, poor: bool) -> str:
    """RFC 5424 section 6; a poor line has NILVALUE for its stamp and its names."""
    pri, host, app = _priority(rng), rng.choice(HOSTS), rng.choice(APPS).replace("/", "-")
    pid, msgid, text = rng.randint(1, 32768), f"ID{rng.randint(1, 99)}", common.message(rng)
    sd = f'[user@32473 mail="{common.email(rng)}" note="a \\"quoted\\" \\] bracket"]'
    if poor:
        return f"<{pri}>1 - - - - - - {text}"
    return f"<{pri}>1 {common.stamp()} {host} {app} {pid} {msgid} {sd} {text}"


# --- sending --------------------------------------------------------------------------------


def send_all(args: argparse.Namespace, make: Callable[[], str]) -> None:
    """Send `args.n` lines to `args.to`, and print how many went out.

    Raises:
        EmitterError: nobody is there, or the peer closed the connection.
    """
    to: Target = args.to
    sent = 0
    try:
        with _connect(to) as peer:
            try:
                for size in common.paced(args.n, 1, args.rate):
                    peer.sendall(_framed(make().encode(), to))
                    sent += size
            except KeyboardInterrupt:  # the ordinary end of -n 0
                pass
            _say_goodbye(peer, to)
    except OSError as error:
        raise common.unreachable(to.text, error, option="--to") from error
    print(f"sent: {sent} lines to {to.text}", flush=True)


def _connect(to: Target) -> socket.socket:
    """Return a connected socket; a UDP one is connected too, to hear that nobody listens."""
    if to.scheme == "tcp":
        return socket.create_connection((to.host, to.port), timeout=common.TIMEOUT_SECONDS)
    family, kind, protocol, _, address = socket.getaddrinfo(
        to.host, to.port, type=socket.SOCK_DGRAM
    )[0]
    peer = socket.socket(family, kind, protocol)
    try:
        peer.connect(address)
    except OSError:
        peer.close()
        raise
    return peer


def _framed(message: bytes, to: Target) -> bytes:
    """Return the message as RFC 6587 section 3.4 frames it, or bare for a datagram.

    What is counted is a syslog message, and that begins with its PRI; a receiver takes a number
    before anything else for text. So a line without PRI goes out as a line, in either framing.
    """
    if to.scheme == "udp":
        return message
    if to.octet and message.startswith(b"<"):
        return b"%d %s" % (len(message), message)
    return message + b"\n"


def _say_goodbye(peer: socket.socket, to: Target) -> None:
    """Wait until the TCP peer has read it all; ask the UDP socket whether it was refused."""
    if to.scheme == "udp":
        error = peer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
        return
    peer.shutdown(socket.SHUT_WR)
    peer.settimeout(GOODBYE_SECONDS)
    try:
        while peer.recv(4096):
            pass
    except TimeoutError:
        pass


def main(argv: Sequence[str] | None = None) -> None:
    """Read the options, send, and exit with the status."""
    parser = common.options(PROG, __doc__ or "", f"{PROG} -n 100 --to tcp://127.0.0.1:5514")
    common.add_partial_ratio(parser, "lines that lack a part of their header, or all of it")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--to",
        type=target,
        default=DEFAULT_TO,
        metavar="ADDRESS",
        help="udp://host:port or tcp://host:port[?framing=octet] (default: %(default)s)",
    )
    where.add_argument(
        "--url", type=common.http_url, metavar="URL", help="POST the lines there as text/plain"
    )
    common.add_batch(parser)
    args = parser.parse_args(argv)
    rng = random.Random(args.seed)

    def make() -> str:
        return line(rng, args.partial_ratio)

    def work() -> None:
        if args.url:
            common.post_all(args, make, lambda lines: "\n".join(lines).encode(), "text/plain")
        else:
            send_all(args, make)

    common.run(PROG, work)


if __name__ == "__main__":
    main()
