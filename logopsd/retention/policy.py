"""What has grown too old, or too much: decided from names, sizes and today alone. Pure.

A file's age is that of the day in its name, never of its time stamps, which a copy or a restore
changes. Names that are not of the sink's making are none of the policy's business.

A clock that leaps years ahead makes every file look old. So a leap is not believed at once: where
nothing in the folders was written within LEAP_DAYS before today, ages are counted from the newest
day before the leap, until CONFIRM_DAYS days of files stand after it. A clock that went backwards
deletes nothing, as files then lie in the future, which is never old.
"""

import datetime
import re
from collections.abc import Collection, Iterable
from typing import Literal

import msgspec

from logopsd.patterns import lazy_pattern

LEAP_DAYS = 366
"""A gap longer than this between the days of files is taken for a wrong clock: a machine that
rested for a year is rarer than one whose clock battery died."""

CONFIRM_DAYS = 7
"""Days of files after a leap, today among them, that make it believed: a week is time enough for
an operator to notice a clock that is years ahead, and no long delay where the clock is right."""

Mode = Literal["delete", "zip"]

_NAME = lazy_pattern(
    r"([0-9]{4})([0-9]{2})([0-9]{2})(?:-[a-z0-9_-]{1,64})?\.ndjson(?:\.torn)?"
    r"(?P<zip>(?:-[0-9]{1,9})?\.zip)?",
    re.ASCII,
)


class Entry(msgspec.Struct, frozen=True):
    """A file in the folder of the sink, or of the archives.

    Attributes:
        name: without its directory.
        size: bytes.
        day: the UTC day that its name says.
        written: the UTC day it was last written to, as far as known.
    """

    name: str
    size: int
    day: datetime.date
    written: datetime.date | None = None


class Plan(msgspec.Struct, frozen=True):
    """What is to be done, oldest first.

    Attributes:
        remove: files of the sink that are to go, by `delete` or `zip`.
        expire: archives that are to be deleted.
        held: files that today's date would name, were it not years ahead of all other days.
        waiting: files that are old, and are not shipped yet.
        unshipped: those of `remove` that are not shipped either, as there is no room for them.
        kept: how many files and archives stay, those held among them.
        today: the day from which ages were counted.
    """

    remove: list[Entry] = msgspec.field(default_factory=list)
    expire: list[Entry] = msgspec.field(default_factory=list)
    held: list[Entry] = msgspec.field(default_factory=list)
    waiting: list[Entry] = msgspec.field(default_factory=list)
    unshipped: list[Entry] = msgspec.field(default_factory=list)
    kept: int = 0
    today: datetime.date = datetime.date.min


def day_of_file(name: str) -> datetime.date | None:
    """The day of a file of the sink (or of what was torn off it); None for any other name."""
    return _day(name, archive=False)


def day_of_archive(name: str) -> datetime.date | None:
    """The day of an archive that the sweeper made; None for any other name."""
    return _day(name, archive=True)


def _day(name: str, *, archive: bool) -> datetime.date | None:
    match = _NAME.fullmatch(name)
    if match is None or (match["zip"] is not None) is not archive:
        return None
    try:
        return datetime.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:  # the 31st of February
        return None


def believed_today(entries: Iterable[Entry], today: datetime.date) -> datetime.date:
    """The day to count ages from: today, unless that is an unconfirmed leap (see the module)."""
    last_written = {max(e.day, e.written or e.day) for e in entries}
    newer, confirmed = today, 1
    for day in sorted((day for day in last_written if day < today), reverse=True):
        if confirmed >= CONFIRM_DAYS:
            break
        if (newer - day).days > LEAP_DAYS:
            today, confirmed = day, 0
        newer = day
        confirmed += 1
    return today


def decide(
    files: Collection[Entry],
    archives: Collection[Entry],
    *,
    today: datetime.date,
    days: int,
    archive_days: int | None = None,
    max_bytes: int = 0,
    open_names: Collection[str] = (),
    unshipped: Collection[str] = (),
) -> Plan:
    """Name the files that are to go.

    A file goes when its day is more than `days` before today, and the oldest go first while the
    folder of the sink is larger than `max_bytes`. Never one of today or later, never an open one.
    One that is not shipped goes only for want of room, and after all that are.

    Args:
        files: of the sink's folder.
        archives: of the folder of archives.
        today: the UTC day, as the clock has it.
        days: how many days before today stay.
        archive_days: the same for archives; None keeps them for good.
        max_bytes: of the sink's folder; 0 is no limit.
        open_names: files that are open at present.
        unshipped: files that are still to be sent on.
    """
    believed = believed_today([*files, *archives], today)
    plan = Plan(today=believed)
    size = sum(entry.size for entry in files)
    by_age = sorted(files, key=lambda entry: (entry.day, entry.name))
    movable = [e for e in by_age if e.name not in open_names and e.day < today]
    for entry in sorted(movable, key=lambda entry: entry.name in unshipped):
        waits = entry.name in unshipped
        if 0 < max_bytes < size or (_older(entry, believed, days) and not waits):
            plan.remove.append(entry)
            size -= entry.size
            if waits:
                plan.unshipped.append(entry)
        elif _older(entry, believed, days):
            plan.waiting.append(entry)
        elif _older(entry, today, days):
            plan.held.append(entry)
    if archive_days is not None:
        for entry in sorted(archives, key=lambda entry: (entry.day, entry.name)):
            if _older(entry, believed, archive_days):
                plan.expire.append(entry)
            elif _older(entry, today, archive_days):
                plan.held.append(entry)
    gone = len(plan.remove) + len(plan.expire)
    return msgspec.structs.replace(plan, kept=len(files) + len(archives) - gone)


def _older(entry: Entry, today: datetime.date, days: int) -> bool:
    return (today - entry.day).days > days
