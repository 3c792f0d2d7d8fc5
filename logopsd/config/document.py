"""`.env.example`, made from the descriptions.

`python -m logopsd.config.document > .env.example` makes it anew.
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


def _shown(need: str) -> str:
    attributes, equals, word = need.partition("=")
    names = (PREFIX + attribute.upper() for attribute in attributes.split("|"))
    return " or ".join(names) + equals + word


if __name__ == "__main__":
    sys.stdout.write(env_example())
