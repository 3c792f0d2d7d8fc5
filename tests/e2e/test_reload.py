"""SIGHUP: settings and files begin anew while the daemon runs."""

import json
import os
import pty
import signal
import socket
import subprocess
from pathlib import Path

from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import Daemon, clean_environment, logopsd, wait_for

KEY = "WmV0YS1pcy1ub3QtYS1zZWNyZXQtMzItYnl0ZXMtISE="
MESSAGE = b"mail anna@example.com from 83.11.2.3\n"


def settings(daemon: Daemon, text: str) -> None:
    """Put a `.env` in place."""
    daemon.directory.mkdir(exist_ok=True)
    (daemon.directory / ".env").write_text(text)


def test_settings_take_effect_without_a_restart(make_daemon: MakeDaemon) -> None:
    """Detectors, encryption, the debug sample and the log level change; peers stay connected."""
    daemon = make_daemon()
    settings(daemon, "LOGOPS_PII_DETECTORS=email\n")
    daemon.start()
    with socket.create_connection(daemon.address("tcp")) as peer:
        peer.sendall(MESSAGE)
        first = daemon.wait_records(1)[0]
        settings(
            daemon,
            "LOGOPS_PII_DETECTORS=ipv4\nLOGOPS_LOG_LEVEL=debug\nLOGOPS_ENCRYPT_PII=true\n"
            f"LOGOPS_SECRET_KEY={KEY}\nLOGOPS_DEBUG_SAMPLE=true\nLOGOPS_BIND=::1\n",
        )
        daemon.signal(signal.SIGHUP)
        daemon.wait_for(lambda: daemon.events("reload"), "the reload")
        peer.sendall(MESSAGE)
        second = daemon.wait_records(2)[1]

    assert first["msg"] == "mail a***@example.com from 83.11.2.3"
    assert second["msg"] == "mail anna@example.com from 83.11.x.x"
    assert "msg_enc" in second
    changed = daemon.events("reload")[0]["changed"]
    assert changed["LOGOPS_PII_DETECTORS"] == "email -> ipv4"
    assert changed["LOGOPS_SECRET_KEY"] == "changed"
    assert KEY not in daemon.log_text()
    assert daemon.events("settings changed that need a restart")[0]["names"] == ["LOGOPS_BIND"]
    status, answer = daemon.post(b'{"msg": "x"}')
    assert (status, len(answer["sample"])) == (200, 1)
    assert daemon.events("ingest"), "the level is debug now"
    assert json.loads(daemon.get("/healthz")[1])["pii_encryption"] is True
    assert daemon.metrics().sum("logops_pii_masked_total", detector="ipv4") == 1


def test_a_bad_file_changes_nothing(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    """It is refused whole, with every problem; the daemon goes on, and a good one is taken."""
    daemon = make_daemon()
    daemon.allowed.add("reload refused")
    path = str(tmp_path / "notify")
    daemon.env["NOTIFY_SOCKET"] = path
    settings(daemon, "")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(20)
        daemon.start()
        settings(daemon, "LOGOPS_LOG_LEVEL=debug\nLOGOPS_PII_DETECTORS=mail\nLOGOPS_NO=1\n")
        daemon.signal(signal.SIGHUP)
        (refused,) = daemon.wait_for(lambda: daemon.events("reload refused"), "the refusal")
        said = [notify.recv(4096).decode()]
        while said.count("READY=1") < 2:
            said.append(notify.recv(4096).decode())
    daemon.send_tcp(MESSAGE)

    assert len(refused["problems"]) == 2
    assert daemon.wait_records(1)[0]["msg"] == "mail a***@example.com from 83.11.x.x"
    # What Type=notify-reload waits for, in this order.
    begun = next(
        n for n, text in enumerate(said) if text.startswith("RELOADING=1\nMONOTONIC_USEC=")
    )
    status = next(n for n, text in enumerate(said) if "reload refused" in text)
    assert said.index("READY=1") < begun < status < len(said) - 1
    settings(daemon, "LOGOPS_LOG_LEVEL=debug\n")
    daemon.signal(signal.SIGHUP)
    daemon.wait_for(lambda: daemon.events("reload"), "the reload")


def test_a_file_moved_away_is_written_anew(daemon: Daemon) -> None:
    """What logrotate does: move, then SIGHUP; the moved file is left alone from then on."""
    daemon.send_tcp(b"old\n")
    daemon.wait_records(1)
    (path,) = daemon.sink.glob("*.ndjson")
    moved = path.rename(path.with_suffix(".moved"))
    daemon.signal(signal.SIGHUP)
    daemon.wait_for(lambda: daemon.events("reload"), "the reload")
    daemon.send_tcp(b"new\n")

    wait_for(lambda: path.exists() and b"new" in path.read_bytes(), "the new file")
    assert moved.read_bytes().count(b"\n") == 1


def test_the_end_of_its_terminal_ends_it(tmp_path: Path) -> None:
    """A daemon started by hand ends, drained, when the terminal is closed: that is SIGHUP too."""
    ours, its = pty.openpty()
    ports = {f"LOGOPS_{name}_PORT": "any" for name in ("UDP", "TCP", "HTTP", "METRICS")}
    with subprocess.Popen(
        logopsd(),
        cwd=tmp_path,
        env=clean_environment(ports),
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    ) as child:
        os.close(its)
        said = b""
        while b"ready" not in said:
            said += os.read(ours, 4096)
        os.close(ours)
        child.send_signal(signal.SIGHUP)  # as the kernel does, where it is the controlling one

        assert child.wait(20) == 0
