"""The manual page says what the parser takes."""

import subprocess
from pathlib import Path

from logopsd.cli import make_parser
from logopsd.commands.completion import commands, options
from logopsd.commands.manual import page
from tests.e2e.harness import need

PAGE = Path(__file__).parents[2] / "docs" / "man" / "logopsd.8"


def test_the_page_is_that_of_the_parser() -> None:
    """`python -m logopsd.commands.manual > docs/man/logopsd.8` makes it anew."""
    assert PAGE.read_text() == page(make_parser())


def test_every_command_and_option_is_on_it() -> None:
    """With its name as one types it."""
    text = PAGE.read_text().replace("\\-", "-")
    for name, command in commands(make_parser()).items():
        assert f".SS \\fB{name}\\fR" in text
        for action in options(command):
            assert f"\\fB{action.option_strings[-1]}\\fR" in text


def test_groff_has_nothing_to_say_about_it() -> None:
    """With all its warnings on."""
    done = subprocess.run(
        [need("groff"), "-man", "-ww", "-Tutf8", "-z", str(PAGE)], capture_output=True, check=True
    )
    assert done.stderr == b""
