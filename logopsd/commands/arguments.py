"""What the larger commands take on the command line; imports nothing that takes time."""

import argparse
import datetime
import re
from pathlib import Path
from typing import Final

DEFAULT_LINES: Final = 10
"""Lines that `tail` begins with."""

MAX_LINES: Final = 100_000
"""They are held until the oldest of them is found."""

SENDERS: Final = ("rsyslog", "syslog-ng", "journald", "alloy")
"""For which `doctor --config` has a configuration."""

SHELLS: Final = ("bash", "zsh", "fish")
"""That `completion` has a script for."""

EARLIEST: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

_AGE: Final = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)
_BYTES: Final = re.compile(r"([0-9]{1,6})([KMGT])iB", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}

LEVEL_NAMES: Final = {
    "debug": "DEBUG",
    "info": "INFO",
    "warn": "WARN",
    "warning": "WARN",
    "error": "ERROR",
    "err": "ERROR",
    "critical": "CRITICAL",
}
"""As one may write them -> as they stand in a record."""


def add_color(parser: argparse.ArgumentParser) -> None:
    """Describe `--color`."""
    parser.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="auto: on a terminal, unless NO_COLOR is set",
    )


def add_tail(parser: argparse.ArgumentParser) -> None:
    """Describe what `tail` takes."""
    parser.add_argument(
        "--level",
        type=level,
        metavar="LEVEL",
        help="this level and worse: debug, info, warn, error, critical",
    )
    parser.add_argument(
        "--emitter",
        action="append",
        default=[],
        metavar="NAME",
        help="of this emitter; may be repeated",
    )
    parser.add_argument(
        "--grep", default="", metavar="TEXT", help="lines that show this text, in any case"
    )
    parser.add_argument(
        "--since",
        type=since,
        metavar="TIME",
        help="received since then: 30s, 5m, 2h, 1d ago, or 2026-11-23T12:00:00Z",
    )
    parser.add_argument(
        "-n",
        type=line_count,
        dest="lines",
        metavar="LINES",
        help=f"begin with the last so many ({DEFAULT_LINES}; with --since all)",
    )
    parser.add_argument("--no-follow", action="store_true", help="end where the file ends")
    parser.add_argument("--full", action="store_true", help="do not cut lines to the terminal")
    parser.add_argument("--json", action="store_true", help="print the lines as they are stored")
    add_color(parser)


def add_replay(parser: argparse.ArgumentParser) -> None:
    """Describe what `replay` takes."""
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="NDJSON, a zip of it, or - for standard input; where none is named, the files and "
        "archives of the settings",
    )
    parser.add_argument(
        "--from",
        dest="source",
        metavar="URL",
        help="read a stream in place of files: nats://host:4222,host2 or tls://host:4222",
    )
    parser.add_argument(
        "--stream", default="LOGS", metavar="NAME", help="with --from: its name (LOGS)"
    )
    parser.add_argument(
        "--to",
        default="-",
        metavar="TARGET",
        help="a new file, http://host:8080 or tcp://host:5514 of another receiver, or - for "
        "standard output (the default)",
    )
    for name, text in (("since", "at this time or later"), ("until", "before this time")):
        parser.add_argument(
            f"--{name}",
            type=since,
            metavar="TIME",
            help=f"received {text}: 30s, 5m, 2h, 1d ago, or 2026-11-23T12:00:00Z",
        )
    parser.add_argument(
        "--level",
        type=level,
        metavar="LEVEL",
        help="this level and worse: debug, info, warn, error, critical",
    )
    for name in ("emitter", "input"):
        parser.add_argument(
            f"--{name}",
            action="append",
            default=[],
            metavar="NAME",
            help=f"of this {name}; may be repeated",
        )
    parser.add_argument(
        "--rate", type=rate, metavar="N", help="no more than so many records a second"
    )
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        help="its first line goes to an http:// target as a bearer token",
    )
    parser.add_argument("--dry-run", action="store_true", help="only count what there is")


def add_doctor(parser: argparse.ArgumentParser) -> None:
    """Describe what `doctor` takes."""
    parser.add_argument(
        "--config",
        choices=SENDERS,
        help="check nothing; print what to paste into this sender, with our address and ports",
    )
    parser.add_argument(
        "--host", metavar="NAME", help="with --config: by which name or address senders reach us"
    )
    parser.add_argument(
        "--no-message", action="store_true", help="send no test messages to the running daemon"
    )
    parser.add_argument("--json", action="store_true", help="print JSON in place of lines")
    add_color(parser)


