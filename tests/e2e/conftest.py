"""Fixtures of the end-to-end tests: daemons that always end, and whose logs hold no error."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.e2e.harness import Daemon

MakeDaemon = Callable[..., Daemon]
DISK_MIB = 24
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder, so that `-m 'not e2e'` leaves them out."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture
def make_daemon(tmp_path: Path) -> Iterator[MakeDaemon]:
    """Return a function that makes a daemon (not yet started); all are ended after the test.

    A test that passed is failed if a daemon of its logged an error that is not in `allowed`, or
    anything that is no JSON, such as a traceback.
    """
    made: list[Daemon] = []

    def make(
        settings: Mapping[str, str] | None = None, *, name: str = "d", args: Sequence[str] = ()
    ) -> Daemon:
        daemon = Daemon(tmp_path / name, settings, args=args)
        made.append(daemon)
        return daemon

    try:
        yield make
    finally:
        for daemon in made:
            daemon.end()
    for daemon in made:
        assert daemon.unexpected() == []


@pytest.fixture
def daemon(make_daemon: MakeDaemon) -> Daemon:
    """Return a running daemon on its defaults, but for the ports."""
    return make_daemon().start()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of its own."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "logopsd-test", str(path)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        problem = done.stderr.partition("\n")[0] if done.returncode else ""
    except FileNotFoundError:
        problem = "there is no mount command"
    if problem:
        if os.environ.get("LOGOPS_E2E") == "require":
            pytest.fail(f"a tmpfs cannot be mounted: {problem}")
        pytest.skip(f"a tmpfs cannot be mounted (only root may): {problem}")
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)
