"""Tokens move to a new key: whole files or not at all, and none is lost."""

import datetime
import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.commands.rekey import PART, Rekeyed, Report, rekey_files
from logopsd.privacy.tokens import TokenMaker, new_key
from logopsd.retention.files import RetentionFiles
from logopsd.sinks.files import DirectoryLock

NOW = 1_795_435_200.0
TODAY = f"{datetime.datetime.fromtimestamp(NOW, datetime.UTC):%Y%m%d}"
KEYS = [new_key(os.urandom) for _ in range(3)]
A, B, C = (TokenMaker([key], random_bytes=os.urandom) for key in KEYS)
BOTH = TokenMaker([KEYS[1], KEYS[0]], random_bytes=os.urandom)


def line(maker: TokenMaker, text: str) -> bytes:
    """A stored line with a token."""
    fields = {"ts": "t", "msg": "m***", "msg_enc": maker.encrypt_one(text, NOW), "n": 1.50}
    return json.dumps(fields, separators=(",", ":")).encode()


def moved(path: Path, maker: TokenMaker = BOTH) -> Report:
    """Rekey one file."""
    return rekey_files([path], maker.rotate, progress=lambda done, total: None, clock=lambda: NOW)


def tokens(path: Path) -> list[str]:
    """The tokens of a file."""
    lines = path.read_bytes().splitlines()
    return [json.loads(each)["msg_enc"] for each in lines if each.startswith(b"{")]


def test_tokens_move_and_nothing_else_changes(tmp_path: Path) -> None:
    """Lines that are no JSON, line ends, mode and time stamps stay; the primary key opens all."""
    path = tmp_path / "20261001.ndjson"
    data = line(A, "one") + b"\r\nno json\n\n" + line(B, "two") + b"\n" + line(A, "end")
    path.write_bytes(data)
    path.chmod(0o640)
    os.utime(path, (1e9, 1e9))

    report = moved(path)

    assert report.done == [(path, Rekeyed(moved=2, malformed=2))]
    assert [B.decrypt(token) for token in tokens(path)] == ["one", "two", "end"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.stat().st_mtime == 1e9
    without = [
        b"\n".join(each.split(b'"msg_enc"')[0::2]) for each in path.read_bytes().split(b"\n")
    ]
    assert without == [b"\n".join(each.split(b'"msg_enc"')[0::2]) for each in data.split(b"\n")]
    assert list(tmp_path.glob(f".*{PART}")) == []


def test_doing_it_again_changes_nothing(tmp_path: Path) -> None:
    """Not even the inode, so that who tails the file is left alone."""
    path = tmp_path / "20261001.ndjson"
    path.write_bytes(line(A, "one") + b"\n")
    moved(path)
    before = path.stat()

    assert str(moved(path).done[0][1]) == "moved 0 tokens"
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_token_that_no_key_opens_is_kept(tmp_path: Path) -> None:
    """It is counted, and the others move."""
    path = tmp_path / "20261001.ndjson"
    path.write_bytes(line(C, "lost") + b"\n" + line(A, "one") + b"\n")

    ((_, done),) = moved(path).done
    assert str(done) == "moved 1 tokens, kept 1 that no key opens"
    kept, new = tokens(path)
    assert (C.decrypt(kept), B.decrypt(new)) == ("lost", "one")


@given(st.integers(0, 5))
def test_cut_short_anywhere_no_token_is_lost(count: int) -> None:
    """A failure at any token leaves the whole old file; the next run does it all."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "20261001.ndjson"
        path.write_bytes(b"".join(line(A, str(n)) + b"\n" for n in range(5)))
        before = path.read_bytes()
        left = count

        def rotate(token: str) -> str:
            nonlocal left
            if not left:
                raise KeyboardInterrupt
            left -= 1
            return BOTH.rotate(token)

        try:
            rekey_files([path], rotate, progress=lambda done, total: None)
        except KeyboardInterrupt:
            assert path.read_bytes() == before
        assert [each.name for each in Path(folder).glob(f".*{PART}")] == []
        moved(path)
        assert [B.decrypt(token) for token in tokens(path)] == list("01234")


def test_what_a_killed_run_left_is_replaced(tmp_path: Path) -> None:
    """Its unfinished file is of no use, and goes."""
    path = tmp_path / "20261001.ndjson"
    path.write_bytes(line(A, "one") + b"\n")
    (tmp_path / f".{path.name}{PART}").write_text("half")

    assert moved(path).failed == []
    assert list(tmp_path.glob(f".*{PART}")) == []


def test_a_file_in_use_is_refused(tmp_path: Path) -> None:
    """Today's while a daemon has the folder; any while retention is at work; links, archives."""
    path = tmp_path / f"{TODAY}-error-2.ndjson"
    path.write_bytes(line(A, "one") + b"\n")
    lock = DirectoryLock(tmp_path)
    lock.acquire()
    ((_, reason),) = moved(path).failed
    assert f"process {os.getpid()}" in reason
    old = tmp_path / "20261001.ndjson"
    old.write_bytes(line(A, "one") + b"\n")
    assert moved(old).failed == []
    lock.release()
    assert moved(path).failed == []

    sweep = RetentionFiles().lock(tmp_path)
    ((_, reason),) = moved(old).failed
    assert "retention" in reason
    RetentionFiles().unlock(sweep)

    (tmp_path / "link").symlink_to(old)
    assert moved(tmp_path / "link").failed
    assert moved(tmp_path / "none").failed
    assert "archive" in moved(tmp_path / "x.zip").failed[0][1]


def test_a_file_written_to_meanwhile_stays(tmp_path: Path) -> None:
    """Whoever wrote to it has the newer truth."""
    path = tmp_path / "20261001.ndjson"
    path.write_bytes(line(A, "one") + b"\n")

    def rotate(token: str) -> str:
        with path.open("ab") as file:
            file.write(b"more\n")
        return BOTH.rotate(token)

    report = rekey_files([path], rotate, progress=lambda done, total: None)

    assert "written to meanwhile" in report.failed[0][1]
    assert A.decrypt(tokens(path)[0]) == "one"
    assert path.read_bytes().endswith(b"more\n")


def test_progress_goes_over_all_files(tmp_path: Path) -> None:
    """To the sum of their sizes."""
    paths = [tmp_path / name for name in ("20261001.ndjson", "20261002.ndjson")]
    for path in paths:
        path.write_bytes(line(A, "one") + b"\n")
    total = sum(path.stat().st_size for path in paths)
    seen: list[tuple[int, int]] = []
    rekey_files(paths, BOTH.rotate, progress=lambda *at: seen.append(at), clock=lambda: NOW)

    assert seen == [(total // 2, total), (total, total)]


@pytest.mark.parametrize("name", ["20261001.ndjson", "copy.ndjson"])
def test_a_full_disk_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The reason is told, and nothing is left beside."""
    path = tmp_path / name
    path.write_bytes(line(A, "one") + b"\n")

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert moved(path).failed == [(path, "No space left on device")]
    assert A.decrypt(tokens(path)[0]) == "one"
    assert list(tmp_path.glob(f".*{PART}")) == []
