"""Completion for bash, zsh and fish, made of the parser, so that it knows what the parser knows."""

import argparse
import shlex
from collections.abc import Callable, Iterator
from typing import Final

PROGRAM: Final = "logopsd"

_FILES: Final = ("FILE",)
"""Metavars that stand for a file."""


def script(shell: str, parser: argparse.ArgumentParser) -> str:
    """The text for a shell to read.

    Args:
        shell: one of SHELLS.
        parser: of the whole command line.
    """
    return SHELLS[shell](parser)


def commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands that a parser has, by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """The options of a parser, `--help` first."""
    return [action for action in parser._actions if action.option_strings]


def _takes_value(action: argparse.Action) -> bool:
    return action.nargs != 0


def _choices(action: argparse.Action) -> list[str]:
    return [str(choice) for choice in action.choices or ()]


def _positional(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if not action.option_strings]


def _wants_file(parser: argparse.ArgumentParser) -> bool:
    return any(action.metavar in _FILES for action in _positional(parser))


def _all(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    yield "", parser
    yield from commands(parser).items()


def _bash(parser: argparse.ArgumentParser) -> str:
    names = " ".join(commands(parser))
    values, words = [], []
    for name, each in _all(parser):
        flags: list[str] = []
        for action in options(each):
            flags += action.option_strings
            if _takes_value(action):
                pattern = "|".join(f"{name}:{flag}" for flag in action.option_strings)
                values.append(f"        {pattern}) {_bash_reply(action)} return ;;")
        words.append(f'        {name}:-*) reply=$(compgen -W "{" ".join(flags)}" -- "$cur") ;;')
        plain = [choice for action in _positional(each) for choice in _choices(action)]
        if plain:
            words.append(f'        {name}:*) reply=$(compgen -W "{" ".join(plain)}" -- "$cur") ;;')
        elif _wants_file(each):
            words.append(f"        {name}:*) _logopsd_files ;;")
    return "\n".join(
        [
            "# bash completion for logopsd; source it, or put it below",
            "# /usr/share/bash-completion/completions/logopsd",
            "_logopsd_files() {",
            "    compopt -o filenames 2> /dev/null",
            '    mapfile -t COMPREPLY < <(compgen -f -- "$cur")',
            "}",
            "_logopsd() {",
            "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}",
            "    local command= reply= word",
            '    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
            f"        case $word in {names.replace(' ', '|')}) command=$word; break ;; esac",
            "    done",
            "    COMPREPLY=()",
            "    case $command:$prev in",
            *values,
            "    esac",
            "    case $command:$cur in",
            *words,
            "    esac",
            '    [ -z "$reply" ] || mapfile -t COMPREPLY <<< "$reply"',
            "}",
            "complete -F _logopsd logopsd",
            "",
        ]
    )


def _bash_reply(action: argparse.Action) -> str:
    if action.choices:
        words = " ".join(_choices(action))
        return f'mapfile -t COMPREPLY < <(compgen -W "{words}" -- "$cur");'
    return "_logopsd_files;" if action.metavar in _FILES else ""


def _zsh(parser: argparse.ArgumentParser) -> str:
    lines = [
        "#compdef logopsd",
        "# zsh completion for logopsd; put it as _logopsd into a directory of $fpath",
        "_logopsd() {",
        "    local curcontext=$curcontext state line",
        "    local -a commands",
        "    commands=(",
    ]
    for name, each in commands(parser).items():
        lines.append(f"        {shlex.quote(f'{name}:{_sentence(each.description)}')}")
    lines += ["    )", "    _arguments -C \\"]
    lines += [f"        {spec} \\" for spec in _zsh_specs(parser)]
    lines += [
        "        '1: :->command' '*:: :->argument'",
        "    case $state in",
        "    command) _describe command commands ;;",
        "    argument)",
        "        case $words[1] in",
    ]
    for name, each in commands(parser).items():
        lines.append(f"        {name})")
        specs = " \\\n                ".join([*_zsh_specs(each), *_zsh_rest(each)])
        lines.append(f"            _arguments {specs} ;;")
    return "\n".join([*lines, "        esac ;;", "    esac", "}", '_logopsd "$@"', ""])


def _zsh_specs(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in options(parser):
        help = _sentence(action.help).replace("[", "(").replace("]", ")").replace(":", "\\:")
        for flag in action.option_strings:
            spec = f"{flag}[{help}]"
            if _takes_value(action):
                spec += f":{(action.metavar or 'value')}:{_zsh_values(action)}"
            yield shlex.quote(spec)


def _zsh_values(action: argparse.Action) -> str:
    if action.choices:
        return f"({' '.join(_choices(action))})"
    return "_files" if action.metavar in _FILES else " "


def _zsh_rest(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in _positional(parser):
        if action.choices:
            yield shlex.quote(f"1:{action.dest}:({' '.join(_choices(action))})")
    if _wants_file(parser):
        yield "'*:file:_files'"


def _fish(parser: argparse.ArgumentParser) -> str:
    names = " ".join(commands(parser))
    lines = [
        "# fish completion for logopsd; put it as logopsd.fish into ~/.config/fish/completions",
        "complete -c logopsd -f",
    ]
    for name, each in _all(parser):
        when = (
            f"__fish_seen_subcommand_from {name}"
            if name
            else f"not __fish_seen_subcommand_from {names}"
        )
        condition = f"complete -c logopsd -n {shlex.quote(when)}"
        for action in options(each):
            flags = " ".join(
                f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}"
                for flag in action.option_strings
            )
            lines.append(f"{condition} {flags}{_fish_value(action)} -d {_fish_text(action.help)}")
        if not name:
            for word, command in commands(parser).items():
                lines.append(f"{condition} -a {word} -d {_fish_text(command.description)}")
        given = filter(None, map(_choices, _positional(each) if name else ()))
        lines += [f"{condition} -a {shlex.quote(' '.join(words))}" for words in given]
        if name and _wants_file(each):
            lines.append(f"{condition} -F")
    return "\n".join([*lines, ""])


def _fish_value(action: argparse.Action) -> str:
    if not _takes_value(action):
        return ""
    if action.choices:
        return f" -x -a {shlex.quote(' '.join(_choices(action)))}"
    return " -r -F" if action.metavar in _FILES else " -x"


def _fish_text(text: str | None) -> str:
    escaped = _sentence(text).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _sentence(text: str | None) -> str:
    """The first sentence: menus have a line for each."""
    return (text or "").partition(". ")[0].rstrip(".").replace("%%", "%")


SHELLS: Final[dict[str, Callable[[argparse.ArgumentParser], str]]] = {
    "bash": _bash,
    "zsh": _zsh,
    "fish": _fish,
}
"""Shell -> makes its text."""
