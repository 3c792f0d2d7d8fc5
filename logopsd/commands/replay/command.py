"""`logopsd replay`: a range of time back from files, archives or a stream, to another place."""

import argparse
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from logopsd.assembly.shipping import login
from logopsd.bus.address import BusAddress, parse_address
from logopsd.bus.login import Login
from logopsd.bus.messages import MESSAGE_ID
from logopsd.commands.arguments import moment_text
from logopsd.commands.progress import ProgressBar
from logopsd.commands.replay.batches import Pace, batches
from logopsd.commands.replay.http import HttpTarget
from logopsd.commands.replay.parts import Part, stored_parts
from logopsd.commands.replay.repeats import Repeats
from logopsd.commands.replay.selection import Found, Selection, select, time_of
from logopsd.commands.replay.stream import stream_messages
from logopsd.commands.replay.targets import FileTarget, NoTarget, Target, new_file
from logopsd.commands.replay.tcp import TcpTarget
from logopsd.commands.stored import STDIN
from logopsd.errors import LogopsError

if TYPE_CHECKING:
    from logopsd.config import Settings

OK: Final = 0
FAILURE: Final = 1
INCOMPLETE: Final = 3  # something could not be read or was not taken; all else is done


def run(args: argparse.Namespace, settings: Callable[[], "Settings"]) -> int:
    """Replay what the command line asks for; returns the exit status.

    Args:
        args: of the command line.
        settings: gives those in force; called only where they are needed.

    Raises:
        LogopsError: the target does not take the records; what it took is told before.
        BrokenPipeError: who read our output is gone.
    """
    now = time.time()
    selection = Selection(
        moment_text(args.since, now),
        moment_text(args.until, now),
        args.level,
        frozenset(args.emitter),
        frozenset(args.input),
    )
    # On a terminal that shows the records, a bar would stand among them.
    bar = ProgressBar(sys.stderr, "replaying")
    replay = Replay(selection, sys.stdin.buffer, bar if _is_bar_seen(args) else _no_bar)
    lines = _lines(args, settings, replay)
    target = NoTarget() if args.dry_run else _target(args)
    try:
        replay.run(lines, target, args.rate)
    except (LogopsError, KeyboardInterrupt):
        bar.close()
        _tell(replay, target, args, span=False)
        # Named files, and what several receivers ship, are in no order of their times.
        if replay.reached and args.to != STDIN and not args.files and args.source is None:
            _say(f"stopped; to go on from there: --since {replay.reached}")
        raise
    finally:
        bar.close()
    _tell(replay, target, args)
    if replay.failed:
        return FAILURE
    return INCOMPLETE if replay.found.malformed or target.sent.rejected else OK


def _is_bar_seen(args: argparse.Namespace) -> bool:
    return args.dry_run or args.to != STDIN or not sys.stdout.isatty()


def _no_bar(done: int, total: int) -> None:
    """Draw nothing."""


def _lines(
    args: argparse.Namespace, settings: Callable[[], "Settings"], replay: "Replay"
) -> Iterator[bytes]:
    """The wanted lines, from wherever the command line says."""
    if args.source is None:
        return replay.read(_parts(args, settings, replay.selection))
    if args.files:
        raise LogopsError("--from reads a stream, and FILE a file: give one of them")
    try:
        address = parse_address(args.source)
    except ValueError as error:
        raise LogopsError(f"--from {error}") from None
    return replay.read_stream(address, login(settings()), args.stream)


