"""What the emitters share: their options, plausible people and addresses, sending, and the end.

The people are invented, their mail domains are those of RFC 2606 and their addresses those of
RFC 5737: what a receiver has to mask is there to be seen, and belongs to nobody.
"""

import argparse
import http.client
import json
import os
import random
import signal
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from types import FrameType
from typing import Any, NoReturn

DEFAULT_URL = "http://127.0.0.1:8080/v1/logs"
DEFAULT_COUNT = 10
DEFAULT_BATCH = 500  # records a request: some 100 KiB, far below the body limit of any receiver
TIMEOUT_SECONDS = 30.0  # a receiver answers when it has stored; a busy disk may take its time

PEOPLE = ("anna.kowalska", "j.smith", "maria+news", "o.neill", "liu.wei", "zoe_b", "m.dupont")
MAIL_DOMAINS = ("example.com", "example.org", "mail.example.net")
NETWORKS = ("192.0.2", "198.51.100", "203.0.113")
LEVELS = ("DEBUG", "INFO", "INFO", "INFO", "WARN", "ERROR")


class EmitterError(Exception):
    """Sending failed; the text is one line that says what to do."""


# --- what is in the records -----------------------------------------------------------------


def email(rng: random.Random) -> str:
    """Return a made-up mail address in a domain reserved for examples."""
    return f"{rng.choice(PEOPLE)}@{rng.choice(MAIL_DOMAINS)}"


def address(rng: random.Random) -> str:
    """Return an IPv4 address of the ranges reserved for documentation."""
    return f"{rng.choice(NETWORKS)}.{rng.randint(1, 254)}"


def message(rng: random.Random) -> str:
    """Return the text of a server's log message; two thirds carry personal data."""
    kind = rng.randrange(6)
    if kind == 0:
        return f"login of {email(rng)} from {address(rng)} accepted"
    if kind == 1:
        return f"password reset mailed to {email(rng)}"
    if kind == 2:
        return f"connection from {address(rng)}:{rng.randint(1024, 65535)} timed out"
    if kind == 3:
        return f"order {rng.randint(1000, 9999)} of {email(rng)} paid"
    if kind == 4:
        return f"cache warmed: {rng.randint(10, 9999)} entries in {rng.randint(1, 900)} ms"
    return f"worker {rng.randint(1, 16)} restarted"


def stamp() -> str:
    """Return the time of now as RFC 3339, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def json_body(records: Sequence[object]) -> bytes:
    """Return the body for `records`: one as itself, several as a list."""
    return json.dumps(records[0] if len(records) == 1 else records, ensure_ascii=False).encode()


# --- options --------------------------------------------------------------------------------


def count(text: str) -> int:
    """Read a whole number from 0 up (an argparse type)."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return number


def positive(text: str) -> int:
    """Read a whole number from 1 up (an argparse type)."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def ratio(text: str) -> float:
    """Read a share between 0 and 1 (an argparse type)."""
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError("must lie between 0 and 1")
    return number


def rate(text: str) -> float:
    """Read records a second, 0 for no limit (an argparse type)."""
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError("must be 0 or more")
    return number


def http_url(text: str) -> str:
    """Read an http or https URL that names a host (an argparse type)."""
    parts = urllib.parse.urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(f"want something like {DEFAULT_URL}")
    _ = parts.port  # raises ValueError, which argparse reports, where it is no port
    return text


def options(prog: str, description: str, example: str) -> argparse.ArgumentParser:
    """Return a parser with the options that every emitter has."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description=description,
        epilog=f"example: {example}",
    )
    parser.add_argument(
        "-n",
        type=count,
        default=DEFAULT_COUNT,
        metavar="N",
        help="records to send; 0: until Ctrl-C (default: %(default)s)",
    )
    parser.add_argument(
        "--rate", type=rate, default=0.0, metavar="N", help="records a second (default: no limit)"
    )
    parser.add_argument(
        "--seed",
        type=int,
        metavar="N",
        help="the same seed makes the same records, but for their times",
    )
    return parser


def add_http(parser: argparse.ArgumentParser) -> None:
    """Add the options of the emitters that send by HTTP."""
    parser.add_argument(
        "--url",
        type=http_url,
        default=DEFAULT_URL,
        metavar="URL",
        help="where to POST to (default: %(default)s)",
    )
    add_batch(parser)


def add_batch(parser: argparse.ArgumentParser) -> None:
    """Add the number of records a request may carry."""
    parser.add_argument(
        "--batch",
        type=positive,
        default=DEFAULT_BATCH,
        metavar="N",
        help="records a request; with --rate about a second's worth (default: %(default)s)",
    )


def add_partial_ratio(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the share of records that are to lack something."""
    parser.add_argument(
        "--partial-ratio",
        type=ratio,
        default=0.3,
        metavar="0..1",
        help=f"share of {what} (default: %(default)s)",
    )


# --- sending --------------------------------------------------------------------------------


def paced(total: int, size: int, per_second: float) -> Iterator[int]:
    """Yield how many records to send next, each time no earlier than the rate allows.

    Args:
        total: records in all; 0 for no end.
        size: records at a time, at most; about one second's worth where there is a rate.
        per_second: records a second; 0 for no limit.
    """
    if per_second:
        size = max(1, min(size, int(per_second)))
    start, sent = time.monotonic(), 0
    while total == 0 or sent < total:
        if per_second:
            time.sleep(max(0.0, start + sent / per_second - time.monotonic()))
        step = size if total == 0 else min(size, total - sent)
        yield step
        sent += step


def post(url: str, body: bytes, content_type: str) -> tuple[int, str]:
    """POST `body` and return the status and the text of the answer.

    Raises:
        EmitterError: nobody answered.
    """
    parts = urllib.parse.urlsplit(url)
    secure = parts.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", target, body, {"Content-Type": content_type})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        raise unreachable(url, error, option="--url") from error
    finally:
        connection.close()


def unreachable(where: str, error: Exception, *, option: str) -> EmitterError:
    """Return the error that says nobody is there, and what to do about it."""
    if isinstance(error, ConnectionRefusedError):
        return EmitterError(
            f"nothing listens on {where} (connection refused): "
            f"start the receiver with `make run`, or name its address with {option}"
        )
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return EmitterError(f"cannot send to {where} ({reason}): check the address given by {option}")


def post_all(
    args: argparse.Namespace,
    make: Callable[[], Any],
    encode: Callable[[Sequence[Any]], bytes],
    content_type: str,
) -> None:
    """Make `args.n` records, POST them in batches, and print each answer.

    Raises:
        EmitterError: nobody answered, or not with 200.
    """
    for size in paced(args.n, args.batch, args.rate):
        status, text = post(args.url, encode([make() for _ in range(size)]), content_type)
        print(f"status: {status}")
        print(f"body: {text}", flush=True)
        if status != http.client.OK:
            raise EmitterError(f"{args.url} did not take the records: status {status}")


def run(prog: str, work: Callable[[], None]) -> NoReturn:
    """Do the work and exit: 0 when done or at Ctrl-C, 1 with one line on stderr where it failed."""
    # An emitter is often started in the background by a shell, which then ignores Ctrl-C for it;
    # asked for by hand (`kill -INT`) it is to end all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        work()
    except EmitterError as error:
        print(f"{prog}: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:  # whoever read our output has seen enough (`| head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
