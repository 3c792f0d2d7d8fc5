"""One file into one verified archive: written beside, fsynced, read back, renamed.

The source is removed by the caller, and only after `archive_file` returned: then an archive
stands under its final name, durable, and its content was read back and equals the source.
"""

import datetime
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from logopsd.retention.files import PART_SUFFIX, NotArchivedError, RetentionFiles

_CHUNK = 1024 * 1024
"""Bytes read and compressed at once."""

_NAMES = 1000
"""Archives of the same file name tried before giving up; more than one is an accident already."""


class Content(NamedTuple):
    """What a content is compared by.

    Attributes:
        size: bytes.
        crc: CRC-32, as ZIP has it.
    """

    size: int
    crc: int


def archive_file(
    files: RetentionFiles,
    source: BinaryIO,
    *,
    name: str,
    day: datetime.date,
    directory: Path,
    progress: Callable[[int], None],
) -> Path:
    """Put a file into an archive of its own, or find the archive that holds it already.

    Args:
        files: the steps.
        source: the file, open at its start.
        name: of the file, in the archive and, with `.zip` behind it, of the archive.
        day: the time stamp in the archive.
        directory: where archives are; made if it is not there.
        progress: called with the number of source bytes just done.

    Returns:
        The archive, which is verified and durable.

    Raises:
        OSError: a step failed.
        NotArchivedError: what was read back is not what was written.
    """
    files.make_directory(directory)
    part = directory / (name + ".zip" + PART_SUFFIX)
    try:
        with files.create(part) as out:
            content = _compress(files, source, out, name, day, progress)
            files.fsync(out)
            if _content_of(files, out, name) != content:
                raise NotArchivedError("the archive does not read back as it was written")
        for number in range(1, _NAMES):
            path = directory / (f"{name}-{number}.zip" if number > 1 else f"{name}.zip")
            if not files.exists(path):
                files.rename(part, path)
                files.fsync_directory(directory)
                return path
            if _holds(files, path, name, content):
                files.fsync_directory(directory)  # the crash may have come before it
                return path
        raise NotArchivedError(f"there are {_NAMES} archives of this name already")
    finally:
        _remove_if_there(files, part)


def _compress(
    files: RetentionFiles,
    source: BinaryIO,
    out: BinaryIO,
    name: str,
    day: datetime.date,
    progress: Callable[[int], None],
) -> Content:
    size, crc = 0, 0
    info = zipfile.ZipInfo(name, (max(day.year, 1980), day.month, day.day, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o640 << 16
    with zipfile.ZipFile(out, "w") as archive, archive.open(info, "w", force_zip64=True) as member:
        while chunk := files.read(source, _CHUNK):
            member.write(chunk)
            size += len(chunk)
            crc = zlib.crc32(chunk, crc)
            progress(len(chunk))
    return Content(size, crc)


def _content_of(files: RetentionFiles, file: BinaryIO, name: str) -> Content | None:
    """What an archive holds of this name, read and counted anew; None where it is damaged."""
    size, crc = 0, 0
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive, archive.open(name) as member:
            while chunk := member.read(_CHUNK):
                size += len(chunk)
                crc = zlib.crc32(chunk, crc)
    except (zipfile.BadZipFile, KeyError, EOFError, zlib.error, NotImplementedError):
        return None
    return Content(size, crc)


def _holds(files: RetentionFiles, path: Path, name: str, content: Content) -> bool:
    """Whether an archive of an earlier round holds the same already."""
    with files.open_source(path) as file:
        return _content_of(files, file, name) == content


def _remove_if_there(files: RetentionFiles, path: Path) -> None:
    try:
        files.remove(path)
    except OSError:
        pass
