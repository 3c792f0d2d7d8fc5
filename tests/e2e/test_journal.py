"""`systemd-journal-upload` from a journal that `systemd-journal-remote` wrote, to /upload."""

import shutil
import socket
import struct
import subprocess
import threading
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import DEADLINE_SECONDS, Daemon, need, process, run

MESSAGES = 1000
BOOT = "0123456789abcdef0123456789abcdef"
MACHINE = "fedcba9876543210fedcba9876543210"
FIRST_MICROSECONDS = 1_780_000_000_000_000
CUT_BYTES = 64 * 1024


def program(name: str) -> str:
    """Return the path of one of systemd's programs, which lie beside PATH."""
    path = shutil.which(name, path="/usr/lib/systemd:/lib/systemd")
    return path or need(name)


def entry(number: int) -> bytes:
    """Write an entry in the export format; each tenth message has two lines and a control byte."""
    message = f"message {number} for user{number}@example.com".encode()
    field = b"MESSAGE=" + message + b"\n"
    if number % 10 == 0:
        message += b"\nsecond line \x1b[0m"
        field = b"MESSAGE\n" + struct.pack("<Q", len(message)) + message + b"\n"
    head = (
        f"__REALTIME_TIMESTAMP={FIRST_MICROSECONDS + number}\n"
        f"__MONOTONIC_TIMESTAMP={1000 + number}\n_BOOT_ID={BOOT}\n_MACHINE_ID={MACHINE}\n"
        f"_HOSTNAME=host1\n_PID={number + 1}\n_SYSTEMD_UNIT=shop.service\nSYSLOG_IDENTIFIER=shop\n"
        "PRIORITY=4\nSYSLOG_FACILITY=3\nORDER=7\n"
    )
    return head.encode() + field + b"\n"


def write_journal(path: Path, numbers: range) -> Path:
    """Make a journal file of numbered entries."""
    export = b"".join(map(entry, numbers))
    run([program("systemd-journal-remote"), "-o", str(path), "-"], stdin=export)
    return path


def upload(url: str, journal: Path, state: Path, *more: str) -> subprocess.CompletedProcess[bytes]:
    """Run the uploader to its end."""
    command = [program("systemd-journal-upload"), f"--url={url}", f"--file={journal}"]
    return subprocess.run(
        [*command, f"--save-state={state}", *more, "--follow=no"],
        capture_output=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )


def base(daemon: Daemon) -> str:
    """Return the URL to which the uploader adds its path."""
    return daemon.url("").rstrip("/")


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a journal file of MESSAGES entries."""
    return write_journal(tmp_path_factory.mktemp("journal") / "a.journal", range(MESSAGES))


def numbers_of(daemon: Daemon) -> list[int]:
    """Return the numbers of the messages stored, in order."""
    return [int(record["msg"].split()[1]) for record in daemon.records()]


def test_a_journal_is_uploaded_whole(daemon: Daemon, journal: Path, tmp_path: Path) -> None:
    """Each entry once, in order, with journald's fields in our places; answered when stored."""
    done = upload(base(daemon), journal, tmp_path / "state")

    assert done.returncode == 0, done.stderr
    assert "LAST_CURSOR" in (tmp_path / "state").read_text()
    records = daemon.records()  # no waiting: the uploader ends when it was answered
    assert numbers_of(daemon) == list(range(MESSAGES))
    seventh = records[7]
    received = seventh.pop("received")
    assert received.endswith("Z")
    assert seventh == {
        "ts": "2026-05-28T20:26:40.000007Z",
        "level": "WARN",
        "msg": "message 7 for u***@example.com",
        "emitter": "shop",
        "facility": "daemon",
        "severity": "warning",
        "host": "host1",
        "app": "shop",
        "procid": "8",
        "input": "journal",
        "peer": "127.0.0.1",
        "format": "journal",
        "_BOOT_ID": BOOT,
        "_MACHINE_ID": MACHINE,
        "_SYSTEMD_UNIT": "shop.service",
        "ORDER": "7",
    }
    assert records[10]["msg"].endswith("\nsecond line \x1b[0m")
    page = daemon.metrics()
    assert page.sum("logops_accepted_total", input="journal") == MESSAGES
    assert page.unaccounted("journal") == 0


