"""Whatever the disk does, every batch gets into the files, whole, in order, and receipts are true.

The machine drives the Writer as the thread does (again and again after an error), while calls
fail, writes come short, files are moved away and the process is killed.
"""

import json
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from logopsd.sinks.files import DirectoryLock
from logopsd.sinks.writer import Fsync, Writer
from tests.depth import examples
from tests.faults.helpers import ANY, SPACE, Fault, FaultyFiles

DAYS = ("20261122", "20261123")
CALLS = (
    "create",
    "open_append",
    "open_read",
    "open_update",
    "pread",
    "pwrite",
    "fstat",
    "stat",
    "close",
    "remove",
    "names",
    "fsync_directory",
)
FAULTS = st.lists(
    st.tuples(
        st.sampled_from([*["writev", "fsync"] * 4, *CALLS]),
        st.integers(0, 2),  # calls that pass before
        st.sampled_from(ANY),
        st.integers(0, 60),  # bytes taken before it fails
        st.integers(1, 3),  # how often it fails
    ),
    max_size=3,
)
ATTEMPTS = 300
"""More than any schedule of faults lasts."""


class DiskMachine(RuleBasedStateMachine):
    """Faults are of space alone where `gentle`: then nothing may be doubled either."""

    @initialize(
        fsync=st.sampled_from(["always", "never", 5.0]),
        max_file_bytes=st.sampled_from([0, 60, 200]),
        gentle=st.booleans(),
    )
    def start(self, fsync: Fsync, max_file_bytes: int, gentle: bool) -> None:
        """An empty directory and a new writer."""
        self.root = Path(tempfile.mkdtemp(prefix="logopsd-disk-"))
        self.directory = self.root / "ingest"
        self.directory.mkdir()
        self.fsync = fsync
        self.max_file_bytes = max_file_bytes
        self.gentle = gentle
        self.files = FaultyFiles()
        self.now = 0.0
        self.count = 0
        self.moved = 0
        self.crashes = 0
        self.receipted: dict[str, list[bytes]] = {day: [] for day in DAYS}
        self.torn: list[tuple[Path, int]] = []
        self._make_writer()

    def _make_writer(self) -> None:
        self.lock = DirectoryLock(self.directory)
        self.lock.acquire()
        self.writer = Writer(
            directory=self.directory,
            lock=self.lock,
            files=self.files,
            max_file_bytes=self.max_file_bytes,
            fsync=self.fsync,
            min_free_bytes=0,
            torn=lambda path, length: self.torn.append((path, length)),
            clock=lambda: self.now,
        )

    def _lines(self, sizes: list[int]) -> bytes:
        lines = []
        for size in sizes:
            lines.append(json.dumps({"n": self.count, "x": "x" * size}).encode() + b"\n")
            self.count += 1
        return b"".join(lines)

    def _attempt(self, step: str, times: int = ATTEMPTS) -> bool:
        for _ in range(times):
            try:
                getattr(self.writer, step)()
            except OSError:
                self.now += 0.1
            else:
                return True
        assert times < ATTEMPTS, "the writer never recovered"
        return False

    @rule(
        batches=st.lists(
            st.tuples(
                st.sampled_from(DAYS),
                st.lists(st.integers(0, 40), min_size=1, max_size=4),
            ),
            min_size=1,
            max_size=6,
        ),
        faults=FAULTS,
    )
    def store(
        self,
        batches: list[tuple[str, list[int]]],
        faults: list[tuple[str, int, int, int, int]],
    ) -> None:
        """One round: batches go in, and their receipts are given once write returns."""
        self._arm(faults)
        added = [(day, self._lines(sizes)) for day, sizes in batches]
        for day, data in added:
            self.writer.add(day, data)
        self._attempt("write")
        for day, data in added:
            self.receipted[day].extend(data.splitlines(keepends=True))
        if self.fsync == "always":
            self._check_durable(added)

    def _check_durable(self, added: list[tuple[str, bytes]]) -> None:
        """A receipt under `always` means: a power cut at this moment loses nothing of it."""
        kept = b"".join(self.files.durable(path) for path in self._paths())
        lines = set(kept.splitlines(keepends=True))
        for _, data in added:
            assert lines.issuperset(data.splitlines(keepends=True))

    def _arm(self, faults: list[tuple[str, int, int, int, int]]) -> None:
        """Some later calls will fail, or a write will come short."""
        for call, skip, code, taken, times in faults:
            if self.gentle and call == "fsync":
                continue
            queue = self.files.faults[call]
            queue.extend([None] * skip)
            if call in ("writev", "pwrite") and taken:
                queue.append(Fault(0, taken))
            queue.extend([Fault(SPACE[code % 2] if self.gentle else code)] * times)

    @rule(seconds=st.sampled_from([0.5, 2.0, 10.0, 100.0]), faults=FAULTS)
    def tend(self, seconds: float, faults: list[tuple[str, int, int, int, int]]) -> None:
        """Time goes by without a write."""
        self._arm(faults)
        self.now += seconds
        self._attempt("tend")

    @precondition(lambda self: not self.writer.open_paths or self.moved < 5)
    @rule(data=st.data())
    def move_file(self, data: st.DataObject) -> None:
        """Someone moves an open file away; it is noticed with the next look at it."""
        if paths := sorted(path for path in self.writer.open_paths if path.exists()):
            path = data.draw(st.sampled_from(paths))
            path.rename(self.root / f"{self.moved}-{path.name}")
            self.moved += 1
            self.writer.check_now()

    @rule(
        sizes=st.lists(st.integers(0, 40), min_size=1, max_size=4),
        attempts=st.integers(1, 3),
        faults=FAULTS,
    )
    def crash(
        self, sizes: list[int], attempts: int, faults: list[tuple[str, int, int, int, int]]
    ) -> None:
        """The process is killed in the midst of a batch, which has no receipt yet."""
        self._arm(faults)
        self.writer.add(DAYS[1], self._lines(sizes))
        if self._attempt("write", times=attempts):
            pass  # written, but killed before the receipt got out
        self.files.faults.clear()
        self.writer.abandon()
        self.lock.release()
        self.crashes += 1
        self._make_writer()

    def _paths(self) -> list[Path]:
        return [path for path in self.root.rglob("*.ndjson") if path.is_file()]

    @invariant()
    def receipted_lines_are_in_the_files(self) -> None:
        """Each line with a receipt is there, whole; in a quiet history once and in order."""
        if not hasattr(self, "root"):
            return
        for day in DAYS:
            paths = [path for path in self._paths() if day in path.name]
            lines = [
                line for path in sorted(paths, key=_age) for line in path.read_bytes().split(b"\n")
            ]
            there = set(lines)
            assert all(line[:-1] in there for line in self.receipted[day])
            if self.gentle and not self.crashes and not self.moved:
                assert [line + b"\n" for line in lines if line] == self.receipted[day]

    def teardown(self) -> None:
        """At an orderly end every line of every file is a whole JSON document."""
        if not hasattr(self, "root"):
            return
        try:
            self._attempt("close")
            self.writer.abandon()
            # A line that a failed file no longer took the rest of is mended at the next start.
            for path in self._paths():
                data = path.read_bytes()
                if not data.endswith(b"\n"):
                    data = data[: data.rfind(b"\n") + 1]
                for line in data.splitlines():
                    json.loads(line)
                if self.max_file_bytes and "torn" not in data.decode():
                    assert len(data) <= max(self.max_file_bytes, 4 * 64)
        finally:
            self.lock.release()
            shutil.rmtree(self.root)


def _age(path: Path) -> tuple[int, str]:
    """The order of a day's pieces, by their number."""
    stem = path.name.removesuffix(".ndjson")
    number = stem.rsplit("-", 1)[1] if "-" in stem else "0"
    return int(number) if len(number) < 8 else 0, path.name


TestDisk = DiskMachine.TestCase
TestDisk.settings = settings(max_examples=examples(50), stateful_step_count=25, deadline=None)
