"""The pages of the commands name all their options."""

import argparse
from pathlib import Path

import pytest

from logopsd.commands import arguments

PAGES = Path(__file__).parents[2] / "docs" / "tools"


@pytest.mark.parametrize("name", ["tail", "doctor"])
def test_the_page_names_every_option(name: str) -> None:
    """Those that the parser takes."""
    parser = argparse.ArgumentParser(add_help=False)
    getattr(arguments, f"add_{name}")(parser)
    page = (PAGES / f"{name}.md").read_text()
    for action in parser._actions:
        assert f"`{action.option_strings[-1]}" in page, action
