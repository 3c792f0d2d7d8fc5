"""What the sink's files take on the disk, and for how long they have been there."""

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final

from logopsd.retention.policy import day_of_archive, day_of_file

MAX_NAMED: Final = 12
"""Files that are told one by one, the newest; of the others there is a sum."""


def sizes(directory: Path, day_of: Callable[[str], date | None] = day_of_file) -> dict[str, Any]:
    """Return the files of a folder: how many, their bytes, their oldest day, and the newest ones.

    Args:
        directory: of the sink, or of its archives; it may be missing.
        day_of: the day of a file by its name; None for what is not ours.

    Raises:
        OSError: the folder cannot be read.
    """
    found = []
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if (day := day_of(entry.name)) is not None:
                    there = _stat(entry)
                    if there is not None:
                        found.append((day, there.st_mtime, entry.name, there.st_size))
    except FileNotFoundError:
        pass
    found.sort(reverse=True)
    return {
        "count": len(found),
        "bytes": sum(size for _, _, _, size in found),
        "oldest": found[-1][0].isoformat() if found else None,
        "newest": [
            {"name": name, "bytes": size, "written": round(written, 3)}
            for _, written, name, size in found[:MAX_NAMED]
        ],
    }


def archive_sizes(directory: Path) -> dict[str, Any]:
    """Return the same of the archives in a folder."""
    return sizes(directory, day_of_archive)


def _stat(entry: "os.DirEntry[str]") -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:  # retention took it in this moment
        return None
