"""Who we are to a server."""

from pathlib import Path

import pytest

from logopsd.bus.login import Login, read_secret
from logopsd.errors import SettingsError


def test_a_secret_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    """An editor's LF at the end is no part of it."""
    (tmp_path / "s").write_text("geheim \nnote\n")

    assert read_secret("LOGOPS_X", tmp_path / "s") == "geheim"
    assert read_secret("LOGOPS_X", None) == ""


@pytest.mark.parametrize("content", [None, "", "\nx", "a\x00b"])
def test_a_file_without_a_secret_is_refused_by_the_name_of_the_setting(
    tmp_path: Path, content: str | None
) -> None:
    """What stood in it is not shown."""
    if content is not None:
        (tmp_path / "s").write_text(content)

    with pytest.raises(SettingsError, match="LOGOPS_X: ") as caught:
        read_secret("LOGOPS_X", tmp_path / "s")

    assert "a\x00b" not in str(caught.value)


def test_secrets_are_not_in_what_a_traceback_would_show() -> None:
    """A login may be a local variable of a frame."""
    assert "geheim" not in repr(Login(user="me", password="geheim", token="geheim"))


def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    """With its name."""
    (tmp_path / "ca.pem").write_text("no PEM")

    with pytest.raises(SettingsError, match=r"ca\.pem"):
        Login(ca=tmp_path / "ca.pem").tls_context()
