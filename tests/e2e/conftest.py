"""Fixtures of the end-to-end tests: daemons that always end, and whose logs hold no error."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.e2e.harness import Daemon

MakeDaemon = Callable[..., Daemon]
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
