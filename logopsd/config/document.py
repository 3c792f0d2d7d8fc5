"""`.env.example` and `docs/configuration.md`, made from the descriptions.

`python -m logopsd.config.document > .env.example` and
`python -m logopsd.config.document configuration > docs/configuration.md` make them anew.
"""

import sys
import textwrap
from collections.abc import Iterator
from itertools import groupby

from logopsd.config.catalogue import PREFIX, Setting
from logopsd.config.settings import describe

_HEAD = """\
# Settings of logopsd. Copy this file to .env in the directory where the daemon starts, and take
# the # off the lines to change. The environment goes before this file; `logopsd check` says
# whether all is well. Values are taken as they stand: a $ is a $.
"""

_PAGE_HEAD = """\
# Configuration

Made from `logopsd/config/settings.py` by `python -m logopsd.config.document configuration`.

Every setting comes from the environment or from a file of lines `NAME=value`: `.env` in the
directory where the daemon starts, or the one that `--env-file` names. The environment goes before
the file. With no settings at all the daemon runs: on loopback only, masking on, encryption off,
files below `./data/ingest`. [`.env.example`](../.env.example) holds the same as a file to copy.

An unknown `LOGOPS_` name, a value that is not taken, and an option that would have no effect are
refused at start, all at once, each with its line and its mend; the exit status is 78.
`logopsd check` says the same without starting, `logopsd check --print` shows what is in force and
where it comes from. Values are taken as they stand: a `$` is a `$`. Paths are relative to the
directory where the daemon starts.

**SIGHUP** in the last column: `systemctl reload logopsd` (SIGHUP) brings a new value into effect;
all others take a restart.
"""

_WIDTH = 100


def env_example() -> str:
    """The text of a `.env` in which each setting stands at its default, commented out."""
    parts = [_HEAD]
    for group, settings in groupby(describe(), key=lambda setting: setting.group):
        parts.append(f"\n## {group}\n")
        parts += [line + "\n" for setting in settings for line in ("", *_lines(setting))]
    return "".join(parts)


def _lines(setting: Setting) -> Iterator[str]:
    sentence = f"{setting.help} Takes {setting.kind.accepts}."
    if setting.needs:
        sentence += f" Only with {', '.join(map(_shown, setting.needs))}."
    if setting.reloadable:
        sentence += " SIGHUP takes a new value."
    for line in textwrap.wrap(sentence, _WIDTH - 2, break_long_words=False, break_on_hyphens=False):
        yield f"# {line}"
    yield f"#{setting.name}={setting.default}"


def configuration() -> str:
    """The page of all settings, a table for each group."""
    parts = [_PAGE_HEAD]
    for group, settings in groupby(describe(), key=lambda setting: setting.group):
        parts.append(f"\n## {group}\n\n| name | default | what | |\n|---|---|---|---|\n")
        parts += [_row(setting) for setting in settings]
    return "".join(parts)


def _row(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else ""
    sentence = f"{setting.help} Takes {setting.kind.accepts}."
    if setting.needs:
        sentence += f" Only with {', '.join(f'`{_shown(need)}`' for need in setting.needs)}."
        sentence = sentence.replace(" or LOGOPS_", "` or `LOGOPS_")
    sentence = sentence.replace("|", "\\|")
    return f"| `{setting.name}` | {default} | {sentence} | {'SIGHUP' * setting.reloadable} |\n"


def _shown(need: str) -> str:
    attributes, equals, word = need.partition("=")
    names = (PREFIX + attribute.upper() for attribute in attributes.split("|"))
    return " or ".join(names) + equals + word


if __name__ == "__main__":
    sys.stdout.write(configuration() if sys.argv[1:] == ["configuration"] else env_example())