def add_ship(parser: argparse.ArgumentParser) -> None:
    """Describe what `ship` takes."""
    parser.add_argument(
        "--to",
        metavar="URL",
        help="nats://host:4222,host2, tls://host:4222, loki+http://host:3100 or loki+https://host; "
        "where not given, LOGOPS_SHIP_TO",
    )
    parser.add_argument("--once", action="store_true", help="send what is there, then end")
    init = parser.add_argument_group("making the stream (NATS)")
    init.add_argument("--init", action="store_true", help="make the stream, send nothing")
    init.add_argument("--stream", default="LOGS", metavar="NAME", help="its name (LOGS)")
    init.add_argument(
        "--replicas", type=replicas, default=3, metavar="N", help="servers that keep it, 1 to 5 (3)"
    )
    init.add_argument(
        "--max-age", type=age, default=age("7d"), metavar="AGE", help="keeps messages so long (7d)"
    )
    init.add_argument(
        "--max-bytes", type=byte_count, metavar="SIZE", help="then drops the oldest: 100GiB"
    )
    init.add_argument(
        "--duplicate-window",
        type=age,
        default=age("1h"),
        metavar="AGE",
        help="knows a message that is sent again for so long (1h)",
    )


def add_completion(parser: argparse.ArgumentParser) -> None:
    """Describe what `completion` takes."""
    parser.add_argument("shell", choices=SHELLS, help="which shell reads it")


def add_decrypt(parser: argparse.ArgumentParser) -> None:
    """Describe what `decrypt` takes."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="NDJSON, a zip of it, or -")
    parser.add_argument(
        "--fields", type=names, metavar="NAMES", help="open these only: msg,user_email"
    )
    parser.add_argument(
        "--grep", type=pattern, metavar="REGEX", help="print only lines that match once opened"
    )


def add_rekey(parser: argparse.ArgumentParser) -> None:
    """Describe what `rekey` takes."""
    parser.add_argument("files", nargs="*", metavar="FILE", type=Path, help="NDJSON")


def add_housekeep(parser: argparse.ArgumentParser) -> None:
    """Describe what `housekeep` takes."""
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--json", action="store_true", help="print JSON in place of lines")


def names(text: str) -> frozenset[str]:
    """Read names with commas between (an argparse type)."""
    return frozenset(filter(None, text.split(",")))


def pattern(text: str) -> "re.Pattern[str]":
    """Read a regular expression (an argparse type)."""
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"no regular expression: {error}") from None


def level(text: str) -> str:
    """Read the name of a level (an argparse type)."""
    if text.lower() not in LEVEL_NAMES:
        raise argparse.ArgumentTypeError("takes debug, info, warn, error or critical")
    return LEVEL_NAMES[text.lower()]


def since(text: str) -> datetime.timedelta | datetime.datetime:
    """Read an age or a time (an argparse type)."""
    if age := _AGE.fullmatch(text):
        return datetime.timedelta(seconds=int(age[1]) * _SECONDS[age[2]])
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise argparse.ArgumentTypeError(
            "takes 30s, 5m, 2h, 1d, or a time with its zone: 2026-11-23T12:00:00Z"
        )
    return moment


def moment_text(moment: datetime.timedelta | datetime.datetime | None, now: float) -> str:
    """A time as records have it, to be compared with theirs: RFC 3339 UTC, without its `Z`.

    Args:
        moment: an age or a time, as `since` reads them; None gives an empty text.
        now: seconds since the epoch.
    """
    if moment is None:
        return ""
    try:
        if isinstance(moment, datetime.timedelta):
            moment = datetime.datetime.fromtimestamp(now, datetime.UTC) - moment
        moment = max(moment.astimezone(datetime.UTC), EARLIEST)
    except OverflowError:  # in the first days of the calendar
        moment = EARLIEST
    return moment.isoformat(timespec="milliseconds")[: len("2026-11-23T12:34:56.789")]


def age(text: str) -> float:
    """Read a length of time, in seconds (an argparse type)."""
    found = _AGE.fullmatch(text)
    if not found or not int(found[1]):
        raise argparse.ArgumentTypeError("takes 30s, 5m, 2h or 7d")
    return float(int(found[1]) * _SECONDS[found[2]])


def byte_count(text: str) -> int:
    """Read a number of bytes (an argparse type)."""
    found = _BYTES.fullmatch(text)
    if not found or not int(found[1]):
        raise argparse.ArgumentTypeError("takes 500MiB, 100GiB or 2TiB")
    return int(found[1]) << 10 * ("KMGT".index(found[2]) + 1)


def replicas(text: str) -> int:
    """Read how many servers keep a stream (an argparse type)."""
    if text not in ("1", "2", "3", "4", "5"):
        raise argparse.ArgumentTypeError("takes a number from 1 to 5")
    return int(text)


def line_count(text: str) -> int:
    """Read a number of lines (an argparse type)."""
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text) <= MAX_LINES):
        raise argparse.ArgumentTypeError(f"takes a number from 0 to {MAX_LINES}")
    return int(text)


def rate(text: str) -> float:
    """Read a number of records a second (an argparse type)."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text)):
        raise argparse.ArgumentTypeError("takes records a second, 1 or more")
    return float(text)
