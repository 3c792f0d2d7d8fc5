"""The shell blocks of a page that are marked as runnable, and how they are run.

A block is marked by a comment before it: `<!-- runnable -->`, or `<!-- runnable: daemon -->` where
a daemon is to run beside it. More lines in the comment are commands to run first, which a reader
has no need of. Lines of a block that begin with `$ ` are commands and the others what they print;
a block without such lines is commands alone.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

_BLOCK = re.compile(
    r"^<!-- runnable(?P<daemon>: daemon)?(?P<first>(?:\n.*?)?) ?-->\n"
    r"```(?:sh)?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


@dataclass(frozen=True)
class Step:
    """A command, and the lines that the page shows of what it prints."""

    command: str
    shown: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Block:
    """A block: whether a daemon is to run, and its steps."""

    daemon: bool
    steps: list[Step]


def blocks(page: Path) -> list[Block]:
    """Return the runnable blocks of a page, in order."""
    found = []
    for match in _BLOCK.finditer(page.read_text()):
        first = [Step(match["first"])] if match["first"].strip() else []
        found.append(Block(match["daemon"] is not None, first + _steps(match["text"])))
    return found


def _steps(text: str) -> list[Step]:
    if not text.startswith("$ "):
        return [Step(text)]
    steps: list[Step] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            steps.append(Step(line[2:]))
        elif steps[-1].command.endswith("\\"):
            steps[-1] = Step(f"{steps[-1].command}\n{line}")
        elif line:
            steps[-1].shown.append(line)
    return steps


def lacks(shown: list[str], printed: str) -> str | None:
    """Return the first line shown that was not printed, in this order; times may differ."""
    lines = iter([_STAMP.sub("TIME", line.rstrip("\r")) for line in printed.splitlines()])
    for line in shown:
        wanted = _STAMP.sub("TIME", line)
        if wanted not in lines:
            return line
    return None
