"""The command line: what it prints, its exit statuses, and that it leaves no traceback."""

import datetime
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from structlog.typing import FilteringBoundLogger

import logopsd
from logopsd import cli
from logopsd.cli import main, make_parser
from logopsd.config import Settings, describe
from logopsd.errors import ListenError, SettingsError

ROOT = Path(__file__).parents[1]
KEY = "WmV0YS1pcy1ub3QtYS1zZWNyZXQtMzItYnl0ZXMtISE="


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has an empty working directory and no settings of its surroundings."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("LOGOPS_")]:
        monkeypatch.delenv(name)


def process(
    *args: str, stdout: int = subprocess.PIPE, **environ: str
) -> "subprocess.CompletedProcess[str]":
    """Run the command line as a process in the working directory."""
    return subprocess.run(
        [sys.executable, "-m", "logopsd", *args],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=30,
    )


def test_check_is_fine_without_settings(capsys: pytest.CaptureFixture[str]) -> None:
    """The defaults are valid, and checking them makes nothing."""
    assert main(["check"]) == 0
    assert capsys.readouterr().out == "settings ok\n"
    assert list(Path().iterdir()) == []


def test_check_print_shows_every_setting_and_its_source(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each effective setting stands on a line with where it comes from; paths are absolute."""
    Path(".env").write_text("LOGOPS_TCP_PORT=any\n")
    monkeypatch.setenv("LOGOPS_UDP_PORT", "0")

    assert main(["check", "--print"]) == 0

    lines = capsys.readouterr().out.splitlines()
    shown = dict(line.split("=", 1) for line in lines if "=" in line)
    assert lines[0] == "settings ok"
    assert list(shown) == [setting.name for setting in describe()]
    assert shown["LOGOPS_TCP_PORT"].split() == ["any", "#", ".env", "line", "1"]
    assert shown["LOGOPS_UDP_PORT"].split() == ["0", "#", "environment"]
    assert shown["LOGOPS_SINK_DIR"].split() == [str(Path.cwd() / "data/ingest"), "#", "default"]


def test_check_print_hides_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key is shown as ***, set or not does not hide."""
    monkeypatch.setenv("LOGOPS_SECRET_KEY", KEY)

    assert main(["check", "--print"]) == 0

    captured = capsys.readouterr()
    assert "LOGOPS_SECRET_KEY=***" in captured.out
    assert KEY not in captured.out + captured.err


def test_key_that_others_may_read_is_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    """The settings are fine, but the file's mode deserves a word."""
    file = Path("env")
    file.write_text(f"LOGOPS_SECRET_KEY={KEY}\n")
    file.chmod(0o640)

    assert main(["check", "--env-file", "env"]) == 0
    assert "others may read the key" in capsys.readouterr().err
    file.chmod(0o600)
    assert main(["check", "--env-file", "env"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "args", [["--env-file", "env", "check"], ["check", "--env-file", "env"], ["--env-file", "env"]]
)
def test_settings_that_cannot_be_used_end_with_78(
    capsys: pytest.CaptureFixture[str], args: Sequence[str]
) -> None:
    """Every problem is a line of its own on standard error, whatever the command."""
    Path("env").write_text("LOGOPS_TCP_PROT=1\nLOGOPS_UDP_PORT=x\n")

    assert main(list(args)) == 78

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[0] == "logopsd: the settings cannot be used:"
    assert "env line 1: LOGOPS_TCP_PROT is not a setting" in captured.err
    assert "env line 2: LOGOPS_UDP_PORT takes" in captured.err


def test_check_looks_at_the_directories(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory that is a file, or that cannot be written, is refused before the start."""
    Path("file").touch()
    monkeypatch.setenv("LOGOPS_SINK_DIR", "file/in")
    monkeypatch.setenv("LOGOPS_ARCHIVE_MODE", "zip")
    monkeypatch.setenv("LOGOPS_ARCHIVE_DIR", "/sys/logopsd")
    monkeypatch.setattr("os.access", lambda path, mode: not str(path).startswith("/sys"))

    assert main(["check"]) == 78

    problems = capsys.readouterr().err
    assert f"LOGOPS_SINK_DIR: {Path.cwd() / 'file'} is not a directory" in problems
    assert "LOGOPS_ARCHIVE_DIR: /sys is not writable" in problems


def test_dry_run_needs_no_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the file sink its directory is not looked at."""
    Path("file").touch()
    monkeypatch.setenv("LOGOPS_SINK_DIR", "file/in")
    monkeypatch.setenv("LOGOPS_SINK_FILE", "false")

    assert main(["check"]) == 0


def test_keygen_prints_a_key_and_nothing_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call prints another key, and the settings take it."""
    keys = []
    for _ in range(2):
        assert main(["keygen"]) == 0
        keys.append(capsys.readouterr().out.removesuffix("\n"))
    assert keys[0] != keys[1]
    monkeypatch.setenv("LOGOPS_ENCRYPT_PII", "true")
    monkeypatch.setenv("LOGOPS_SECRET_KEY", keys[0])

    assert main(["check"]) == 0


def test_encryption_without_a_key_says_how_to_make_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a silent off: the daemon refuses to start."""
    monkeypatch.setenv("LOGOPS_ENCRYPT_PII", "true")

    assert main([]) == 78
    assert "`logopsd keygen`" in capsys.readouterr().err


def make_old_files(names: Sequence[str], folder: str = "data/ingest") -> None:
    """Files of the sink, each of a line."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name in names:
        (Path(folder) / name).write_text("{}\n")


def test_housekeep_tells_each_file(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each file, then a summary; a dry run does nothing."""
    today = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d")
    make_old_files(["20240101.ndjson", "20240102.ndjson", f"{today}.ndjson"])
    folder = Path.cwd() / "data/ingest"

    assert main(["housekeep", "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"would delete {folder}/20240101.ndjson",
        f"would delete {folder}/20240102.ndjson",
        "would delete 2, would archive 0, kept 1, failed 0",
    ]
    assert main(["housekeep"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"deleted {folder}/20240101.ndjson",
        f"deleted {folder}/20240102.ndjson",
        "deleted 2, archived 0, kept 1, failed 0; 6 bytes freed",
    ]
    assert [path.name for path in folder.glob("*.ndjson")] == [f"{today}.ndjson"]


def test_housekeep_can_be_parsed(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON, the same facts; what a dry run would free nobody knows."""
    make_old_files(["20240101.ndjson"])
    file = str(Path.cwd() / "data/ingest/20240101.ndjson")

    assert main(["housekeep", "--dry-run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["dry_run"], told["deleted"], told["freed_bytes"]) == (True, [file], None)
    assert main(["housekeep", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["dry_run"], told["deleted"], told["freed_bytes"]) == (False, [file], 3)
    assert (told["archived"], told["failed"], told["held"]) == ([], [], [])


def test_housekeep_archives_and_reports_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With zip each archive is named; what fails is named too, and the status is 1."""
    monkeypatch.setenv("LOGOPS_ARCHIVE_MODE", "zip")
    monkeypatch.setenv("LOGOPS_ARCHIVE_DIR", "archive")
    make_old_files(["20240101.ndjson"])

    assert main(["housekeep"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first == (
        f"archived {Path.cwd()}/data/ingest/20240101.ndjson -> "
        f"{Path.cwd()}/archive/20240101.ndjson.zip"
    )
    make_old_files(["20240102.ndjson"])
    monkeypatch.setenv("LOGOPS_ARCHIVE_DIR", "data/ingest/20240102.ndjson/x")

    assert main(["housekeep"]) == 1
    assert f"failed {Path.cwd()}/data/ingest/20240102.ndjson: " in capsys.readouterr().out


def test_housekeep_before_anything_was_stored(capsys: pytest.CaptureFixture[str]) -> None:
    """No folder yet is nothing to do, and is said, as its name may be wrong."""
    assert main(["housekeep"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("deleted 0, archived 0, ")
    assert "LOGOPS_SINK_DIR" in said.err


def serve_with(monkeypatch: pytest.MonkeyPatch, outcome: int | BaseException) -> list[Settings]:
    """Put a daemon in the place of the real one that ends so; returns what it was given."""
    seen: list[Settings] = []

    def run(settings: Settings, log: FilteringBoundLogger, **_: object) -> int:
        seen.append(settings)
        log.info("ready")
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr("logopsd.daemon.run", run)
    monkeypatch.setattr("logopsd.log.take_over", lambda log: None)
    return seen


@pytest.mark.parametrize("args", [[], ["serve"]])
def test_serve_is_the_default(
    args: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a command the daemon is started, and its status is ours."""
    seen = serve_with(monkeypatch, 1)
    monkeypatch.setenv("LOGOPS_TCP_PORT", "0")

    assert main(args) == 1
    assert seen[0].tcp_port is None
    assert '"event": "ready"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("outcome", "status", "said"),
    [
        (ListenError("port 514 is taken"), 1, "logopsd: port 514 is taken\n"),
        (SettingsError(["a: b"]), 78, "logopsd: the settings cannot be used:\n  a: b\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_failure_of_the_daemon_is_told(
    outcome: BaseException,
    status: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is foreseen has its status and its line."""
    monkeypatch.setenv("LOGOPS_LOG_LEVEL", "error")
    serve_with(monkeypatch, outcome)

    assert main([]) == status
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    "line", ["", "serve", "--env-file env", "--env-file env serve", "--env-file serve"]
)
def test_the_daemon_is_started_without_a_parser(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As services start it, to the effect that the parser would have."""
    started: list[Path | None] = []
    monkeypatch.setattr(cli, "_serve", lambda env_file: started.append(env_file) or 0)
    args = make_parser().parse_args(line.split())
    assert args.run(args) == 0
    monkeypatch.setattr(cli, "make_parser", None)

    assert main(line.split()) == 0
    assert started[0] == started[1]


@pytest.mark.parametrize("line", ["serve --env-file env", "--env-file=env", "serve --env-file=env"])
def test_every_other_line_is_parsed(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same may be said in other ways."""
    started: list[Path | None] = []
    monkeypatch.setattr(cli, "_serve", lambda env_file: started.append(env_file) or 0)

    assert main(line.split()) == 0
    assert started == [Path("env")]


@pytest.mark.parametrize("line", ["--env-file", "--env-file --version", "serve more"])
def test_a_line_that_only_looks_plain_is_refused(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the parser, which says why."""
    assert main(line.split()) == 2
    assert "usage: logopsd" in capsys.readouterr().err


def test_crash_of_the_daemon_shows_no_message(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug is logged with its place, not with the text that quotes what a sender wrote."""
    serve_with(monkeypatch, ValueError("jan@example.com"))

    assert main([]) == 1
    shown = capsys.readouterr().err
    assert "ValueError at tests/test_cli.py:" in shown
    assert "jan@" not in shown


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    """Help tells of the commands, the settings and the exit statuses."""
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for word in (
        "serve",
        "check",
        "keygen",
        "housekeep",
        ".env",
        "examples:",
        "exit status:",
        "78",
    ):
        assert word in text
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"logopsd {logopsd.__version__}\n"


@pytest.mark.parametrize("args", [["sreve"], ["--prot"], ["check", "x"]])
def test_wrong_command_line_is_status_2(
    capsys: pytest.CaptureFixture[str], args: list[str]
) -> None:
    """As other programs do, with the usage on standard error."""
    assert main(args) == 2
    assert "usage: logopsd" in capsys.readouterr().err


def test_reader_that_leaves_is_no_error_to_tell() -> None:
    """`logopsd check --print | head -0` ends quietly, and so does --help."""
    for args in (["check", "--print"], ["--help"]):
        read, write = os.pipe()
        os.close(read)
        done = process(*args, stdout=write)
        os.close(write)

        assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_output_that_cannot_be_written_is_told() -> None:
    """A key that was not printed must not look as if it was."""
    with Path("/dev/full").open("w") as full:
        done = process("keygen", stdout=full.fileno())

    assert done.returncode == 1
    assert done.stderr == "logopsd: No space left on device: standard output\n"


def test_settings_are_refused_as_a_process() -> None:
    """The status reaches the shell, and no traceback does."""
    done = process(LOGOPS_NO_SUCH="1", LOGOPS_ENCRYPT_PII="ja")

    assert done.returncode == 78
    assert done.stderr.splitlines() == [
        "logopsd: the settings cannot be used:",
        "  environment: LOGOPS_NO_SUCH is not a setting; `logopsd check --print` shows them all",
        "  environment: LOGOPS_ENCRYPT_PII takes true or false (also 1/0, yes/no, on/off), "
        "not 'ja'",
    ]


def test_module_is_the_console_script() -> None:
    """`python -m logopsd` is the same program."""
    assert process("--version").stdout == f"logopsd {logopsd.__version__}\n"


def test_interrupt_leaves_no_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in a command is what the shell calls 130."""

    def interrupted(_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("logopsd.privacy.tokens.new_key", interrupted)

    assert main(["keygen"]) == 128 + signal.SIGINT
    assert capsys.readouterr().err == ""


def test_ctrl_c_leaves_no_traceback_while_it_starts() -> None:
    """It ends the process until the command line is there to catch it; ignored, it stays so."""
    script = (
        "import signal as s; {before}; import logopsd.__main__ as m; at = s.getsignal;"
        "print(at(2) is s.SIG_DFL); m.main(['keygen']); print(at(2) is s.default_int_handler)"
    )
    seen = [
        subprocess.run(
            [sys.executable, "-c", script.format(before=before)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()[::2]
        for before in ("s.signal(2, s.default_int_handler)", "s.signal(2, s.SIG_IGN)")
    ]
    assert seen == [["True", "True"], ["False", "False"]]
