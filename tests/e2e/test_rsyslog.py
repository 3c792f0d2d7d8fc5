"""A real rsyslogd forwards to the daemon over each of its transports."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import Daemon, lasting_ports, need, process

MESSAGES = 1000

CONFIG = """
global(workDirectory="{work}" localHostname="sender-1")
# One worker: more of them reorder what they forward.
main_queue(queue.workerThreads="1")
module(load="imfile")
input(type="imfile" File="{source}" Tag="numbers:" Severity="notice" Facility="local3")
*.* action(
  type="omfwd" target="127.0.0.1" port="{port}"
  protocol="{protocol}" tcp_framing="{framing}" template="{template}"
  action.resumeRetryCount="-1"
)
"""

RFC3164 = "RSYSLOG_TraditionalForwardFormat"
RFC3164_ISO = "RSYSLOG_ForwardFormat"
RFC5424 = "RSYSLOG_SyslogProtocol23Format"


@contextmanager
def rsyslogd(
    directory: Path, source: Path, *, port: str, protocol: str, framing: str, template: str
) -> Iterator[None]:
    """Run an rsyslogd of our own that forwards every line of `source`."""
    program = need("rsyslogd")
    directory.mkdir()
    config = directory / "rsyslog.conf"
    config.write_text(
        CONFIG.format(
            work=directory,
            source=source,
            port=port,
            protocol=protocol,
            framing=framing,
            template=template,
        )
    )
    command: list[str | Path] = [program, "-n", "-f", config, "-i", directory / "rsyslogd.pid"]
    with process(command, directory / "output.log"):
        yield


@pytest.mark.parametrize(
    ("protocol", "framing", "template", "format"),
    [
        ("udp", "traditional", RFC3164, "rfc3164"),
        ("tcp", "traditional", RFC3164_ISO, "rfc3164"),
        ("tcp", "traditional", RFC5424, "rfc5424"),
        ("tcp", "octet-counted", RFC5424, "rfc5424"),
    ],
)
def test_a_thousand_numbered_messages_all_arrive_once(
    daemon: Daemon, tmp_path: Path, protocol: str, framing: str, template: str, format: str
) -> None:
    """Each message is stored once, parsed by its RFC, and in order where TCP keeps it."""
    source = tmp_path / "numbers.txt"
    source.write_text("".join(f"message number {i} of many\n" for i in range(MESSAGES)))

    with rsyslogd(
        tmp_path / "rsyslog",
        source,
        port=daemon.port(protocol),
        protocol=protocol,
        framing=framing,
        template=template,
    ):
        daemon.wait_for(
            lambda: (
                "message number 999" in daemon.raw().decode() and len(daemon.records()) >= MESSAGES
            ),
            f"the {MESSAGES} messages of rsyslogd",
        )

    records = [record for record in daemon.records() if record.get("app") == "numbers"]
    numbers = [int(re.findall(r"number (\d+)", record["msg"])[0]) for record in records]
    assert sorted(numbers) == list(range(MESSAGES))
    if protocol == "tcp":
        assert numbers == list(range(MESSAGES))
    for record in records:
        assert record["format"] == format
        assert record["input"] == protocol
        assert record["peer"] == "127.0.0.1"
        assert record["host"] == "sender-1"
        assert (record["facility"], record["severity"]) == ("local3", "notice")
        assert record["level"] == "INFO"
        assert record["msg"].startswith("message number ")
    page = daemon.metrics()
    assert page.sum("logops_missing_ts_total", input=protocol) == 0
    assert page.sum("logops_malformed_total", input=protocol) == 0
    assert page.sum("logops_udp_kernel_drops_total") == 0


def test_rsyslogd_waits_for_a_daemon_that_comes_back(
    make_daemon: MakeDaemon, tmp_path: Path
) -> None:
    """Over TCP nothing that rsyslogd sends after a restart of the daemon is lost."""
    daemon = make_daemon(lasting_ports("tcp")).start()
    source = tmp_path / "numbers.txt"
    source.write_text("message number 0\n")
    with rsyslogd(
        tmp_path / "rsyslog",
        source,
        port=daemon.port("tcp"),
        protocol="tcp",
        framing="octet-counted",
        template=RFC5424,
    ):
        daemon.wait_records(1)
        assert daemon.stop() == 0
        daemon.start()
        # rsyslogd learns that the old connection is closed only when it writes to it, and a
        # plain TCP sender loses that one write; what follows must all be there.
        with source.open("a") as lines:
            lines.write("message number 1\n")
            lines.flush()
            for number in range(2, 100):
                lines.write(f"message number {number}\n")
        daemon.wait_for(lambda: b"message number 99" in daemon.raw(), "the last message")

    numbers = [int(record["msg"].split()[2]) for record in daemon.records()]
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= 2
