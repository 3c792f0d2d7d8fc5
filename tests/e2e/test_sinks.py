"""Where records go: standard output, split files beside the daily one, and all of them at once."""

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import DEADLINE_SECONDS, Daemon, wait_for


def records_in(*paths: Path) -> list[dict]:
    """What files hold, whose lines must all be whole."""
    return [json.loads(line) for path in paths for line in path.read_bytes().splitlines()]


def test_the_container_mode(make_daemon: MakeDaemon) -> None:
    """Records on standard output, the daemon's own log on standard error, and no file at all."""
    daemon = make_daemon({"LOGOPS_SINK_FILE": "false", "LOGOPS_SINK_STDOUT": "true"})
    daemon.directory.mkdir()
    daemon.stdout = daemon.directory / "stdout"
    daemon.start()
    body = json.dumps([{"level": "warn", "msg": "by anna.nowak@example.com"}, {"msg": "two"}])
    status, answer = daemon.post(body.encode())

    assert (status, answer["accepted"]) == (200, 2)
    assert [r["msg"] for r in records_in(daemon.stdout)] == ["by a***@example.com", "two"]
    assert daemon.stop() == 0
    assert len(records_in(daemon.stdout)) == 2
    assert not (daemon.directory / "data").exists()


@pytest.mark.parametrize(("split", "labels"), [("level", "error info"), ("input", "http tcp")])
def test_split_files_stand_beside_the_daily_one(
    make_daemon: MakeDaemon, split: str, labels: str
) -> None:
    """Each record is in the daily file, in the file of its label, and on standard output."""
    daemon = make_daemon({"LOGOPS_SINK_SPLIT": split, "LOGOPS_SINK_STDOUT": "true"})
    daemon.directory.mkdir()
    daemon.stdout = daemon.directory / "stdout"
    daemon.start()
    assert daemon.post(b'[{"level": "error", "msg": "a"}, {"msg": "b"}]')[0] == 200
    daemon.send_tcp(b"<11>app: c\n")
    wait_for(lambda: daemon.metrics().sum("logops_accepted_total") == 3, "all receipts")

    daily = daemon.records()
    paths = sorted((daemon.sink / "split").glob("*.ndjson"))
    assert [path.stem.partition("-")[2] for path in paths] == labels.split()
    assert sorted(map(str, records_in(*paths))) == sorted(map(str, daily))
    for path in paths:
        assert {r[split].lower() for r in records_in(path)} == {path.stem.partition("-")[2]}
    assert list(map(str, records_in(daemon.stdout))) == list(map(str, daily))
    # What tails the directory sees each record once.
    assert len(list(daemon.sink.glob("*.ndjson"))) == 1
    assert daemon.metrics().unaccounted("http") == 0
    assert daemon.stop() == 0


def test_a_second_daemon_never_shares_the_split_files(make_daemon: MakeDaemon) -> None:
    """A daemon that would write into another one's folder of split files is refused."""
    first = make_daemon({"LOGOPS_SINK_SPLIT": "level"}).start()
    second = make_daemon({"LOGOPS_SINK_DIR": str(first.sink / "split")}, name="second")
    second.allowed.add("cannot start")
    second.spawn()

    assert second.wait_exit() == 1
    assert "is in use by another logopsd" in second.log_text()


def room(daemon: Daemon) -> float:
    """Free bytes, as the daemon shows them."""
    return daemon.metrics().sum("logops_sink_free_bytes")


def test_housekeeping_and_room_are_shown(make_daemon: MakeDaemon) -> None:
    """When a round last went well and the room on the disk stand on the metrics page."""
    daemon = make_daemon().start()
    name = "logops_housekeep_last_success_timestamp_seconds"
    daemon.wait_for(lambda: daemon.metrics().sum(name) > 1_700_000_000, "the first round")
    assert room(daemon) > 0
    daemon.stop()
    by_hand = make_daemon({"LOGOPS_HOUSEKEEP_AUTORUN": "false"}, name="by hand").start()
    assert name not in by_hand.metrics().text.replace(f"# HELP {name}", "").replace(
        f"# TYPE {name}", ""
    )


def test_a_stopping_daemon_does_not_wait_for_an_archive(make_daemon: MakeDaemon) -> None:
    """A large archive under way is given up at the end, and its source stays."""
    daemon = make_daemon({"LOGOPS_ARCHIVE_MODE": "zip", "LOGOPS_RETENTION_DAYS": "1"})
    daemon.sink.mkdir(parents=True)
    old = daemon.sink / "20200101.ndjson"
    with old.open("wb") as file:
        file.seek(3 * 2**30)  # takes far longer to compress than the daemon may take to end
        file.write(b"\n")
    daemon.start()
    part = daemon.directory / "data" / "archive" / "20200101.ndjson.zip.part"
    daemon.wait_for(part.exists, "the archive to be begun", DEADLINE_SECONDS)

    assert daemon.stop() == 0
    assert old.exists()
    assert not list(part.parent.glob("*.zip"))
