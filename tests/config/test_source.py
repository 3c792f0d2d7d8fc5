"""A second reading tells what differs, and what of it holds without a restart."""

from pathlib import Path

import pytest

from logopsd.config import Source
from logopsd.errors import SettingsError

KEY = "WmV0YS1pcy1ub3QtYS1zZWNyZXQtMzItYnl0ZXMtISE="
OTHER_KEY = "T3RoZXItaXMtbm90LWEtc2VjcmV0LTMyLWJ5dGVzISE="


def source(tmp_path: Path, text: str, **environ: str) -> Source:
    """A source of this `.env` and environment."""
    write(tmp_path, text)
    return Source(environ, directory=tmp_path)


def write(tmp_path: Path, text: str) -> None:
    """Put a `.env` in place."""
    (tmp_path / ".env").write_text(text)


def test_what_can_change_changes_and_the_rest_is_named(tmp_path: Path) -> None:
    """The log level is taken, the port stays until a restart, and both are told."""
    made = source(tmp_path, "LOGOPS_UDP_PORT=1\n")
    write(tmp_path, "LOGOPS_UDP_PORT=2\nLOGOPS_LOG_LEVEL=debug\n")
    changes = made.reread()

    assert changes.applied == {"LOGOPS_LOG_LEVEL": "info -> debug"}
    assert changes.need_restart == ("LOGOPS_UDP_PORT",)
    assert (changes.settings.log_level, changes.settings.udp_port) == ("debug", 1)


def test_nothing_holds_before_it_is_accepted(tmp_path: Path) -> None:
    """Whoever cannot use the new settings compares with the old ones the next time too."""
    made = source(tmp_path, "")
    write(tmp_path, "LOGOPS_PII_KEEP=example.com\n")
    changes = made.reread()

    assert changes.applied == made.reread().applied
    assert changes.applied == {"LOGOPS_PII_KEEP": "(nothing) -> example.com"}
    made.accept(changes)
    assert made.reread().applied == {}
    assert made.effective.given["pii_keep"].where == ".env line 1"


def test_a_setting_that_needs_a_restart_is_named_until_then(tmp_path: Path) -> None:
    """Also by the readings after the one that found it."""
    made = source(tmp_path, "")
    write(tmp_path, "LOGOPS_BIND=::1\n")
    for _ in range(2):
        changes = made.reread()
        made.accept(changes)
        assert changes.need_restart == ("LOGOPS_BIND",)
        assert made.effective.settings.bind == "127.0.0.1"


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    """Of a key it is told that it changed."""
    made = source(tmp_path, f"LOGOPS_SECRET_KEY={KEY}\n")
    write(tmp_path, f"LOGOPS_SECRET_KEY={OTHER_KEY}\n")

    assert made.reread().applied == {"LOGOPS_SECRET_KEY": "changed"}


def test_long_values_are_cut(tmp_path: Path) -> None:
    """A list of a hundred networks does not fill the log."""
    made = source(tmp_path, "")
    write(tmp_path, "LOGOPS_PII_KEEP=" + ",".join(f"a{n}.example" for n in range(100)))

    assert len(made.reread().applied["LOGOPS_PII_KEEP"]) < 120


def test_a_bad_file_is_refused_whole(tmp_path: Path) -> None:
    """Every problem is told, and what was read before stays."""
    made = source(tmp_path, "LOGOPS_LOG_LEVEL=debug\n")
    write(tmp_path, "LOGOPS_LOG_LEVEL=error\nLOGOPS_LOGLEVEL=x\nLOGOPS_UDP_PORT=a\n")
    with pytest.raises(SettingsError) as refused:
        made.reread()

    assert len(refused.value.problems) == 2
    assert made.effective.settings.log_level == "debug"


def test_the_environment_still_goes_first(tmp_path: Path) -> None:
    """A process' environment does not change; what it holds hides the file as before."""
    made = source(tmp_path, "", LOGOPS_LOG_LEVEL="error")
    write(tmp_path, "LOGOPS_LOG_LEVEL=debug\n")

    assert made.reread().applied == {}


def test_the_hosts_zone_is_no_change(tmp_path: Path) -> None:
    """A zone read from a file equals only itself; by its name it is the same."""
    assert source(tmp_path, "LOGOPS_SYSLOG_TZ=local\n").reread().applied == {}
