"""Where the settings come from, kept, so that they can be read again while the daemon runs.

The environment of a process cannot change from outside: what may differ is `.env`, and the files
that settings name.
"""

import datetime
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from logopsd.config.catalogue import Setting
from logopsd.config.loading import Effective, Given, read
from logopsd.config.settings import Settings, describe

SHOWN = 80
"""Characters of a value that the log shows; a list of networks may be longer."""


class Changes(msgspec.Struct, frozen=True):
    """What a second reading brought.

    Attributes:
        effective: the settings to go on with: of those that changed, only such as can do so
            without a restart.
        applied: name -> `old -> new` of these; of a secret that it changed, and no more.
        need_restart: names of the others that changed, and keep their old value.
    """

    effective: Effective
    applied: Mapping[str, str]
    need_restart: tuple[str, ...]

    @property
    def settings(self) -> Settings:
        """The settings to go on with."""
        return self.effective.settings


class Source:
    """The settings, and from where to read them again.

    Args:
        environ: the environment.
        env_file: as in `read`.
        directory: the working directory.

    Attributes:
        effective: what holds now.

    Raises:
        SettingsError: with every problem.
    """

    def __init__(
        self, environ: Mapping[str, str], *, env_file: Path | None = None, directory: Path
    ) -> None:
        self._environ = dict(environ)
        self._env_file = env_file
        self._directory = directory
        self.effective = self._read()

    def reread(self) -> Changes:
        """Read again and compare; nothing holds before `accept`.

        Raises:
            SettingsError: with every problem; the old settings hold.
        """
        return compare(self.effective, self._read())

    def accept(self, changes: Changes) -> None:
        """Have what was read again hold from now on."""
        self.effective = changes.effective

    def _read(self) -> Effective:
        return read(self._environ, env_file=self._env_file, directory=self._directory)


def compare(old: Effective, new: Effective) -> Changes:
    """Tell what differs, and what of it can be taken while the daemon runs."""
    values: dict[str, object] = {}
    given: dict[str, Given] = dict(old.given)
    applied: dict[str, str] = {}
    need_restart: list[str] = []
    for setting in describe():
        name = setting.attribute
        value = getattr(new.settings, name)
        if _same(getattr(old.settings, name), value):
            continue
        if setting.reloadable:
            values[name], given[name] = value, new.given[name]
            applied[setting.name] = _change(setting, old.given[name], new.given[name])
        else:
            need_restart.append(setting.name)
    settings = replace(old.settings, **values)  # type: ignore[arg-type]  # each by its own kind
    return Changes(Effective(settings, given, new.env_file), applied, tuple(need_restart))


def _same(old: object, new: object) -> bool:
    if isinstance(old, datetime.tzinfo):  # one read from a file equals nothing but itself
        return str(old) == str(new)
    return old == new


def _change(setting: Setting, old: Given, new: Given) -> str:
    if setting.secret or old.text == new.text:  # of a file it is the content that changed
        return "changed"
    return f"{_shown(old.text)} -> {_shown(new.text)}"


def _shown(text: str) -> str:
    return (text if len(text) <= SHOWN else text[:SHOWN] + "...") or "(nothing)"
