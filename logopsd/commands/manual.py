"""The manual page logopsd(8), made of the parser: `python -m logopsd.commands.manual`.

In the man macros of groff_man(7); what the parser cannot know stands here.
"""

import argparse
import sys
from collections.abc import Iterator
from typing import Final

from logopsd import __version__
from logopsd.commands.completion import commands, options

_NAME: Final = "receives logs of any sender, masks personal data, writes one file a day"

_FILES: Final = (
    (".env", "settings, in the working directory, where --env-file names no other"),
    ("/etc/logopsd/env", "settings of the units for systemd"),
    ("data/ingest/YYYYMMDD.ndjson", "the records of a UTC day; YYYYMMDD-N.ndjson its next pieces"),
    ("data/ingest/YYYYMMDD-wK.ndjson", "the same of worker K, with LOGOPS_WORKERS"),
)

_SIGNALS: Final = (
    ("SIGTERM, SIGINT", "stop: take no more, write what was taken, end"),
    ("SIGHUP", "read the settings again, open the files anew"),
)


def page(parser: argparse.ArgumentParser) -> str:
    """The text of the page.

    Args:
        parser: of the whole command line; its epilog's parts each begin with a line `name:`.
    """
    lines = [
        '.\\" Made by `python -m logopsd.commands.manual`; do not edit.',
        f'.TH LOGOPSD 8 "" "logopsd {__version__}" "System Administration"',
        ".SH NAME",
        f"logopsd \\- {_text(_NAME)}",
        ".SH SYNOPSIS",
        ".B logopsd",
        "[\\fIOPTIONS\\fR] [\\fICOMMAND\\fR [\\fIARGUMENTS\\fR]]",
        ".SH DESCRIPTION",
        _text(parser.description),
        ".SH OPTIONS",
        *_options(parser),
        ".SH COMMANDS",
    ]
    for name, command in commands(parser).items():
        lines += [f".SS {_synopsis(name, command)}", _text(command.description)]
        common = {flag for action in options(parser) for flag in action.option_strings}
        lines += _options(command, without=common)
    for title, body in _epilog(parser.epilog or ""):
        lines += [f".SH {title.upper()}", ".nf", *map(_text, body), ".fi"]
    for title, entries in (("FILES", _FILES), ("SIGNALS", _SIGNALS)):
        lines.append(f".SH {title}")
        for name, text in entries:
            lines += [".TP", f".B {_text(name)}", _text(text)]
    lines += [".SH SEE ALSO", ".BR rsyslogd (8),", ".BR systemd (1),", ".BR journalctl (1)"]
    return "\n".join(lines) + "\n"


def _synopsis(name: str, parser: argparse.ArgumentParser) -> str:
    words = [f"\\fB{name}\\fR"]
    for action in parser._actions:
        if not action.option_strings:
            word = str(action.metavar or action.dest).upper()
            words.append(f"\\fI{word}\\fR{' ...' if action.nargs in ('*', '+') else ''}")
    return " ".join(words)


def _options(
    parser: argparse.ArgumentParser, without: set[str] | frozenset[str] = frozenset()
) -> Iterator[str]:
    for action in options(parser):
        if without.issuperset(action.option_strings):
            continue
        value = ""
        if action.nargs != 0:
            choices = "|".join(map(str, action.choices or ()))
            value = f" \\fI{_text(str(action.metavar or choices))}\\fR"
        flags = ", ".join(f"\\fB{_text(flag)}\\fR" for flag in action.option_strings)
        yield from (".TP", flags + value, _text(action.help))


def _epilog(text: str) -> Iterator[tuple[str, list[str]]]:
    """Its parts: a title, and the lines that are indented below it."""
    for part in text.strip("\n").split("\n\n"):
        title, *body = part.split("\n")
        yield title.rstrip(":"), body


def _text(text: str | None) -> str:
    """Text as roff takes it: no escapes, and no line that begins as a request does."""
    safe = (text or "").replace("%%", "%").replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{safe}" if safe.startswith((".", "'")) else safe


if __name__ == "__main__":
    from logopsd.cli import make_parser

    sys.stdout.write(page(make_parser()))
