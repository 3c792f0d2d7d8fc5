import errno
import os
import stat
from pathlib import Path

import pytest

from logopsd.sinks.files import DirectoryLock, OsFiles


def test_a_new_file_has_its_mode_and_is_never_another_ones(tmp_path: Path) -> None:
    """Created with 0640 whatever the umask; an existing file is an error; not inherited."""
    path = tmp_path / "file"
    before = os.umask(0o077)
    try:
        fd = OsFiles().create(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert not os.get_inheritable(fd)
    os.close(fd)
    with pytest.raises(FileExistsError):
        OsFiles().create(path)


@pytest.mark.parametrize(("code", "fails"), [(errno.EPERM, False), (errno.EIO, True)])
def test_a_file_system_without_modes_is_good_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, fails: bool
) -> None:
    """Where modes cannot be set there are none to set; any other error leaks no descriptor."""

    def refuse(fd: int, mode: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fchmod", refuse)
    before = len(os.listdir("/proc/self/fd"))
    if fails:
        with pytest.raises(OSError, match="Input/output"):
            OsFiles().create(tmp_path / "file")
    else:
        os.close(OsFiles().create(tmp_path / "file"))
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(("code", "fails"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_a_directory_that_cannot_be_fsynced_is_good_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, fails: bool
) -> None:
    """Some file systems have no fsync of directories and need none; a real error is one."""

    def refuse(fd: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    if fails:
        with pytest.raises(OSError, match="Input/output"):
            OsFiles().fsync_directory(tmp_path)
    else:
        OsFiles().fsync_directory(tmp_path)


def test_free_bytes_are_those_of_the_file_system(tmp_path: Path) -> None:
    """A positive number on any disk that tests run on."""
    assert OsFiles().free_bytes(tmp_path) > 0


def test_the_lock_names_its_owner_and_ends_with_release(tmp_path: Path) -> None:
    """Two of them exclude each other, within one process too; releasing twice is no harm."""
    one, two = DirectoryLock(tmp_path), DirectoryLock(tmp_path)
    assert two.owner() == "unknown"
    one.acquire()
    one.ensure()
    with pytest.raises(BlockingIOError):
        two.acquire()
    assert two.owner() == str(os.getpid())
    one.release()
    one.release()
    two.acquire()
    two.release()
    (tmp_path / ".lock").write_bytes(b"nonsense")
    assert two.owner() == "unknown"


def test_the_lock_does_not_need_room_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk the daemon starts; only the number of the process is missing."""

    def full(fd: int, data: bytes, offset: int) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "pwrite", full)
    lock = DirectoryLock(tmp_path)
    lock.acquire()
    assert lock.owner() == "unknown"
    lock.release()


def test_the_lock_is_taken_anew_in_a_new_directory(tmp_path: Path) -> None:
    """A directory that was replaced is another one; the old lock is let go."""
    directory = tmp_path / "ingest"
    directory.mkdir()
    lock = DirectoryLock(directory)
    lock.acquire()
    directory.rename(tmp_path / "old")
    with pytest.raises(FileNotFoundError):
        lock.ensure()
    directory.mkdir()
    lock.ensure()
    old = DirectoryLock(tmp_path / "old")
    old.acquire()
    old.release()
    with pytest.raises(BlockingIOError):
        DirectoryLock(directory).acquire()
    lock.release()
