"""Who opened how many tokens: told to standard error and to syslog."""

import io
import os
import socket
from pathlib import Path

import pytest

from logopsd.commands.audit import Audit, login_user


def test_the_line_says_who_how_many_and_of_what(tmp_path: Path) -> None:
    """Begun and ended to syslog as authpriv.info, ended to standard error too."""
    told = io.StringIO()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(tmp_path / "log"))
        audit = Audit("decrypt", told, {"SUDO_USER": "anna"}, dev_log=tmp_path / "log")
        audit.began(["a.ndjson"])
        audit.ended(["a.ndjson"], {"revealed": 3, "unopened": 1})
        begun, ended = (log.recv(4096).decode() for _ in range(2))

    assert begun.startswith("<86>")
    assert f"logopsd[{os.getpid()}]: decrypt: login_user=" in begun
    assert begun.endswith("begins files=a.ndjson")
    assert "sudo_user=anna" in ended
    assert f"pid={os.getpid()} revealed=3 unopened=1 files=a.ndjson" in ended
    (line,) = told.getvalue().splitlines()
    assert line.removeprefix("logopsd: ") in ended


def test_a_name_cannot_forge_a_line(tmp_path: Path) -> None:
    """Line ends and blanks of a file's name stay within its quotes."""
    told = io.StringIO()
    audit = Audit("decrypt", told, {"SUDO_USER": "a b"}, dev_log=tmp_path / "none")
    audit.ended(["x\nlogopsd: decrypt: user=eve", "y"], {})

    (line,) = told.getvalue().splitlines()
    assert line.endswith('files="x\\nlogopsd: decrypt: user=eve",y')
    assert 'sudo_user="a b"' in line


def test_a_syslog_that_takes_nothing_is_told_of(tmp_path: Path) -> None:
    """The command goes on."""
    (tmp_path / "log").write_text("no socket")
    told = io.StringIO()
    Audit("decrypt", told, {}, dev_log=tmp_path / "log").began(["a"])

    assert told.getvalue().startswith("logopsd: warning: ")


def _missing() -> str:
    raise FileNotFoundError


def test_who_logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit system's word first, then the terminal's; a user without a name by number."""
    assert login_user(lambda: "0") == "root"
    assert login_user(lambda: "54321") == "54321"
    monkeypatch.setattr(os, "getlogin", lambda: "berta")
    assert login_user(lambda: "4294967295") == "berta"
    assert login_user(_missing) == "berta"

    def no_terminal() -> str:
        raise OSError

    monkeypatch.setattr(os, "getlogin", no_terminal)
    assert login_user(lambda: "no number") == "-"
