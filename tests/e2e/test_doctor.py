"""`logopsd doctor` on this host: beside a running daemon, without one, and where it is broken."""

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from logopsd.cli import main
from logopsd.commands import probe
from logopsd.config import load
from logopsd.listeners.sockets import RECEIVE_BUFFER
from logopsd.privacy.tokens import TokenMaker, new_key
from tests.certificates import Authority
from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import DEADLINE_SECONDS, Daemon, clean_environment, logopsd, need
from tests.e2e.test_disk import fill
from tests.e2e.test_tail import at_a_terminal

INPUTS = ("udp", "tcp", "tls", "relp", "http")


def doctor(
    directory: Path, settings: Mapping[str, str], *args: str
) -> "subprocess.CompletedProcess[bytes]":
    """Run it with these settings."""
    return subprocess.run(
        logopsd("doctor", *args),
        cwd=directory,
        env=clean_environment(settings),
        capture_output=True,
        check=False,
        timeout=DEADLINE_SECONDS,
    )


def found(done: "subprocess.CompletedProcess[bytes]") -> dict[str, dict[str, Any]]:
    """Return the findings by what was checked."""
    assert done.stderr == b""
    return {finding["check"]: finding for finding in json.loads(done.stdout)["findings"]}


def ports_of(daemon: Daemon, *inputs: str) -> dict[str, str]:
    """Return the settings that name the ports a daemon took."""
    return {f"LOGOPS_{input.upper()}_PORT": daemon.port(input) for input in inputs}


