"""From the environment and `.env` to `Settings`, or to every problem at once."""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from logopsd.config import rules
from logopsd.config.catalogue import PREFIX, Setting
from logopsd.config.env_file import Entry, read_env_file
from logopsd.config.key_file import CREDENTIAL
from logopsd.config.settings import Settings, describe
from logopsd.config.values import meant
from logopsd.errors import SettingsError
from logopsd.patterns import lazy_pattern

ENVIRONMENT = "environment"
DEFAULT = "default"

NOT_SETTINGS = frozenset({"LOGOPS_E2E"})
"""Names with our prefix that belong to the test suite; the daemon inherits them from it."""

MAX_QUOTED = 24
"""Characters. A longer value is not repeated in a problem; a key put in the wrong place is 44."""

_KNOWN: Mapping[str, Setting] = {setting.name: setting for setting in describe()}

_NAME = lazy_pattern(r"[A-Za-z0-9_.-]{1,48}", re.ASCII)
# `.env` alone may hold names of others, so there near misses of the prefix are ours too.
_NEARLY_OURS = lazy_pattern(r"LOGOP[A-Z]{0,2}[_.-]", re.ASCII | re.IGNORECASE)


class Given(msgspec.Struct, frozen=True):
    """A value as it was given: where (`.env line 3`, `environment`, `default`) and its text."""

    where: str
    text: str


class Effective(msgspec.Struct, frozen=True):
    """The settings, for each attribute where it comes from, and the file that was looked for."""

    settings: Settings
    given: Mapping[str, Given]
    env_file: Path

    def as_environment(self) -> dict[str, str]:
        """Give what is set, as an environment would have it: `load` makes the same settings of it.

        Secrets are among it.
        """
        return {
            setting.name: self.given[setting.attribute].text
            for setting in describe()
            if self.given[setting.attribute].where != DEFAULT
        }


def load(environ: Mapping[str, str], *, env_file: Path | None = None, directory: Path) -> Settings:
    """Read the settings; the environment goes before the file.

    Args:
        environ: the environment.
        env_file: the file, which must then exist; None for `.env` in `directory`, if any.
        directory: the working directory, to which relative paths belong.

    Raises:
        SettingsError: with every problem.
    """
    return read(environ, env_file=env_file, directory=directory).settings


def read(environ: Mapping[str, str], *, env_file: Path | None = None, directory: Path) -> Effective:
    """As `load`, with the source of each setting."""
    described = {setting.attribute: setting for setting in describe()}
    problems: list[str] = []
    given: dict[str, Given] = {}
    path = directory / (env_file or ".env")
    label, entries = _entries(env_file, path, problems)
    _from_file(label, entries, given, problems)
    _from_environment(environ, given, problems)
    _from_credentials(environ, given)

    values: dict[str, object] = {}
    failed: set[str] = set()
    for attribute, setting in described.items():
        effective = given.get(attribute, Given(DEFAULT, setting.default))
        try:
            values[attribute] = _value(setting, effective.text, directory)
        except ValueError as error:
            failed.add(attribute)
            problems.append(_refusal(setting, effective, str(error)))
            values[attribute] = _value(setting, setting.default, directory)
    settings = Settings(**values)  # type: ignore[arg-type]  # each by its own kind

    explicit = frozenset(given)
    for attribute, others, text in rules.broken(settings, described, explicit):
        # A rule about a value that was refused above would only confuse.
        if failed.isdisjoint((attribute, *others)):
            where = given[attribute].where if attribute in given else DEFAULT
            problems.append(f"{where}: {text}")
    if problems:
        raise SettingsError(sorted(problems, key=_by_place))
    defaults = {name: Given(DEFAULT, setting.default) for name, setting in described.items()}
    return Effective(settings, defaults | given, path)


