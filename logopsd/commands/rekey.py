"""`logopsd rekey`: moves the tokens of stored files under the primary key, each file at once.

The new file is written beside the old one, made durable, and renamed over it: whenever it is cut
short, either the old file stands or the new one, and doing it again does the rest. A token that no
key opens stays as it is and is counted; the old key must then be kept.
"""

import contextlib
import datetime
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

from logopsd.errors import LogopsError
from logopsd.privacy.reveal import rekey
from logopsd.retention.files import RetentionFiles
from logopsd.retention.policy import day_of_file
from logopsd.sinks.files import DirectoryLock

PART = ".rekey.part"
"""Ends the name of the unfinished file beside; outside of what is tailed and swept."""

OPEN_DAYS = 1
"""Files of so many days before today may still be open: yesterday's is, for a minute."""

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Rekeyed:
    """What became of one file.

    Attributes:
        moved: tokens that are under another key now.
        unopened: tokens that no key at hand opens; they stand as they did.
        malformed: lines that are no JSON object; they stand as they did.
    """

    moved: int = 0
    unopened: int = 0
    malformed: int = 0

    def __str__(self) -> str:
        kept = f", kept {self.unopened} that no key opens" if self.unopened else ""
        return f"moved {self.moved} tokens{kept}"


@dataclass(slots=True)
class Report:
    """What became of all files.

    Attributes:
        done: those read to their end.
        failed: those that stand as they did, with the reason.
    """

    done: list[tuple[Path, Rekeyed]] = field(default_factory=list)
    failed: list[tuple[Path, str]] = field(default_factory=list)


def rekey_files(
    paths: Sequence[Path],
    rotate: Callable[[str], str],
    *,
    progress: Progress,
    clock: Callable[[], float] = time.time,
) -> Report:
    """Move the tokens of one file after the other; one that fails costs the others nothing.

    Args:
        paths: of the files.
        rotate: gives a token's text one under the primary key; raises TokenError.
        progress: called with the bytes done and the bytes there are, of all files.
        clock: seconds since the epoch.
    """
    report = Report()
    total = sum(path.stat().st_size for path in paths if path.is_file())
    before = 0
    for path in paths:
        today = datetime.datetime.fromtimestamp(clock(), datetime.UTC).date()
        size = path.stat().st_size if path.is_file() else 0
        try:
            if path.suffix == ".zip":
                raise LogopsError("take the file out of its archive first")
            done = rekey_file(
                path, rotate, today=today, progress=partial(_shifted, progress, before, total)
            )
            report.done.append((path, done))
        except OSError as error:
            report.failed.append((path, error.strerror or type(error).__name__))
        except LogopsError as error:
            report.failed.append((path, str(error)))
        before += size
    return report


def _shifted(progress: Progress, before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)


def rekey_file(
    path: Path, rotate: Callable[[str], str], *, today: datetime.date, progress: Progress
) -> Rekeyed:
    """Move the tokens of one file; a file in which nothing moves is not touched.

    Args:
        path: of NDJSON.
        rotate: gives a token's text one under the primary key; raises TokenError.
        today: the UTC day.
        progress: called with the bytes done and the bytes there are.

    Raises:
        LogopsError: the file may be in use; with what to do.
        OSError: it cannot be read or written; the old file stands.
    """
    done = Rekeyed()

    def counted(token: str) -> str:
        new = rotate(token)
        done.moved += new != token
        return new

    with _not_in_use(path, today), _source(path) as source:
        before = os.fstat(source.fileno())
        part = path.with_name(f".{path.name}{PART}")
        try:
            with _created(part, before) as out:
                _move(source, out, counted, done, before.st_size, progress)
                if not done.moved:
                    return done
                out.flush()
                os.fsync(out.fileno())
            # The time stamps stay, as retention judges the clock by them.
            os.utime(part, ns=(before.st_atime_ns, before.st_mtime_ns))
            now = path.lstat()
            if (now.st_ino, now.st_size, now.st_mtime_ns) != (
                before.st_ino,
                before.st_size,
                before.st_mtime_ns,
            ):
                raise LogopsError(f"{_shown(path)} was written to meanwhile; it stands as it did")
            os.rename(part, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(part)
        RetentionFiles().fsync_directory(path.parent)
    return done


def _move(
    source: BinaryIO,
    out: BinaryIO,
    rotate: Callable[[str], str],
    done: Rekeyed,
    size: int,
    progress: Progress,
) -> None:
    """Write every line of `source` to `out`; what is not a token keeps its very bytes."""
    ending = b""

    def lines() -> Iterator[bytes]:
        nonlocal ending
        for line in source:
            ending = line[len(line.rstrip(b"\r\n")) :]
            yield line

    position = 0
    for line in rekey(lines(), rotate):  # it takes the next line only when asked for one
        data = line.data + ending
        done.unopened += len(line.failed)
        done.malformed += line.malformed
        out.write(data)
        position += len(data)
        progress(min(position, size), size)


@contextlib.contextmanager
def _not_in_use(path: Path, today: datetime.date) -> Iterator[None]:
    """Keep retention out, and of a file that may be open the daemon too."""
    files = RetentionFiles()
    try:
        sweep = files.lock(path.parent)
    except BlockingIOError:
        raise LogopsError(
            f"a round of retention is at work in {_shown(path.parent)}; try again when it is done"
        ) from None
    try:
        day = day_of_file(path.name)
        if day is None or (today - day).days > OPEN_DAYS:
            yield
            return
        lock = DirectoryLock(path.parent)
        try:
            lock.acquire()
        except BlockingIOError:
            raise LogopsError(
                f"{_shown(path)} may be open in the daemon (process {lock.owner()}); stop it, or "
                "wait until the day is over by a day"
            ) from None
        try:
            yield
        finally:
            lock.release()
    finally:
        files.unlock(sweep)


def _source(path: Path) -> BinaryIO:
    return RetentionFiles().open_source(path)


@contextlib.contextmanager
def _created(path: Path, like: os.stat_result) -> Iterator[BinaryIO]:
    """A new file with the mode and, where that is allowed, the owner of another.

    What a killed run left is replaced: the lock of retention keeps a second one out.
    """
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        with contextlib.suppress(PermissionError):  # not root: it is ours then
            os.fchown(fd, like.st_uid, like.st_gid)
        os.fchmod(fd, like.st_mode & 0o777)
        yield file


def _shown(path: Path) -> str:
    return ascii(str(path))[1:-1]