def test_what_is_sent_again_is_dropped(daemon: Daemon, journal: Path, tmp_path: Path) -> None:
    """An uploader that lost its place starts over: nothing is stored twice, and it is counted."""
    for _ in range(2):
        assert upload(base(daemon), journal, tmp_path / "state").returncode == 0
        (tmp_path / "state").unlink()

    assert numbers_of(daemon) == list(range(MESSAGES))
    assert daemon.metrics().sum("logops_repeats_total", input="journal") == MESSAGES


def test_what_is_sent_again_after_a_restart_is_dropped(
    daemon: Daemon, journal: Path, tmp_path: Path
) -> None:
    """What was seen is kept over a restart."""
    assert upload(base(daemon), journal, tmp_path / "state").returncode == 0
    (tmp_path / "state").unlink()
    assert daemon.stop() == 0
    daemon.start()
    assert upload(base(daemon), journal, tmp_path / "state").returncode == 0

    assert numbers_of(daemon) == list(range(MESSAGES))
    assert daemon.metrics().sum("logops_repeats_total", input="journal") == MESSAGES


def test_a_connection_that_breaks_costs_nothing(
    daemon: Daemon, journal: Path, tmp_path: Path
) -> None:
    """The uploader fails in the middle, starts over from its old cursor, and all is there once."""
    with _CutProxy(daemon.address("http")) as proxy:
        done = upload(proxy.url, journal, tmp_path / "state")
    assert done.returncode != 0
    assert not (tmp_path / "state").exists()
    assert upload(base(daemon), journal, tmp_path / "state").returncode == 0

    assert sorted(numbers_of(daemon)) == list(range(MESSAGES))
    assert daemon.metrics().sum("logops_repeats_total", input="journal") > 0
    assert daemon.metrics().unaccounted("journal") == 0


def test_a_following_upload_sends_only_what_is_new(
    daemon: Daemon, journal: Path, tmp_path: Path
) -> None:
    """After a success the place is kept; the one entry it names is sent again, and known."""
    assert upload(base(daemon), journal, tmp_path / "state").returncode == 0
    assert upload(base(daemon), journal, tmp_path / "state").returncode == 0

    assert numbers_of(daemon) == list(range(MESSAGES))
    assert daemon.metrics().sum("logops_repeats_total", input="journal") <= 1


def test_an_uploader_that_follows(daemon: Daemon, journal: Path, tmp_path: Path) -> None:
    """As the service runs it: it is answered when all there is was sent, and waits for more."""
    command = [program("systemd-journal-upload"), f"--url={base(daemon)}", f"--file={journal}"]
    state = tmp_path / "state"
    with process([*command, "--follow", f"--save-state={state}"], tmp_path / "log") as uploader:
        daemon.wait_records(MESSAGES)
        daemon.wait_for(state.exists, "the uploader's note of its place")
        assert uploader.poll() is None
    assert daemon.metrics().unaccounted("journal") == 0


def test_a_refusal_is_understood(make_daemon: MakeDaemon, journal: Path, tmp_path: Path) -> None:
    """Where there is no such path the uploader says so and fails."""
    daemon = make_daemon().start()
    done = upload(base(daemon) + "/nowhere", journal, tmp_path / "state")
    assert done.returncode != 0
    assert b"404" in done.stderr
    assert daemon.raw() == b""


class _CutProxy:
    """Passes one connection on, and cuts it off after CUT_BYTES."""

    def __init__(self, to: tuple[str, int]) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "_CutProxy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        client, _ = self._listener.accept()
        with client, socket.create_connection(self._to) as server:
            left = CUT_BYTES
            while left and (data := client.recv(left)):
                server.sendall(data)
                left -= len(data)
