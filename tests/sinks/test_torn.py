import errno
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logopsd.sinks.files import OsFiles
from logopsd.sinks.torn import mend_torn_tail
from tests.depth import examples
from tests.faults.helpers import Fault, FaultyFiles
from tests.sinks.helpers import line


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file name of the sink, in a directory of its own."""
    return tmp_path_factory.mktemp("torn") / "20261123.ndjson"


@given(
    whole=st.integers(0, 3),
    fragment=st.one_of(
        st.binary(min_size=1, max_size=400),
        st.sampled_from([b"\0" * 200_000, b"x" * 65_536, b"{"]),
    ).map(lambda data: data.replace(b"\n", b"_")),
)
@settings(max_examples=examples(60), deadline=None)
def test_every_line_is_json_and_nothing_gets_lost(path: Path, whole: int, fragment: bytes) -> None:
    """Whatever the fragment: it is in .torn, whole lines stay, and the file does not shrink."""
    aside = path.with_name(path.name + ".torn")
    aside.unlink(missing_ok=True)
    lines = [line(str(n)) for n in range(whole)]
    path.write_bytes(b"".join(lines) + fragment)
    before = path.stat()
    assert mend_torn_tail(OsFiles(), path) == len(fragment)
    data = path.read_bytes()
    assert data.splitlines(keepends=True)[:-1] == lines
    notice = json.loads(data.splitlines()[-1])
    assert notice["msg"] == f"a torn line of {len(fragment)} bytes was set aside"
    assert data.endswith(b"\n")
    assert len(data) > before.st_size
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert aside.read_bytes() == fragment + b"\n"
    assert mend_torn_tail(OsFiles(), path) == 0


def test_whole_and_empty_files_are_left_alone(path: Path) -> None:
    """A file that ends with LF, and one without a byte, are as they should be."""
    for data in (b"", line("x")):
        path.write_bytes(data)
        assert mend_torn_tail(OsFiles(), path) == 0
        assert path.read_bytes() == data


@pytest.mark.parametrize("call", ["create", "pread", "writev", "pwrite", "fsync"])
@pytest.mark.parametrize("after", [0, 1])
def test_mending_that_failed_can_be_done_again(path: Path, call: str, after: int) -> None:
    """An error at any step leaves the whole lines whole; the next attempt mends what is left."""
    path.with_name(path.name + ".torn").unlink(missing_ok=True)
    path.write_bytes(line("kept") + b"fragment")
    files = FaultyFiles()
    files.faults[call].extend([None] * after + [Fault(0, 3), Fault(errno.EIO)])
    try:
        mend_torn_tail(files, path)
    except OSError:
        files.faults.clear()
        mend_torn_tail(files, path)
    lines = path.read_bytes().splitlines(keepends=True)
    assert lines[0] == line("kept")
    assert all(json.loads(text) for text in lines)
    assert lines[-1].endswith(b"\n")
    assert b"fragment\n" in path.with_name(path.name + ".torn").read_bytes()


def test_a_time_that_cannot_be_set_is_no_error(path: Path) -> None:
    """Only the owner of a file may set its time; the line is mended all the same."""
    path.write_bytes(b"torn")
    files = FaultyFiles()
    files.faults["set_time"].append(Fault(errno.EPERM))
    assert mend_torn_tail(files, path) == 4
    assert mend_torn_tail(files, path) == 0


def test_a_file_that_is_cut_off_by_someone_else_meanwhile_is_left(path: Path) -> None:
    """A read that comes back empty ends the copying; it does not go on for ever."""
    path.write_bytes(line("whole") + b"torn")

    class Cuts(FaultyFiles):
        def create(self, path: Path) -> int:
            self.cut = True
            return super().create(path)

        def pread(self, fd: int, size: int, offset: int) -> bytes:
            return b"" if hasattr(self, "cut") else super().pread(fd, size, offset)

    aside = path.with_name(path.name + ".torn")
    aside.unlink(missing_ok=True)
    assert mend_torn_tail(Cuts(), path) == 4
    assert aside.read_bytes() == b"\n"
    assert path.read_bytes().endswith(b"\n")
