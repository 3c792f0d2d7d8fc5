"""Keys in a file, and the one that systemd hands over."""

from pathlib import Path

import pytest

from logopsd.config import Source, read
from logopsd.config.catalogue import RefusedValueError
from logopsd.config.key_file import MAX_BYTES, load_keys
from logopsd.errors import SettingsError

KEY = "WmV0YS1pcy1ub3QtYS1zZWNyZXQtMzItYnl0ZXMtISE="
OLD = "T3RoZXItaXMtbm90LWEtc2VjcmV0LTMyLWJ5dGVzISE="


def written(path: Path, text: str) -> Path:
    """A file of this text."""
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (KEY, (KEY,)),
        (f"{KEY}\n{OLD}\n", (KEY, OLD)),
        (f"\ufeff# of 2026\r\n\r\n  {KEY} \r\n{OLD}\n{KEY}\n", (KEY, OLD)),
    ],
)
def test_one_key_a_line(tmp_path: Path, text: str, keys: tuple[str, ...]) -> None:
    """In order, each once; comments, blank lines and a byte-order mark are passed over."""
    assert load_keys(written(tmp_path / "keys", text)).keys == keys


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there is no key in it"),
        ("# none\n", "there is no key in it"),
        (f"{KEY}\ncanary-{OLD}\n", "line 2 of it is no Fernet key"),
        ("\x00\xff", "line 1 of it is no Fernet key"),
        ("#" * (MAX_BYTES + 1), "longer than"),
    ],
)
def test_what_is_no_file_of_keys(tmp_path: Path, text: str, says: str) -> None:
    """It is refused by its line, without a word of what stands there."""
    with pytest.raises(RefusedValueError, match=says) as refused:
        load_keys(written(tmp_path / "keys", text))

    assert "canary" not in str(refused.value)


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    """The reason is that of the system."""
    with pytest.raises(RefusedValueError, match="No such file"):
        load_keys(tmp_path / "none")
    with pytest.raises(RefusedValueError, match="Is a directory"):
        load_keys(tmp_path)


def test_setting_names_the_file(tmp_path: Path) -> None:
    """Its keys are those of the settings, found from the working directory, and never shown."""
    written(tmp_path / "keys", f"{KEY}\n{OLD}\n")
    environ = {"LOGOPS_SECRET_KEY_FILE": "keys", "LOGOPS_ENCRYPT_PII": "true"}
    settings = read(environ, directory=tmp_path).settings

    assert settings.keys == (KEY, OLD)
    assert KEY not in repr(settings)


def test_credential_is_the_default(tmp_path: Path) -> None:
    """Where systemd hands one over and no key is set; the source says so."""
    written(tmp_path / "logopsd.key", KEY)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    effective = read(environ, directory=tmp_path)
    assert effective.settings.keys == (KEY,)
    assert effective.given["secret_key_file"].where == "credential logopsd.key"

    assert read(environ | {"LOGOPS_SECRET_KEY": OLD}, directory=tmp_path).settings.keys == (OLD,)
    (tmp_path / "logopsd.key").unlink()
    assert read(environ, directory=tmp_path).settings.keys == ()


def test_two_sources_of_keys_are_refused(tmp_path: Path) -> None:
    """Which of them is meant cannot be told."""
    written(tmp_path / "keys", KEY)
    with pytest.raises(SettingsError, match="are both set"):
        read(
            {"LOGOPS_SECRET_KEY_FILE": "keys", "LOGOPS_SECRET_KEY": OLD},
            directory=tmp_path,
        )


def test_encryption_needs_a_key_from_either(tmp_path: Path) -> None:
    """A file that cannot be read is the one problem told, not also that there is no key."""
    environ = {"LOGOPS_SECRET_KEY_FILE": "none", "LOGOPS_ENCRYPT_PII": "true"}
    with pytest.raises(SettingsError) as refused:
        read(environ, directory=tmp_path)

    (problem,) = refused.value.problems
    assert "LOGOPS_SECRET_KEY_FILE takes a path" in problem


def test_changed_file_is_a_change(tmp_path: Path) -> None:
    """SIGHUP takes a new key, and the log says no more than that."""
    path = written(tmp_path / "keys", OLD)
    source = Source({"LOGOPS_SECRET_KEY_FILE": "keys"}, directory=tmp_path)
    written(path, f"{KEY}\n{OLD}\n")
    changes = source.reread()

    assert changes.applied == {"LOGOPS_SECRET_KEY_FILE": "changed"}
    assert changes.settings.keys == (KEY, OLD)
