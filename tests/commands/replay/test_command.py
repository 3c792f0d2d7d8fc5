"""`logopsd replay` over files made by hand, as its command line has it."""

import json
import os
import zipfile
from pathlib import Path

import pytest

from logopsd import cli
from logopsd.commands.replay import batches
from logopsd.commands.replay.targets import NoTarget

PLACES = ("LOGOPS_SINK_DIR", "LOGOPS_ARCHIVE_DIR")


def lines(*messages: str, at: str = "2026-11-23T12:00:00.000Z", level: str = "INFO") -> bytes:
    """Stored lines."""
    records = [{"ts": at, "level": level, "msg": msg, "received": at} for msg in messages]
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


class Command:
    """The command in a directory of its own."""

    def __init__(self, directory: Path, capture: pytest.CaptureFixture[bytes]) -> None:
        self.directory = directory
        self._capture = capture

    def write(self, name: str, data: bytes) -> None:
        """Write a file, or an archive of it."""
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        if name.endswith(".zip"):
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(path.stem, data)
        else:
            path.write_bytes(data)

    def run(self, *args: str) -> tuple[int, list[str], str]:
        """Run it; returns status, the messages on standard output, and standard error."""
        status = cli.main(["replay", *args])
        out, err = self._capture.readouterr()
        return status, [json.loads(line)["msg"] for line in out.splitlines()], err.decode()


@pytest.fixture
def command(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Return the command, its settings on directories below `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    for name, folder in zip(PLACES, ("sink", "archive"), strict=True):
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setenv("LOGOPS_ARCHIVE_MODE", "zip")
    return Command(tmp_path, capfdbinary)


def test_files_and_archives_of_the_settings(command: Command) -> None:
    """Oldest first; what is torn is said, and is no failure."""
    command.write("archive/20261121.ndjson.zip", lines("a", at="2026-11-21T12:00:00.000Z"))
    command.write("sink/20261122.ndjson", lines("b", at="2026-11-22T12:00:00.000Z"))
    command.write("sink/20261123.ndjson", lines("c", "d") + lines("e")[:20])

    status, messages, err = command.run()
    assert (status, messages) == (0, list("abcd"))
    assert err == (
        "logopsd: replayed 4 records, received from 2026-11-21T12:00:00.000Z to "
        "2026-11-23T12:00:00.000Z; 1 torn last lines left out\n"
    )
    times = ("--since", "2026-11-22T00:00:00Z", "--until", "2026-11-23T13:00:00+01:00")
    assert command.run(*times)[:2] == (0, ["b"])


def test_named_files_are_read_in_the_order_given(command: Command) -> None:
    """Whatever their names; the settings are not asked for, and may be wrong."""
    command.write("x.ndjson", lines("1") + lines("2", level="ERROR"))
    command.write("y.zip", lines("3", level="CRITICAL"))
    os.environ["LOGOPS_NO_SUCH"] = "1"
    try:
        assert command.run("--level", "error", "y.zip", "x.ndjson")[:2] == (0, ["3", "2"])
    finally:
        del os.environ["LOGOPS_NO_SUCH"]


def test_what_cannot_be_read_does_not_hide_the_others(command: Command) -> None:
    """It is named, and the status says so."""
    command.write("a.zip", b"")
    (command.directory / "a.zip").write_bytes(b"PK")
    command.write("b.ndjson", lines("1"))

    status, messages, err = command.run("a.zip", "none.ndjson", "b.ndjson")
    assert (status, messages) == (1, ["1"])
    assert "not read, or not to its end: a.zip: a.zip is no zip archive, or is damaged\n" in err
    assert "none.ndjson: No such file or directory\n" in err


def test_lines_that_are_no_records_show_in_the_status(command: Command) -> None:
    """All else is done."""
    command.write("a.ndjson", lines("1") + b"no JSON\n" + lines("2"))
    status, messages, err = command.run("a.ndjson")
    assert (status, messages) == (3, ["1", "2"])
    assert "; 1 lines that are no records left out\n" in err


def test_a_file_is_made_and_never_written_over(command: Command) -> None:
    """Byte for byte what was stored."""
    data = lines("1", "ü")
    command.write("a.ndjson", data)
    assert command.run("a.ndjson", "--to", "out.ndjson")[:2] == (0, [])
    assert (command.directory / "out.ndjson").read_bytes() == data
    status, _, err = command.run("a.ndjson", "--to", "out.ndjson")
    assert (status, err) == (
        1,
        "logopsd: out.ndjson is there already; name a file that is not\n",
    )


def test_a_dry_run_only_counts(command: Command) -> None:
    """It opens no target."""
    command.write("a.ndjson", lines("1", "2"))
    status, messages, err = command.run("a.ndjson", "--dry-run", "--to", "out.ndjson")
    assert (status, messages) == (0, [])
    assert f"would replay 2 records, {len(lines('1', '2'))} bytes, received from 2026" in err
    assert not (command.directory / "out.ndjson").exists()


def test_nothing_there_is_said(command: Command) -> None:
    """With where it was looked for."""
    status, _, err = command.run("--since", "1h")
    assert status == 0
    assert f"nothing of that time in {command.directory / 'sink'}" in err


@pytest.mark.parametrize(
    "target", ["ftp://a", "http://", "tcp://a", "tcp://a:x", "nats://a:4222", "http://[::"]
)
def test_a_target_that_is_none_is_refused(command: Command, target: str) -> None:
    """With what can be one."""
    command.write("a.ndjson", lines("1"))
    status, _, err = command.run("a.ndjson", "--to", target)
    assert status == 1
    assert "--to takes a file, http://host:8080" in err


def test_a_token_file_without_a_token_is_refused(command: Command) -> None:
    """Before anything is sent."""
    command.write("token", b"# none\n")
    status, _, err = command.run("--to", "http://127.0.0.1:1", "--token-file", "token")
    assert status == 1
    assert "holds no token" in err


@pytest.mark.parametrize("option", ["--rate=0", "--rate=x", "--since=soon", "--level=loud"])
def test_a_command_line_that_is_wrong(command: Command, option: str) -> None:
    """Status 2, and what is taken."""
    status, _, err = command.run(option)
    assert status == 2
    assert "takes" in err


def test_where_it_stopped_is_said(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the last batch that was taken, so that one can go on there."""
    monkeypatch.setattr(batches, "MAX_LINES", 1)

    def send(_: NoTarget, sent: list[bytes]) -> None:
        if b'"3"' in sent[0]:
            raise KeyboardInterrupt

    monkeypatch.setattr(NoTarget, "send", send)
    stored = [lines(text, at=f"2026-11-23T12:00:0{text}.000Z") for text in "1234"]
    command.write("sink/20261123.ndjson", b"".join(stored))
    status, _, err = command.run("--dry-run", "--to", "http://h")
    assert status == 130
    assert err.endswith("stopped; to go on from there: --since 2026-11-23T12:00:02.000Z\n")
