"""The completions know what the parser knows."""

import subprocess
from pathlib import Path

import pytest

from logopsd.cli import main, make_parser
from logopsd.commands.arguments import SHELLS
from logopsd.commands.completion import SHELLS as SCRIPTS
from logopsd.commands.completion import commands, options, script
from tests.e2e.harness import need

CHECKS = {"bash": ["-n"], "zsh": ["-n"], "fish": ["--no-execute"]}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_takes_its_script(
    shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the command prints it; where the shell is here, it reads it without a word."""
    assert main(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert text == script(shell, make_parser())
    for name, command in commands(make_parser()).items():
        assert name in text
        for action in options(command):
            assert action.option_strings[-1].lstrip("-") in text
    file = tmp_path / "script"
    file.write_text(text)
    done = subprocess.run([need(shell), *CHECKS[shell], file], capture_output=True, check=True)
    assert done.stderr == b""


def test_each_shell_that_is_offered_has_a_script() -> None:
    """And no other."""
    assert set(SHELLS) == set(SCRIPTS)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("logopsd ho", {"housekeep"}),
        ("logopsd tail --le", {"--level"}),
        ("logopsd --env-file x tail --color a", {"auto", "always"}),
        ("logopsd doctor --config sys", {"syslog-ng"}),
        ("logopsd completion z", {"zsh"}),
        ("logopsd tail --grep x", set()),
        ("logopsd decrypt a", {"a file"}),
        ("logopsd nothing", set()),
    ],
)
def test_bash_completes(line: str, expected: set[str], tmp_path: Path) -> None:
    """Commands, options, their values, and files where one is wanted."""
    (tmp_path / "a file").write_text("")
    words = line.split(" ")
    program = (
        f"{script('bash', make_parser())}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}\n"
        '_logopsd\nfor each in "${COMPREPLY[@]}"; do printf \'%s\\n\' "$each"; done'
    )
    done = subprocess.run(
        ["bash", "-c", program], cwd=tmp_path, capture_output=True, check=True, text=True
    )
    assert (set(done.stdout.splitlines()), done.stderr) == (expected, "")
