"""The locks name exact versions with hashes, hold all that is asked for, and no place to get it."""

import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "requirements"
LOCKS = sorted(FOLDER.glob("*.txt"))

_PIN = re.compile(r"([a-z0-9-]+)==(\S+)(?: ;.*?)?((?: --hash=sha256:[0-9a-f]{64})+)")


def pins(name: str) -> dict[str, str]:
    """Return package -> version of a lock; every line of it must have this form."""
    text = re.sub(r" *#.*", "", (FOLDER / name).read_text())
    lines = filter(None, re.sub(r" *\\\n *", " ", text).splitlines())
    found = [_PIN.fullmatch(line.strip()) for line in lines if line.strip()]
    assert all(found)
    return {match[1]: match[2] for match in found if match}


def asked_for(section: str, key: str) -> set[str]:
    """Return the packages that setup.cfg asks for."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config[section][key].split()
    return {re.split(r"[\[<>=!]", line)[0].lower() for line in lines}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_a_lock_has_exact_versions_with_hashes(lock: Path) -> None:
    """And names no index, no host and no path of whoever made it."""
    assert pins(lock.name)
    assert not re.search(r"://|^ *--(?!hash)|file:/|(?:^|\s)/", lock.read_text(), re.MULTILINE)


def test_runtime_has_what_the_daemon_needs() -> None:
    """All of setup.cfg's `install_requires`, and what these need; nothing that develops."""
    assert asked_for("options", "install_requires") <= set(pins("runtime.txt"))
    assert "pytest" not in pins("runtime.txt")


@pytest.mark.parametrize("extra", ["test", "lint", "package"])
def test_development_has_what_an_extra_needs(extra: str) -> None:
    """Tests, checks and packaging; in the versions that run."""
    assert asked_for("options.extras_require", extra) <= set(pins("development.txt"))
    assert pins("runtime.txt").items() <= pins("development.txt").items()


def test_build_has_what_the_wheel_needs() -> None:
    """The build back end of pyproject.toml."""
    assert "setuptools" in pins("build.txt")


def test_image_installs_by_hash() -> None:
    """Whatever it takes from an index is what a lock names; nothing else takes anything."""
    text = (ROOT / "infra/docker/logopsd/Dockerfile").read_text().replace("\\\n", " ")
    installs = re.findall(r"pip (?:install|wheel)[^&\n]*", text)

    assert len(installs) == 4
    for each in installs:
        assert "--require-hashes" in each or "--no-deps" in each
