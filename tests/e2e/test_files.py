"""The files: names, rotation, torn tails, retention, settings that name them."""

import json
import signal
import socket
import subprocess
import threading
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import Daemon, logopsd


def test_the_file_is_named_by_the_utc_day(daemon: Daemon) -> None:
    """YYYYMMDD.ndjson of the day of arrival, whatever the record's own time says."""
    before = datetime.now(UTC)
    daemon.send_udp(b"<13>1 2003-10-11T22:14:15Z h app - - - old")
    (record,) = daemon.wait_records(1)

    (path,) = daemon.sink.glob("*.ndjson")
    days = {f"{moment:%Y%m%d}" for moment in (before, datetime.now(UTC))}
    assert path.stem in days
    assert record["ts"] == "2003-10-11T22:14:15Z"


def test_a_torn_last_line_is_set_aside_at_start(make_daemon: MakeDaemon) -> None:
    """What a crash left of a line goes to a file of its own, with a warning; the rest stays."""
    daemon = make_daemon()
    daemon.sink.mkdir(parents=True)
    today = datetime.now(UTC)
    whole, torn = b'{"ts":"x","msg":"whole"}\n', b'{"ts":"x","msg":"to'
    for moment in (today, today - timedelta(days=1)):
        (daemon.sink / f"{moment:%Y%m%d}.ndjson").write_bytes(whole + torn)
    daemon.start()
    daemon.send_tcp(b"after\n")
    daemon.wait_for(lambda: b"after" in daemon.raw(), "the record after the start")

    records = daemon.records()  # each line is JSON again
    notices = [record for record in records if "torn" in record["msg"]]
    assert [r["msg"] for r in records if r not in notices] == ["whole", "whole", "after"]
    assert len(notices) == 2
    set_aside = [path for path in daemon.sink.iterdir() if ".torn" in path.name]
    assert [path.read_bytes() for path in set_aside] == [torn + b"\n"] * 2
    assert all(not path.name.endswith(".ndjson") for path in set_aside)
    assert any(event["level"] == "warning" for event in daemon.events())


def test_a_new_file_after_the_size_limit(make_daemon: MakeDaemon) -> None:
    """With LOGOPS_SINK_MAX_BYTES the day goes on in YYYYMMDD-N.ndjson; no line is split."""
    daemon = make_daemon({"LOGOPS_SINK_MAX_BYTES": "4096"}).start()
    for number in range(40):
        daemon.post(json.dumps({"msg": f"number {number} " + "x" * 300}).encode())

    assert len(daemon.records()) == 40
    files = list(daemon.sink.glob("*.ndjson"))
    assert len(files) > 2
    assert all(path.stat().st_size <= 4096 + 1024 for path in files)
    everything = [json.loads(line) for path in files for line in path.read_bytes().splitlines()]
    assert {int(record["msg"].split()[1]) for record in everything} == set(range(40))


@pytest.mark.parametrize("hang_up", [True, False])
def test_files_moved_under_load_lose_nothing(make_daemon: MakeDaemon, hang_up: bool) -> None:
    """As logrotate does: the moved file is whole, the next goes on, at once or within a second."""
    daemon = make_daemon().start()
    ending = threading.Event()
    sent = 0

    def send() -> None:
        nonlocal sent
        with socket.create_connection(daemon.address("tcp")) as sock:
            while not ending.wait(0.001):
                sock.sendall(b"".join(b"number %d\n" % n for n in range(sent, sent + 10)))
                sent += 10

    sender = threading.Thread(target=send)
    sender.start()
    path = daemon.sink / f"{datetime.now(UTC):%Y%m%d}.ndjson"
    moved = []
    for number in range(3):
        daemon.wait_for(lambda: path.exists() and path.stat().st_size, "the file of today")
        moved.append(path.with_name(f"moved.{number}"))
        path.rename(moved[-1])
        if hang_up:
            daemon.signal(signal.SIGHUP)
    daemon.wait_for(path.exists, "the last file")
    ending.set()
    sender.join()
    assert daemon.stop() == 0

    numbers = [
        int(json.loads(line)["msg"].split()[1])
        for file in (*moved, path)
        for line in file.read_bytes().splitlines()
    ]
    assert numbers == list(range(sent))


