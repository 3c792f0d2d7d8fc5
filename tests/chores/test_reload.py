"""A reload succeeds whole or changes nothing, and says which."""

from pathlib import Path

import pytest

from logopsd.chores.reload import Reloader
from logopsd.config import Settings, Source
from logopsd.errors import LogopsError, PrivacyError
from logopsd.log import LEVELS, Threshold
from tests.listeners.helpers import FakeLog, as_log


class Rig:
    """A reloader over a `.env`, and what it told."""

    def __init__(self, directory: Path) -> None:
        self._env = directory / ".env"
        self.write("")
        self.source = Source({}, directory=directory)
        self.threshold = Threshold("info")
        self.log = FakeLog()
        self.taken: list[Settings] = []
        self.failure: LogopsError | None = None

    def write(self, text: str) -> None:
        """Change the file."""
        self._env.write_text(text)

    def reload(self) -> str:
        """Reload, and give the note."""
        return Reloader(self.source, self.threshold).reload(self._reconfigure, as_log(self.log))

    def _reconfigure(self, settings: Settings) -> None:
        if self.failure is not None:
            raise self.failure
        self.taken.append(settings)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """One for each test."""
    return Rig(tmp_path)


def test_what_changed_is_taken_and_told(rig: Rig) -> None:
    """The parts get the settings, the log its level, and there is nothing more to say."""
    rig.write("LOGOPS_LOG_LEVEL=error\n")

    assert rig.reload() == ""
    assert rig.taken[0].log_level == "error"
    assert rig.threshold._least == LEVELS["error"]
    assert rig.log.values("reload")["changed"] == {"LOGOPS_LOG_LEVEL": "info -> error"}
    assert rig.source.effective.settings.log_level == "error"


def test_what_needs_a_restart_is_named(rig: Rig) -> None:
    """In the log and in the status, for whoever wonders."""
    rig.write("LOGOPS_BIND=::1\nLOGOPS_UDP_PORT=0\n")

    assert rig.reload() == "to restart for: LOGOPS_BIND, LOGOPS_UDP_PORT"
    assert rig.log.values("settings changed that need a restart")["names"] == [
        "LOGOPS_BIND",
        "LOGOPS_UDP_PORT",
    ]


def test_bad_settings_reach_nobody(rig: Rig) -> None:
    """All problems are logged, the first is in the status, and the old settings stay."""
    rig.write("LOGOPS_LOG_LEVEL=loud\nLOGOPS_NO=1\n")

    assert rig.reload().startswith("reload refused, the old settings stay: .env line 1: ")
    assert rig.taken == []
    problems = rig.log.values("reload refused")["problems"]
    assert isinstance(problems, list)
    assert len(problems) == 2


def test_parts_that_cannot_use_them_refuse_them_too(rig: Rig) -> None:
    """The next reload compares with the old settings still, and then succeeds."""
    rig.write("LOGOPS_LOG_LEVEL=error\n")
    rig.failure = PrivacyError("no key opens it")

    assert rig.reload() == "reload refused, the old settings stay: no key opens it"
    assert rig.threshold._least == LEVELS["info"]
    rig.failure = None
    assert rig.reload() == ""
    assert rig.log.values("reload")["changed"] == {"LOGOPS_LOG_LEVEL": "info -> error"}
