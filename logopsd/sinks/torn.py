"""A last line without its LF, left by a crash: set aside, and its place made whole again.

The fragment is copied to `<name>.torn`, and then written over, in place, by one whole record that
tells of it, padded with spaces to at least the fragment's length and ended with LF. The file
never gets shorter, keeps its name and its inode, and every line of it is JSON. Why so:
docs/decisions/0001-torn-tail.md.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

from logopsd.sinks.files import FileLayer
from logopsd.sinks.rotation import TORN_SUFFIX

_BLOCK = 65_536
"""Bytes read at once; a fragment (a batch, or zeros after a power cut) is not held in memory."""


def mend_torn_tail(files: FileLayer, path: Path) -> int:
    """Set the torn last line of a file aside, if it has one.

    A crash in the midst of it leaves a line without LF again, which the next call mends.

    Returns:
        The length of the fragment in bytes; 0 where the file ends as it should.

    Raises:
        OSError: the file cannot be read or mended.
    """
    if _is_whole(files, path):
        return 0
    fd = files.open_update(path)
    try:
        there = files.fstat(fd)
        start = _end_of_last_line(files, fd, there.st_size)
        length = there.st_size - start
        _set_aside(files, fd, start, there.st_size, path.with_name(path.name + TORN_SUFFIX))
        _write_over(files, fd, start, length, _notice(length, there.st_mtime))
        try:  # mending is no news: retention judges the clock by when files were written
            files.set_time(fd, there)
        except OSError:  # of another owner: no harm done
            pass
    finally:
        files.close(fd)
    return length


def _is_whole(files: FileLayer, path: Path) -> bool:
    """Whether a file is empty or ends with LF; asks for no right to write."""
    fd = files.open_read(path)
    try:
        size = files.fstat(fd).st_size
        return size == 0 or files.pread(fd, 1, size - 1) == b"\n"
    finally:
        files.close(fd)


def _end_of_last_line(files: FileLayer, fd: int, size: int) -> int:
    """The offset behind the last LF; 0 where the file has none."""
    end = size
    while end > 0:
        start = max(0, end - _BLOCK)
        found = files.pread(fd, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _set_aside(files: FileLayer, fd: int, start: int, end: int, path: Path) -> None:
    """Append what stands between two offsets to `path`, with an LF, durably."""
    try:
        out = files.create(path)
    except FileExistsError:
        out = files.open_append(path)
    try:
        while start < end:
            block = files.pread(fd, min(_BLOCK, end - start), start)
            if not block:  # shorter than it was: someone else is at work on it
                break
            _write_all(files, out, block)
            start += len(block)
        _write_all(files, out, b"\n")
        files.fsync(out)
    finally:
        files.close(out)
    files.fsync_directory(path.parent)


def _write_all(files: FileLayer, fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[files.writev(fd, [view]) :]


def _write_over(files: FileLayer, fd: int, start: int, length: int, notice: bytes) -> None:
    """Put the notice in the place of the fragment; its LF goes last, and makes the line."""
    offset = start
    view = memoryview(notice)
    while view:
        taken = files.pwrite(fd, view, offset)
        view, offset = view[taken:], offset + taken
    while offset < start + length:
        offset += files.pwrite(fd, b" " * min(_BLOCK, start + length - offset), offset)
    files.pwrite(fd, b"\n", offset)
    files.fsync(fd)


def _notice(length: int, torn_at: float) -> bytes:
    """The record in the fragment's place; its time is that of the file's last write."""
    stamp = datetime.fromtimestamp(torn_at, UTC).isoformat(timespec="milliseconds")
    record = {
        "ts": stamp.replace("+00:00", "Z"),
        "level": "WARN",
        "msg": f"a torn line of {length} bytes was set aside",
        "emitter": "logopsd",
        "app": "logopsd",
        "msgid": "torn",
    }
    return json.dumps(record, separators=(",", ":")).encode("ascii")