def _entries(env_file: Path | None, path: Path, problems: list[str]) -> tuple[str, list[Entry]]:
    """How the file is called in problems, and what stands in it."""
    label = ascii(str(env_file))[1:-1] if env_file else ".env"
    try:
        found = read_env_file(path)
    except FileNotFoundError:
        if env_file:
            problems.append(f"{label}: there is no such file; mend --env-file")
        return label, []
    problems += [
        f"{label} {problem}" if problem.startswith("line ") else f"{label}: {problem}"
        for problem in found.problems
    ]
    return label, found.entries


def _from_file(
    label: str, entries: list[Entry], given: dict[str, Given], problems: list[str]
) -> None:
    lines: dict[str, int] = {}
    for entry in entries:
        where = f"{label} line {entry.line}"
        if not _NEARLY_OURS.match(entry.name) or entry.name in NOT_SETTINGS:
            continue
        if entry.name not in _KNOWN:
            problems.append(f"{where}: {_unknown(entry.name)}")
        elif entry.value is None:
            problems.append(f"{where}: {entry.name} has no value; write {entry.name}=value")
        elif entry.name in lines:
            first = lines[entry.name]
            problems.append(f"{where}: {entry.name} is set again, first on line {first}; keep one")
        else:
            lines[entry.name] = entry.line
            given[_KNOWN[entry.name].attribute] = Given(where, entry.value.strip())


def _from_environment(
    environ: Mapping[str, str], given: dict[str, Given], problems: list[str]
) -> None:
    for name, text in environ.items():
        if not name.startswith(PREFIX) or name in NOT_SETTINGS:
            continue
        if name in _KNOWN:
            given[_KNOWN[name].attribute] = Given(ENVIRONMENT, text.strip())
        else:
            problems.append(f"{ENVIRONMENT}: {_unknown(name)}")


def _from_credentials(environ: Mapping[str, str], given: dict[str, Given]) -> None:
    """Take the key that systemd hands over, where no other is set (LoadCredential=)."""
    directory = environ.get("CREDENTIALS_DIRECTORY", "")
    if not directory or {"secret_key", "secret_key_file"} & given.keys():
        return
    path = Path(directory) / CREDENTIAL
    if path.exists():
        given["secret_key_file"] = Given(f"credential {CREDENTIAL}", str(path))


def _value(setting: Setting, text: str, directory: Path) -> object:
    """The value of a text; raises ValueError with a hint, or with nothing to add."""
    if not text:
        if setting.default:
            raise ValueError("it is empty; give a value, or remove it")
        return setting.kind.empty
    value = setting.kind.parse(text)
    if not isinstance(value, Path):
        return value
    path = directory / value
    return path if setting.kind.load is None else setting.kind.load(path)


def _refusal(setting: Setting, given: Given, hint: str) -> str:
    """What a value should have been; the value itself only where it cannot be a secret."""
    credentials = "://" in given.text and "@" in given.text
    shown = not setting.secret and not credentials and 0 < len(given.text) <= MAX_QUOTED
    instead = f", not {given.text!a}" if shown else ""
    ending = f"; {hint}" if hint else ""
    return f"{given.where}: {setting.name} takes {setting.kind.accepts}{instead}{ending}"


def _unknown(name: str) -> str:
    """That a name is none of ours.

    Only what can belong to a name is repeated: a `:` for the `=` makes the value a part of it.
    """
    found = _NAME.match(name)
    shown = found[0] if found else ""
    for setting in _KNOWN.values():
        if setting.secret and name.startswith(setting.name):
            shown = setting.name
    cut = "..." if shown != name else ""
    # Without the prefix, which alone would make any name look near to any other.
    bare = re.sub("[.-]", "_", shown.upper()).partition("_")[2]
    near = meant(bare, [known.removeprefix(PREFIX) for known in _KNOWN], PREFIX)
    return f"{shown}{cut} is not a setting; {near or '`logopsd check --print` shows them all'}"


def _by_place(problem: str) -> tuple[str, int]:
    """Sorts by file and line, so that an operator mends from top to bottom."""
    place = problem.split(":", 1)[0]
    label, _, line = place.rpartition(" line ")
    return (label or place, int(line) if line.isdigit() else 0)
