"""Every emitter against the daemon, and nothing they send in the clear on the disk."""

import json
import re
import sys
from collections.abc import Sequence

import pytest

from tests.e2e.harness import ROOT, Daemon, run

COUNT = 300
MAIL = re.compile(rb"[a-z0-9_.+-]+@(?:mail\.)?example\.(?:com|org|net)")
ADDRESS = re.compile(rb"(?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d")


def emit(name: str, *args: str) -> str:
    """Run an emitter, with a seed, and return what it printed."""
    command = [sys.executable, str(ROOT / "emitters" / f"{name}.py"), "-n", str(COUNT)]
    return run([*command, "--seed", "20", *args]).stdout.decode()


def accepted(output: str) -> int:
    """Return the sum of what the answers say was accepted."""
    bodies = re.findall(r"^body: (.*)$", output, re.MULTILINE)
    return sum(json.loads(body)["accepted"] for body in bodies)


def assert_masked(daemon: Daemon) -> None:
    """No mail address and no IPv4 address of the emitters stands in the files, nor in the log."""
    for text in (daemon.raw(), daemon.log_text().encode()):
        assert MAIL.findall(text) == []
        assert ADDRESS.findall(text) == []
    assert b"***@example." in daemon.raw()


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("emit_json", ["--partial-ratio", "0.5"]),
        ("emit_minimal", ["--batch", "100"]),
        ("emit_csv", ["--partial-ratio", "0.5"]),
        ("emit_noise", ["--chaos", "0"]),
        ("emit_noise", ["--chaos", "1"]),
        ("emit_syslog", ["--partial-ratio", "0.5"]),
    ],
)
def test_http_emitters(daemon: Daemon, name: str, args: Sequence[str]) -> None:
    """All is answered with 200, all is stored, masked, and the account closes."""
    output = emit(name, *args, "--url", daemon.url("/v1/logs"))

    assert set(re.findall(r"^status: (\d+)$", output, re.MULTILINE)) == {"200"}
    assert accepted(output) == COUNT
    assert len(daemon.records()) == COUNT
    assert_masked(daemon)
    page = daemon.metrics()
    assert page.sum("logops_accepted_total", input="http") == COUNT
    assert page.sum("logops_pii_masked_total", detector="email") > 0
    assert page.sum("logops_pii_withheld_total") == 0
    assert page.unaccounted("http") == 0


@pytest.mark.parametrize(("name", "framing"), [("udp", ""), ("tcp", ""), ("tcp", "?framing=octet")])
def test_syslog_emitter(daemon: Daemon, name: str, framing: str) -> None:
    """emit_syslog over UDP and TCP: every line is a record, rich or poor."""
    host, port = daemon.address(name)
    output = emit("emit_syslog", "--to", f"{name}://{host}:{port}{framing}")

    assert output.startswith(f"sent: {COUNT} lines")
    formats = {record["format"] for record in daemon.wait_records(COUNT)}
    assert {"rfc3164", "rfc5424", "plain"} <= formats
    assert_masked(daemon)
    page = daemon.metrics()
    # A line that is not counted, between messages that are, is kept and noted as odd.
    assert (page.sum("logops_malformed_total") > 0) == bool(framing)
    assert page.unaccounted(name) == 0


def test_the_answers_counts_are_those_of_the_records(daemon: Daemon) -> None:
    """missing_ts and missing_level of the answer match what the emitter left out."""
    output = emit("emit_json", "--partial-ratio", "1", "--url", daemon.url("/v1/logs"))

    answer = json.loads(output.partition("body: ")[2])
    lacking = [answer["missing_ts"], answer["missing_level"]]
    assert all(COUNT / 2 < count < COUNT for count in lacking)  # a third lacks the other alone
    page = daemon.metrics()
    assert lacking == [
        page.sum("logops_missing_ts_total", input="http"),
        page.sum("logops_missing_level_total", input="http"),
    ]