def test_a_message_goes_through_every_listener(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    """Each is followed to the file, where it is recognised; ports are our own daemon's."""
    authority = Authority(tmp_path / "ca")
    own = authority.issue("server", days=60)
    tokens = tmp_path / "tokens"
    tokens.write_text("0123456789abcdef0123\n")
    settings = {
        "LOGOPS_TLS_PORT": "any",
        "LOGOPS_TLS_CERT": str(own.cert),
        "LOGOPS_TLS_KEY": str(own.key),
        "LOGOPS_TLS_CLIENT_CA": str(authority.cert),
        "LOGOPS_RELP_PORT": "any",
        "LOGOPS_PROXY_FROM": "127.0.0.1",
        "LOGOPS_HTTP_TOKENS_FILE": str(tokens),
        "LOGOPS_UNIX_DGRAM": str(tmp_path / "dgram"),
        "LOGOPS_UNIX_STREAM": str(tmp_path / "stream"),
    }
    daemon = make_daemon(settings).start()
    done = doctor(daemon.directory, settings | ports_of(daemon, *INPUTS, "metrics"), "--json")
    findings = found(done)

    names = [*INPUTS, "unix", "unix datagram"]
    for name in names:
        assert findings[f"message {name}"]["status"] == "ok", findings
    for input in (*INPUTS, "metrics"):
        assert "the running daemon's (" in findings[f"port {input}"]["text"]
        assert f"pid {daemon.pid})" in findings[f"port {input}"]["text"]
    assert findings["certificate"]["text"] == "its key and chain fit, 60 days left"
    assert done.returncode == 0
    stored = daemon.records()
    assert len(stored) == len(names)
    assert {record["emitter"] for record in stored} == {"logopsd-doctor"}
    assert {record["level"] for record in stored} == {"DEBUG"}


def test_relp_over_tls(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    """As the settings have it."""
    own = Authority(tmp_path / "ca").issue("server", days=1)
    settings = {
        "LOGOPS_RELP_PORT": "any",
        "LOGOPS_RELP_TLS": "true",
        "LOGOPS_TLS_CERT": str(own.cert),
        "LOGOPS_TLS_KEY": str(own.key),
        "LOGOPS_ALLOW_FROM": "127.0.0.0/8",
    }
    daemon = make_daemon(settings).start()
    ports = ports_of(daemon, "udp", "tcp", "http", "relp", "metrics")
    done = doctor(daemon.directory, settings | ports, "--json")
    findings = found(done)
    assert findings["message relp"]["status"] == "ok"
    assert (findings["certificate"]["status"], done.returncode) == ("warning", 0)


def test_a_host_that_is_broken(tmp_path: Path, disk: Path) -> None:
    """Each trouble with its mend, at a terminal, in 80 columns; status 1.

    A port of another program, a small receive buffer, a wrong key, an expired certificate and a
    full disk.
    """
    expired = Authority(tmp_path / "ca").issue("server", days=-3)
    stored = {"received": "2026-11-23T12:00:00.000Z", "msg_enc": new_token()}
    (disk / "20261123.ndjson").write_text(json.dumps(stored) + "\n")
    fill(disk)
    settings = {
        "LOGOPS_METRICS_PORT": "any",
        "LOGOPS_UDP_PORT": "any",
        "LOGOPS_HTTP_PORT": "0",
        "LOGOPS_TLS_PORT": "any",
        "LOGOPS_TLS_CERT": str(expired.cert),
        "LOGOPS_TLS_KEY": str(expired.key),
        "LOGOPS_ENCRYPT_PII": "true",
        "LOGOPS_SECRET_KEY": new_key(os.urandom),
        "LOGOPS_SINK_DIR": str(disk),
    }
    # Root is granted any buffer, unless it may not administer the network.
    command = [need("setpriv"), "--bounding-set=-net_admin", *logopsd("doctor")]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings["LOGOPS_TCP_PORT"] = str(taken.getsockname()[1])
        with at_a_terminal(command, tmp_path, **settings) as (child, screen):
            screen.wait_for("problems:")
            screen.wait_for("\r\n")
            assert child.wait(DEADLINE_SECONDS) == 1
    assert "\x1b[31mproblem " in screen.text
    plain = re.sub(r"\x1b\[[\d;]*m", "", screen.text)
    shown = re.sub(r"\s+", " ", plain)
    assert "another program has it (" in shown
    assert "mend: stop that one, or choose another LOGOPS_TCP_PORT" in shown
    if int(Path("/proc/sys/net/core/rmem_max").read_text()) < RECEIVE_BUFFER:
        assert f"mend: sysctl -w net.core.rmem_max={RECEIVE_BUFFER}" in shown
    assert "problem key it does not open the newest token that is stored" in shown
    assert "mend: put the former key into LOGOPS_SECRET_KEYS_OLD" in shown
    assert "expired 3 days ago mend: renew" in shown
    assert re.search("problem free space .* free: the daemon writes nothing below", shown)
    assert "mend: free some, enlarge it, lower LOGOPS_RETENTION_DAYS" in shown
    assert "warning daemon none answers" in shown
    assert "problems: 4, warnings: " in shown
    assert "Traceback" not in plain


def new_token() -> str:
    """Return a token of a key that nobody has."""
    maker = TokenMaker([new_key(os.urandom)], random_bytes=os.urandom)
    return maker.encrypt_one("secret", time.time())


def test_settings_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong key, which is not repeated, and a wrong name; nothing else can be looked at."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGOPS_SECRET_KEY", "not-a-key-at-all")
    monkeypatch.setenv("LOGOPS_UPD_PORT", "1")
    assert main(["doctor", "--json"]) == 1
    text = capsys.readouterr().out
    assert json.loads(text)["problems"] == 2
    assert "`logopsd keygen` makes one" in text
    assert "LOGOPS_UDP_PORT" in text
    assert "not-a-key-at-all" not in text


def test_a_message_that_is_lost_is_told(
    make_daemon: MakeDaemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in the directory that these settings name, refused, or nobody there."""
    monkeypatch.setattr(probe, "TIMEOUT_SECONDS", 0.3)
    daemon = make_daemon().start()
    ports = ports_of(daemon, "tcp", "http") | {"LOGOPS_UDP_PORT": "0"}
    assert daemon.stop() == 0
    again = make_daemon({"LOGOPS_TCP_PORT": ports["LOGOPS_TCP_PORT"]}, name="again").start()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ports["LOGOPS_RELP_PORT"] = str(silent.getsockname()[1])
        findings = {f.check: f for f in probe.check_messages(load(ports, directory=tmp_path))}
    again.wait_records(1)
    assert {finding.status for finding in findings.values()} == {"problem"}
    assert "--env-file" in findings["message tcp"].mend
    assert "not taken" in findings["message http"].text
    assert "not taken" in findings["message relp"].text


def test_at_a_terminal_it_is_in_colour(daemon: Daemon) -> None:
    """And status beside it; lines fit 80 columns."""
    settings = ports_of(daemon, "udp", "tcp", "http", "metrics")
    for command in ("doctor", "status"):
        with at_a_terminal(logopsd(command), daemon.directory, **settings) as (child, screen):
            screen.wait_for("warnings:" if command == "doctor" else "process")
            screen.wait_for("\r\n")
            assert child.wait(DEADLINE_SECONDS) == 0
        assert "\x1b[32mok      \x1b[0m" in screen.text or command == "status"
        assert "\x1b[" in screen.text
        plain = re.sub(r"\x1b\[\d*m", "", screen.text)
        # A path is not cut in two.
        assert all(len(line) <= 80 or "/data/" in line for line in plain.split("\r\n")), plain


def test_a_configuration_goes_to_stdout_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that it can be piped into a file; what is to be known beside it is not in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGOPS_BIND", "192.0.2.7")
    assert main(["doctor", "--config", "journald"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "[Upload]\nURL=http://192.0.2.7:8080\n"
    assert "/etc/systemd/journal-upload.conf" in printed.err
    monkeypatch.setenv("LOGOPS_HTTP_PORT", "0")
    assert main(["doctor", "--config", "alloy"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "set LOGOPS_HTTP_PORT" in printed.err
