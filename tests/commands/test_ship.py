"""`logopsd ship` as far as it comes without a server."""

import os
from pathlib import Path

import pytest

from logopsd.cli import main
from logopsd.commands.arguments import age, byte_count, replicas


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has an empty working directory and no settings of its surroundings."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("LOGOPS_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("args", "problem", "status"),
    [
        ([], "give --to nats://host:4222, or set LOGOPS_SHIP_TO", 78),
        (["--to", "nats://a:geheim@b"], "LOGOPS_SHIP_CREDENTIALS_FILE", 78),
        (["--to", "loki+http://127.0.0.1:1", "--init"], "Loki needs none", 1),
        (["--to", "nats://127.0.0.1:1", "--init"], "cannot be reached", 1),
        (["--to", "nats://127.0.0.1:1", "--once"], "nothing was stored yet", 1),
        (["--replicas", "9"], "a number from 1 to 5", 2),
    ],
)
def test_what_cannot_be_done_is_said_with_the_mend(
    capsys: pytest.CaptureFixture[str], args: list[str], problem: str, status: int
) -> None:
    """In one line, without a traceback, and without a secret."""
    assert main(["ship", *args]) == status
    said = capsys.readouterr().err
    assert problem in said
    assert "Traceback" not in said
    assert "geheim" not in said


@pytest.mark.parametrize(
    ("name", "value", "to", "problem"),
    [
        ("LOGOPS_SINK_FILE", "false", "nats://h", "no files to ship"),
        ("LOGOPS_SHIP_TO", "nats://u:geheim@h", "nats://h", "holds credentials"),
        ("LOGOPS_SHIP_TENANT", "t", "nats://h", "LOGOPS_SHIP_TENANT has no effect"),
        (
            "LOGOPS_SHIP_CREDENTIALS_FILE",
            "c",
            "loki+http://h",
            "has no effect when shipping to loki",
        ),
        ("LOGOPS_SHIP_TOKEN_FILE", "none", "nats://h", "LOGOPS_SHIP_TOKEN_FILE: "),
        ("LOGOPS_SHIP_USER", "u", "nats://h", "LOGOPS_SHIP_PASSWORD_FILE"),
        ("LOGOPS_SHIP_SUBJECT", "a.*", "nats://h", "names and {input}"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(
    name: str,
    value: str,
    to: str,
    problem: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before anything is sent."""
    monkeypatch.setenv(name, value)

    assert main(["ship", "--once", "--to", to]) == 78
    said = capsys.readouterr().err
    assert problem in said
    assert "geheim" not in said


def test_without_nats_py_the_mend_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `check` as well, before the daemon is started."""
    monkeypatch.setattr("logopsd.assembly.shipping.find_spec", lambda name: None)
    monkeypatch.setenv("LOGOPS_SHIP_TO", "nats://localhost")

    for command in (["check"], ["ship", "--once"]):
        assert main(command) == 78
        assert "pip install 'logopsd[nats]'" in capsys.readouterr().err


def test_sizes_and_ages_are_read() -> None:
    """With their units."""
    assert (age("2h"), byte_count("3GiB"), byte_count("1KiB"), replicas("3")) == (
        7200.0,
        3 * 1024**3,
        1024,
        3,
    )
