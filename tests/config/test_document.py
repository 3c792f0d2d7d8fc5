"""`.env.example` and the descriptions cannot drift from the settings."""

from pathlib import Path

from logopsd.config import describe, read
from logopsd.config.document import configuration, env_example
from tests.config.helpers import loaded

ROOT = Path(__file__).parents[2]


def test_example_in_the_tree_is_the_one_described() -> None:
    """Made anew by `python -m logopsd.config.document > .env.example`."""
    assert (ROOT / ".env.example").read_text() == env_example()


def test_page_in_the_tree_is_the_one_described() -> None:
    """Made anew by `python -m logopsd.config.document configuration > docs/configuration.md`."""
    assert (ROOT / "docs" / "configuration.md").read_text() == configuration()


def test_page_has_a_row_for_each_setting() -> None:
    """Name, default and all it takes, in a table that stays one."""
    rows = {row.split("`")[1]: row for row in configuration().splitlines() if row[:3] == "| `"}

    assert list(rows) == [setting.name for setting in describe()]
    assert all(row.replace(r"\|", "").count("|") == 5 for row in rows.values())


def test_example_changes_nothing(tmp_path: Path) -> None:
    """Copied as it is, it leaves every default."""
    (tmp_path / ".env").write_text(env_example())
    effective = read({}, directory=tmp_path)

    assert {given.where for given in effective.given.values()} == {"default"}


def test_example_can_be_uncommented() -> None:
    """A line without its # is read as that setting."""
    assert loaded(env_example().replace("#LOGOPS_TCP_PORT=5514", "LOGOPS_TCP_PORT=1")).tcp_port == 1


def test_each_default_of_the_example_can_be_set() -> None:
    """A default that stands there is one that the setting takes."""
    for setting in describe():
        if setting.default:
            setting.kind.parse(setting.default)


def test_no_setting_is_without_effect() -> None:
    """Each is used where the daemon is put together."""
    package = ROOT / "logopsd"
    composing = [*package.glob("*.py"), *(package / "assembly").glob("*.py")]
    composing += (package / "chores").glob("*.py")
    composing += (package / "commands").glob("*.py")
    text = "".join(path.read_text() for path in composing)

    for setting in describe():
        assert f"settings.{setting.attribute}" in text, setting.name


def test_needs_name_settings() -> None:
    """A condition names an attribute that exists."""
    attributes = {setting.attribute for setting in describe()}

    named = {need.partition("=")[0] for each in describe() for need in each.needs}
    assert {name for names in named for name in names.split("|")} <= attributes