class Replay:
    """One run.

    Args:
        selection: which records.
        stdin: read where a part says so.
        progress: told how many bytes of how many are read.

    Attributes:
        selection: which records.
        found: what was read.
        repeats: what a stream held twice.
        failed: what could not be read, and why.
        reached: when the last record that was taken was received.
    """

    def __init__(
        self, selection: Selection, stdin: BinaryIO, progress: Callable[[int, int], None]
    ) -> None:
        self.selection = selection
        self.found = Found()
        self.repeats = Repeats()
        self.failed: list[tuple[str, str]] = []
        self.reached = ""
        self._stdin = stdin
        self._progress = progress

    def run(self, lines: Iterable[bytes], target: Target, rate: float | None) -> None:
        """Send lines to a target."""
        pace = Pace(rate, time.monotonic, time.sleep)
        for batch in batches(lines, rate=rate):
            pace.wait(len(batch))
            target.send(batch)
            self.reached = time_of(batch[-1]) or self.reached
        target.close()

    def read(self, parts: Iterable[Part]) -> Iterator[bytes]:
        """The wanted lines of some parts; one that cannot be read is noted, and the next read."""
        sizes = self._sizes(parts)
        done, total = 0, sum(sizes.values())
        for part, size in sizes.items():
            try:
                yield from select(self._counted(part, done, total), self.selection, self.found)
            except OSError as error:
                self.failed.append((part.name, error.strerror or type(error).__name__))
            except LogopsError as error:
                self.failed.append((part.name, str(error)))
            done += size

    def read_stream(self, address: BusAddress, login: Login, stream: str) -> Iterator[bytes]:
        """The wanted lines of a stream, each once."""
        messages = stream_messages(
            address, login, stream=stream, since=self.selection.since, progress=self._progress
        )
        for message in messages:
            lines = message.payload.splitlines(keepends=True)
            if self.repeats.are_new(message.headers.get(MESSAGE_ID, ""), len(lines)):
                yield from select(lines, self.selection, self.found)

    def _sizes(self, parts: Iterable[Part]) -> dict[Part, int]:
        sizes = {}
        for part in parts:
            try:
                sizes[part] = part.size
            except OSError:  # told of when it is read
                sizes[part] = 0
        return sizes

    def _counted(self, part: Part, done: int, total: int) -> Iterator[bytes]:
        for line in part.lines(self._stdin):
            yield line
            done += len(line)
            if total:
                self._progress(done, total)


def _parts(
    args: argparse.Namespace, settings: Callable[[], "Settings"], selection: Selection
) -> list[Part]:
    if args.files:
        return [Part(name) for name in args.files]
    found = settings()
    parts = stored_parts(
        found.sink_dir, found.archive_dir, since=selection.since, until=selection.until
    )
    if not parts:
        _say(f"nothing of that time in {found.sink_dir} or {found.archive_dir}")
    return parts


def _target(args: argparse.Namespace) -> Target:
    """Open the target; what cannot be one is refused with what can.

    Raises:
        LogopsError: it is none, or cannot be opened.
        OSError: its file cannot be made.
    """
    if args.to == STDIN:
        return FileTarget(sys.stdout.buffer)
    if "://" not in args.to:
        try:
            return new_file(Path(args.to))
        except FileExistsError:
            raise LogopsError(f"{args.to} is there already; name a file that is not") from None
    try:
        url = urllib.parse.urlsplit(args.to)
        port = url.port
    except ValueError:
        raise _no_target() from None
    if url.scheme in ("http", "https") and url.hostname:
        return HttpTarget(args.to, token=_token(args), clock=time.monotonic, sleep=time.sleep)
    if url.scheme == "tcp" and url.hostname and port:
        return TcpTarget(url.hostname, port)
    raise _no_target()


def _no_target() -> LogopsError:
    return LogopsError(
        "--to takes a file, http://host:8080, https://host, tcp://host:5514, or - for standard "
        "output"
    )


def _token(args: argparse.Namespace) -> str:
    if args.token_file is None:
        return ""
    lines = Path(args.token_file).read_text("latin-1").splitlines()
    token = next((line.strip() for line in lines if not line.lstrip().startswith("#")), "")
    if not token:
        raise LogopsError(f"{args.token_file} holds no token in its first line")
    return token


def _tell(replay: Replay, target: Target, args: argparse.Namespace, *, span: bool = True) -> None:
    """Say on standard error what was done, and what was not; of which time, where all was done."""
    found, sent = replay.found, target.sent
    for name, reason in replay.failed:
        _say(f"not read, or not to its end: {name}: {reason}")
    of = f", received from {found.first} to {found.last}" if span and found.first else ""
    if args.dry_run:
        text = f"would replay {found.records} records, {found.size} bytes{of}"
    elif args.to == STDIN or "://" not in args.to:
        text = f"replayed {sent.taken} records{of}"
    else:
        text = f"replayed {sent.taken} records to {args.to}{of}"
    left = {
        "torn last lines": found.torn,
        "lines that are no records": found.malformed,
        "refused by the receiver": sent.rejected,
        "held twice by the stream": replay.repeats.left_out,
    }
    text += "".join(f"; {count} {what} left out" for what, count in left.items() if count)
    if sent.perhaps_twice:
        text += f"; {sent.perhaps_twice} sent again, perhaps stored twice"
    _say(text)


def _say(text: str) -> None:
    sys.stderr.write(f"logopsd: {text}\n")