@pytest.mark.parametrize("mode", ["delete", "zip"])
def test_old_files_go_at_start(make_daemon: MakeDaemon, mode: str) -> None:
    """Files older than LOGOPS_RETENTION_DAYS are deleted or zipped; young and strange ones stay."""
    daemon = make_daemon({"LOGOPS_RETENTION_DAYS": "7", "LOGOPS_ARCHIVE_MODE": mode})
    daemon.sink.mkdir(parents=True)
    young = f"{datetime.now(UTC) - timedelta(days=3):%Y%m%d}.ndjson"
    for name in ("20200101.ndjson", "20200102-3.ndjson", young, "notes.txt"):
        (daemon.sink / name).write_bytes(b'{"msg":"kept"}\n')
    daemon.start()
    daemon.wait_for(lambda: daemon.events("housekeep"), "the first round of housekeeping")

    left = {path.name for path in daemon.sink.iterdir() if not path.name.startswith(".")}
    assert {"notes.txt", young} <= left
    assert not [name for name in left if name.startswith("2020")]
    archived = []
    for path in sorted((daemon.directory / "data").rglob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            archived += [(name, archive.read(name)) for name in archive.namelist()]
    expected = [
        ("20200101.ndjson", b'{"msg":"kept"}\n'),
        ("20200102-3.ndjson", b'{"msg":"kept"}\n'),
    ]
    assert archived == (expected if mode == "zip" else [])


def test_housekeep_by_hand(make_daemon: MakeDaemon) -> None:
    """`logopsd housekeep --dry-run` says what it would do and does nothing; without it, it does."""
    daemon = make_daemon()
    daemon.sink.mkdir(parents=True)
    old = daemon.sink / "20200101.ndjson"
    old.write_bytes(b'{"msg":"old"}\n')

    def housekeep(*args: str) -> str:
        return subprocess.run(
            logopsd("housekeep", *args),
            cwd=daemon.directory,
            env=daemon.env,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout

    assert "20200101.ndjson" in housekeep("--dry-run")
    assert old.exists()
    assert "20200101.ndjson" in housekeep()
    assert not old.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_settings_come_from_the_env_file(make_daemon: MakeDaemon, encoding: str) -> None:
    """.env in the working directory is read with any byte-order mark; the environment wins."""
    daemon = make_daemon({"LOGOPS_LOG_LEVEL": "info"})
    daemon.sink = daemon.directory / "elsewhere"
    daemon.directory.mkdir()
    (daemon.directory / ".env").write_text(
        "LOGOPS_SINK_DIR=./elsewhere\nLOGOPS_LOG_LEVEL=error\n", encoding=encoding
    )
    daemon.start()
    daemon.send_tcp(b"hello\n")

    assert [record["msg"] for record in daemon.wait_records(1)] == ["hello"]


def test_bad_settings_are_all_named_at_once(make_daemon: MakeDaemon) -> None:
    """Unknown names and bad values end the start with status 78, each with its line."""
    daemon = make_daemon()
    daemon.directory.mkdir()
    (daemon.directory / ".env").write_text("LOGOPS_SINK_DIRR=x\n\nLOGOPS_FSYNC=often\n")
    daemon.env["LOGOPS_RETENTION_DAYS"] = "-1"
    for command in (logopsd(), logopsd("check")):
        done = subprocess.run(
            command,
            cwd=daemon.directory,
            env=daemon.env,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 78
        for name in ("LOGOPS_SINK_DIRR", "LOGOPS_FSYNC", "LOGOPS_RETENTION_DAYS"):
            assert name in done.stderr
    assert not daemon.sink.exists()


def test_a_directory_that_cannot_be_written_is_named(make_daemon: MakeDaemon) -> None:
    """A place where no directory can be made ends the start with status 1 and the path."""
    daemon = make_daemon({"LOGOPS_SINK_DIR": "/proc/nowhere"})
    daemon.allowed.add("cannot start")
    daemon.spawn()

    assert daemon.wait_exit() == 1
    assert "/proc/nowhere" in daemon.log_text()
