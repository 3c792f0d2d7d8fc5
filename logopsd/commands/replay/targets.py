"""Where records are replayed to, behind one contract; files and standard output."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

FILE_MODE = 0o640
"""Of a file that is made: that of the sink's own."""


@dataclass(slots=True)
class Sent:
    """What became of the records.

    Attributes:
        taken: by the target: written, or answered as stored.
        rejected: lines that a receiver could not read, or stored none of for its rate limit.
        perhaps_twice: sent again, as the connection broke before they were answered.
    """

    taken: int = 0
    rejected: int = 0
    perhaps_twice: int = 0


class Target(Protocol):
    """Takes lines.

    Attributes:
        sent: what became of them.
    """

    sent: Sent

    def send(self, lines: Sequence[bytes]) -> None:
        """Take lines; they are where they belong when it returns.

        Raises:
            LogopsError: the target takes no more; the text says why.
            OSError: they cannot be written.
        """

    def close(self) -> None:
        """Nothing more comes."""


class FileTarget:
    """Writes lines to a file.

    Args:
        file: open for writing.
        durable: it is fsynced in the end.
    """

    def __init__(self, file: IO[bytes], *, durable: bool = False) -> None:
        self.sent = Sent()
        self._file = file
        self._durable = durable

    def send(self, lines: Sequence[bytes]) -> None:
        """Write them."""
        self._file.write(b"".join(lines))
        self._file.flush()  # who reads on is not to wait for more, nor we to learn that nobody does
        self.sent.taken += len(lines)

    def close(self) -> None:
        """Where it is to be durable, put it onto the disk."""
        if self._durable:
            os.fsync(self._file.fileno())
            self._file.close()


class NoTarget:
    """Takes lines to nowhere, for a dry run."""

    def __init__(self) -> None:
        self.sent = Sent()

    def send(self, lines: Sequence[bytes]) -> None:
        """Let them go."""

    def close(self) -> None:
        """Nothing is open."""


def new_file(path: Path) -> FileTarget:
    """Make a file that is not there yet.

    Raises:
        FileExistsError: it is; nothing that was stored is written over.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    return FileTarget(os.fdopen(fd, "wb"), durable=True)
