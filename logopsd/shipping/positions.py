"""How far each file is sent, on the disk: written beside the data, in one piece or not at all.

A position is believed where the bytes before it are those that were sent: neither an inode that
was used again, nor a file put back from a backup or cut by a crash, makes it skip what it should
not. What is not believed is sent again from the start of the file.
"""

import fcntl
import json
import os
import zlib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final

from logopsd.errors import LogopsError

CHECK_BYTES: Final = 64
"""Bytes before a position that are compared: they hold the time of arrival, or end with it."""

_MODE: Final = 0o640
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Position:
    """How far a file is sent.

    Attributes:
        dev: the device of the file.
        ino: its inode.
        offset: all before it is sent and acknowledged.
        end: of the range that is being sent, where it does not follow from `offset`; else 0.
        check: of the bytes before `offset`.
    """

    dev: int
    ino: int
    offset: int = 0
    end: int = 0
    check: int = 0

    @classmethod
    def at_start(cls, there: os.stat_result) -> "Position":
        """Of a file of which nothing is sent."""
        return cls(there.st_dev, there.st_ino)

    def holds(self, file: BinaryIO) -> bool:
        """Whether this is the file that was sent up to here."""
        return os.fstat(file.fileno()).st_size >= self.offset and (
            check_of(file, self.offset) == self.check
        )

    def moved(self, file: BinaryIO, offset: int) -> "Position":
        """The same file, sent up to a later offset."""
        return replace(self, offset=offset, end=0, check=check_of(file, offset))


def check_of(file: BinaryIO, offset: int) -> int:
    """What tells whether the bytes before an offset are the same."""
    start = max(0, offset - CHECK_BYTES)
    return zlib.crc32(os.pread(file.fileno(), offset - start, start))


@dataclass(slots=True)
class Positions:
    """The positions of a folder for one target.

    Attributes:
        source: tells this folder from every other, in the ids of messages.
        follows: whether someone means to go on sending, so that retention waits.
        files: by name.
    """

    source: str = field(default_factory=lambda: os.urandom(8).hex())
    follows: bool = False
    files: dict[str, Position] = field(default_factory=dict)

    def of(self, name: str, file: BinaryIO) -> Position:
        """The position of a file: by its name, or by its inode where it has got another name."""
        there = os.fstat(file.fileno())
        known = self.files.get(name)
        if known is None or (known.dev, known.ino) != (there.st_dev, there.st_ino):
            same = (
                p for p in self.files.values() if (p.dev, p.ino) == (there.st_dev, there.st_ino)
            )
            known = next((p for p in same if p.holds(file)), known)
        if known is None or not known.holds(file):
            return Position.at_start(there)
        return replace(known, dev=there.st_dev, ino=there.st_ino)


class PositionFile:
    """The file of the positions, and the lock that lets one process alone write it.

    Args:
        directory: of the sink.
        kind: of the target, `nats` or `loki`; each has positions of its own.
    """

    def __init__(self, directory: Path, kind: str) -> None:
        self.path = directory / f".ship-{kind}.json"
        self._lock_path = directory / f".ship-{kind}.lock"
        self._lock = -1

    def lock(self) -> None:
        """Keep every other process out, until `unlock` or the end of this one.

        Raises:
            LogopsError: another one is at work, or the folder does not let us.
        """
        try:
            self._lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.unlock()
            raise LogopsError(
                f"another process ships {self._lock_path.parent} already; end it, or leave it to it"
            ) from None
        except OSError as error:
            self.unlock()
            where = self._lock_path.parent
            mend = "positions are kept beside the files: run as the user who writes them"
            if isinstance(error, FileNotFoundError):
                mend = "nothing was stored yet, or LOGOPS_SINK_DIR is wrong"
            raise LogopsError(f"{where}: {error.strerror}; {mend}") from None

    def unlock(self) -> None:
        """Let others in."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def load(self) -> Positions | None:
        """The positions; None where there are none, or where what is there cannot be read."""
        return _read(self.path)

    def save(self, positions: Positions) -> None:
        """Write all positions, durably and at once.

        Raises:
            OSError: the disk does not take them; those from before are there still.
        """
        beside = self.path.with_suffix(".new")
        data = {"version": _VERSION, **asdict(positions)}
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
        with os.fdopen(fd, "w") as file:
            json.dump(data, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, self.path)


def _read(path: Path) -> Positions | None:
    try:
        data = json.loads(path.read_bytes())
        if data["version"] != _VERSION:
            return None
        files = {str(name): _position(each) for name, each in data["files"].items()}
        return Positions(str(data["source"]), bool(data["follows"]), files)
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _position(data: dict[str, object]) -> Position:
    values = [data[name] for name in ("dev", "ino", "offset", "end", "check")]
    if not all(isinstance(value, int) and value >= 0 for value in values):
        raise ValueError
    return Position(*values)  # type: ignore[arg-type]


def followed(directory: Path) -> list[Positions]:
    """The positions of all targets that are being sent to; of a damaged file, that nothing is."""
    found = [_read(path) or Positions(follows=True) for path in directory.glob(".ship-*.json")]
    return [positions for positions in found if positions.follows]
