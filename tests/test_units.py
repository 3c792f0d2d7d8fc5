"""The units are valid, hardened, and those that `make install` puts in place."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from logopsd.assembly.inherited import KINDS
from logopsd.config import read

ROOT = Path(__file__).parents[1]
UNITS = sorted(
    path
    for path in (ROOT / "systemd").iterdir()
    if path.suffix in (".service", ".socket", ".timer")
)
MAX_EXPOSURE = 0.5
"""What systemd-analyze may give the hardened units, of 10."""
MAX_EXPOSURE_WITH_NETWORK = 1.3
"""The same of one that has a network, and may speak to any address."""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not installed"
)


def installed(folder: Path, systemd: str = "") -> Path:
    """Install the units below a folder, for a version of systemd; the folder of the units."""
    environ = {"UNITS": "only", "PREFIX": f"{folder}/usr", "SYSCONFDIR": f"{folder}/etc"}
    subprocess.run(
        [ROOT / "systemd" / "install.sh"],
        env={**os.environ, **environ, "SYSTEMD": systemd},
        check=True,
        capture_output=True,
        timeout=60,
    )
    program = folder / "usr" / "bin" / "logopsd"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return folder / "usr" / "lib" / "systemd" / "system"


def analyze(*args: str | Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run systemd-analyze."""
    return subprocess.run(
        ["systemd-analyze", *args],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@needs_systemd
@pytest.mark.parametrize("unit", [path.name for path in UNITS])
def test_unit_is_valid(tmp_path: Path, unit: str) -> None:
    """Systemd has nothing to say about it, as installed for the version that is here."""
    units = installed(tmp_path)
    # The colon: the system's own units are found behind ours.
    done = analyze("verify", "--man=no", units / unit, SYSTEMD_UNIT_PATH=f"{units}:")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_systemd
@pytest.mark.parametrize(
    ("unit", "most"),
    [
        ("logopsd.service", MAX_EXPOSURE),
        ("logopsd-housekeep.service", MAX_EXPOSURE),
        ("logopsd-ship.service", MAX_EXPOSURE_WITH_NETWORK),
    ],
)
def test_unit_is_hardened(tmp_path: Path, unit: str, most: float) -> None:
    """What needs no network gets next to nothing, and what needs one nothing else."""
    path = installed(tmp_path) / unit
    done = analyze("security", "--offline=true", "--no-pager", path)

    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done.stderr
    assert float(found[1]) <= most


@pytest.mark.parametrize(
    ("systemd", "type", "reload"), [("252", "notify", 1), ("253", "notify-reload", 0)]
)
def test_reload_fits_the_version(tmp_path: Path, systemd: str, type: str, reload: int) -> None:
    """Before Type=notify-reload there was, SIGHUP is sent by a command."""
    for name in ("logopsd", "logopsd-standalone", "logopsd@"):
        text = (installed(tmp_path / name, systemd) / f"{name}.service").read_text()
        assert re.findall(r"^Type=(.*)$", text, re.MULTILINE) == [type]
        assert text.count("ExecReload=/bin/kill -HUP $MAINPID") == reload


def test_everything_lies_below_the_prefix(tmp_path: Path) -> None:
    """Programs, documentation and settings are looked for where they were put."""
    units = installed(tmp_path)

    assert sorted(path.name for path in units.iterdir()) == [path.name for path in UNITS]
    for path in units.iterdir():
        text = path.read_text()
        assert "/usr/local" not in text
        assert not re.search(r"[ :=]/etc/logopsd", text)
    assert read({}, env_file=tmp_path / "etc" / "logopsd" / "env", directory=tmp_path)
    assert (tmp_path / "usr" / "share" / "doc" / "logopsd" / "systemd.md").read_text()


def test_settings_that_are_there_stay(tmp_path: Path) -> None:
    """A second installation changes no setting."""
    env = tmp_path / "etc" / "logopsd" / "env"
    env.parent.mkdir(parents=True)
    env.write_text("LOGOPS_LOG_LEVEL=debug\n")
    installed(tmp_path)

    assert env.read_text() == "LOGOPS_LOG_LEVEL=debug\n"


@pytest.mark.parametrize("unit", [path for path in UNITS if path.suffix == ".socket"])
def test_sockets_have_names_the_daemon_knows(unit: Path) -> None:
    """Each socket unit names an input, and listens for it by the kind that it takes."""
    text = unit.read_text()
    [name] = re.findall(r"^FileDescriptorName=(.*)$", text, re.MULTILINE)
    kinds = {
        "SOCK_DGRAM" if kind == "Datagram" else "SOCK_STREAM"
        for kind in re.findall(r"^Listen(Datagram|Stream)=", text, re.MULTILINE)
    }

    assert kinds == {kind.name for kind in KINDS[name]}


def test_the_service_asks_for_all_that_is_on_by_default() -> None:
    """Without network of its own, an input without its socket would keep it from starting."""
    text = (ROOT / "systemd" / "logopsd.service").read_text()
    needed = re.findall(r"^Wants=(.*)$", text, re.MULTILINE)[0].split()
    names = set()
    for socket in needed:
        found = re.findall(r"^FileDescriptorName=(.*)$", (ROOT / "systemd" / socket).read_text(), 8)
        names.update(found)
    settings = read({}, directory=ROOT / "tests").settings
    ports = {name for name in KINDS if getattr(settings, f"{name}_port", None) is not None}

    assert names == ports


def test_what_ships_has_neither_the_key_nor_the_settings_of_the_daemon() -> None:
    """It has a network."""
    text = (ROOT / "systemd" / "logopsd-ship.service").read_text()
    orders = [line for line in text.splitlines() if line and line[0] != "#"]

    assert not any("logopsd.key" in line or "/etc/logopsd/env" in line for line in orders)


@pytest.mark.parametrize("unit", [path for path in UNITS if path.suffix == ".service"])
def test_settings_of_the_unit_are_taken(unit: Path) -> None:
    """What the unit sets is valid beside every default."""
    text = unit.read_text().replace("%S", "/var/lib").replace("%i", "web")
    lines = re.findall(r"^Environment=(.*)$", text, re.MULTILINE)
    environ = dict(each.split("=", 1) for line in lines for each in line.split())

    assert str(read(environ, directory=ROOT / "tests").settings.sink_dir).startswith("/var/lib/")
