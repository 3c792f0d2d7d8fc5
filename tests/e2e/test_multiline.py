"""Stack traces over streams, with LOGOPS_MULTILINE."""

import contextlib
import logging
import logging.handlers
import socket
from pathlib import Path

from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import DEADLINE_SECONDS

JOINED = {"LOGOPS_MULTILINE": "true", "LOGOPS_MULTILINE_TIMEOUT": "10s"}


def fail(name: str) -> None:
    """Raise an error that quotes personal data."""
    raise ValueError(f"no account for {name}@example.com")


def test_python_tracebacks(make_daemon: MakeDaemon) -> None:
    """Each exception that SysLogHandler sends is one record, masked and counted as one."""
    daemon = make_daemon(JOINED).start()
    handler = logging.handlers.SysLogHandler(daemon.address("tcp"), socktype=socket.SOCK_STREAM)
    handler.setFormatter(logging.Formatter("shop[12]: %(message)s"))
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    for number in range(100):
        try:
            fail("anna.nowak")
        except ValueError:
            logger.exception("order %d failed", number)
    handler.close()

    records = daemon.wait_records(100)
    for number, record in enumerate(records):
        first, *trace = record["msg"].splitlines()
        assert (first, trace[0]) == (
            f"order {number} failed",
            "Traceback (most recent call last):",
        )
        assert trace[-1] == "ValueError: no account for a***@example.com"
        assert (record["app"], record["level"], record["input"]) == ("shop", "ERROR", "tcp")
    page = daemon.metrics()
    assert page.sum("logops_received_total", input="tcp") == 100
    assert page.unaccounted("tcp") == 0
    assert "anna.nowak@" not in daemon.raw().decode()


def test_without_the_setting_a_line_is_a_record(make_daemon: MakeDaemon) -> None:
    """The same lines are records of their own by default."""
    daemon = make_daemon().start()
    daemon.send_tcp(b"<11>app: failed\n  at com.foo.Shop(Shop.java:1)\n")

    assert daemon.wait_records(2)[0]["msg"] == "failed"


def test_the_last_record_comes_after_the_time_out(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    """A sender that stays and is silent is not waited for longer; also on a Unix socket."""
    path = tmp_path / "log.sock"
    settings = {"LOGOPS_MULTILINE": "true", "LOGOPS_MULTILINE_TIMEOUT": "50ms"}
    daemon = make_daemon(settings | {"LOGOPS_UNIX_STREAM": str(path)}).start()
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as sock:
        sock.settimeout(DEADLINE_SECONDS)
        sock.connect(str(path))
        sock.sendall(b"<11>app: failed\n\tat com.foo.Shop(Shop.java:1)\n")
        (record,) = daemon.wait_records(1)

    assert (record["msg"], record["input"]) == ("failed\n\tat com.foo.Shop(Shop.java:1)", "unix")


def test_shutdown_keeps_what_is_held(make_daemon: MakeDaemon) -> None:
    """A record that waits for its next line is stored when the daemon ends."""
    daemon = make_daemon(JOINED).start()
    with socket.create_connection(daemon.address("tcp"), timeout=DEADLINE_SECONDS) as sock:
        sock.sendall(b"<13>app: one\n<11>app: two\n  more\n")
        daemon.wait_records(1)
        assert daemon.stop() == 0

    messages = [record["msg"] for record in daemon.records() if record["input"] == "tcp"]
    assert messages == ["one", "two\n  more"]
