"""util-linux `logger` in its modes."""

from pathlib import Path

import pytest

from tests.e2e.harness import Daemon, need, run

MESSAGES = 1000


# Not over UDP with --octet-count: logger would count in datagrams too, which RFC 5426 does not.
@pytest.mark.parametrize(("input", "octet_count"), [("udp", False), ("tcp", False), ("tcp", True)])
@pytest.mark.parametrize(("rfc", "format"), [("--rfc3164", "rfc3164"), ("--rfc5424", "rfc5424")])
def test_one_message(daemon: Daemon, input: str, octet_count: bool, rfc: str, format: str) -> None:
    """A message of logger arrives with its tag, pid, facility and severity."""
    command = [need("logger"), "--server", "127.0.0.1", "--port", daemon.port(input)]
    command += [f"--{input}", rfc, "--id=4711", "--tag", "backup", "--priority", "local1.warning"]
    command += ["--octet-count"] * octet_count
    run([*command, "disk is 91 % full"])

    (record,) = daemon.wait_records(1)
    assert (record["msg"], record["format"]) == ("disk is 91 % full", format)
    assert (record["app"], record["emitter"], record["procid"]) == ("backup", "backup", "4711")
    assert (record["facility"], record["severity"]) == ("local1", "warning")
    assert (record["level"], record["input"]) == ("WARN", input)
    assert ("timeQuality" in record.get("sd", {})) == (rfc == "--rfc5424")
    assert daemon.metrics().sum("logops_missing_ts_total") == 0


@pytest.mark.parametrize(("input", "octet_count"), [("udp", False), ("tcp", False), ("tcp", True)])
def test_a_file_of_lines(daemon: Daemon, tmp_path: Path, input: str, octet_count: bool) -> None:
    """`logger -f`: every line once and in order."""
    source = tmp_path / "lines.txt"
    source.write_text("".join(f"line {number}\n" for number in range(MESSAGES)))
    command = [need("logger"), "--server", "127.0.0.1", "--port", daemon.port(input), f"--{input}"]
    run([*command, *["--octet-count"] * octet_count, "--file", source])

    records = daemon.wait_records(MESSAGES)
    assert [record["msg"] for record in records] == [f"line {n}" for n in range(MESSAGES)]
