"""Reads the files of the daemon as a shipper would, and checks off what it finds."""

import re
import time
from collections import defaultdict
from pathlib import Path

import msgspec

SETTLED_SECONDS = 5.0  # after which nothing is written any more to a file that has a successor

_number = re.compile(r"n=([0-9]+) ")


class _Line(msgspec.Struct):
    input: str
    format: str
    msg: str
    app: str | None = None


class Ledger:
    """What is stored, by sender and by input.

    Args:
        directory: of the files; those that were read and have a successor are removed.

    Attributes:
        stored: lines by input, without the daemon's own.
        doubled: records found twice, by sender.
    """

    def __init__(self, directory: Path) -> None:
        self.stored: dict[str, int] = defaultdict(int)
        self.doubled: dict[str, int] = defaultdict(int)
        self._directory = directory
        self._seen: dict[str, bytearray] = defaultdict(bytearray)
        self._offsets: dict[int, int] = {}  # by inode: files are moved, too
        self._decode = msgspec.json.Decoder(_Line).decode

    def read(self, *, last: bool = False) -> None:
        """Read what was added since, and remove what is read and done with."""
        paths = sorted(self._directory.glob("*.ndjson"), key=lambda path: path.stat().st_mtime)
        for path in paths:
            there = path.stat()
            offset = self._offsets.get(there.st_ino, 0)
            with path.open("rb") as file:
                file.seek(offset)
                data = file.read()
            data = data[: data.rfind(b"\n") + 1]
            for line in data.splitlines():
                self._take(line)
            self._offsets[there.st_ino] = offset + len(data)
            settled = time.time() - there.st_mtime > SETTLED_SECONDS
            if path != paths[-1] and settled and offset + len(data) == there.st_size and not last:
                path.unlink()
                del self._offsets[there.st_ino]

    def missing(self, sender: str, sent: int) -> int:
        """Return how many of the numbers below `sent` were not found."""
        return sent - sum(self._seen[sender][:sent])

    def beyond(self, sender: str, sent: int) -> int:
        """Return how many numbers were found that were not told as taken."""
        return sum(self._seen[sender][sent:])

    def _take(self, line: bytes) -> None:
        record = self._decode(line)
        if record.format == "account" or record.app == "logopsd":
            return
        self.stored[record.input] += 1
        if record.app is None or not record.app.startswith("soak-"):
            return
        match = _number.match(record.msg)
        assert match is not None, record.msg[:80]
        seen, number = self._seen[record.app], int(match[1])
        if number >= len(seen):
            seen.extend(bytes(max(4096, number + 1 - len(seen))))
        self.doubled[record.app] += seen[number]
        seen[number] = 1
