"""`make sim`: prints the tables; with --write, puts them into docs/scale.md."""

import argparse
import re
import sys
from pathlib import Path

from tests.sim.tables import TABLES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"
BLOCK = re.compile(r"(<!-- sim: ([a-z]+) -->\n)(.*?)<!-- /sim -->", re.DOTALL)


def blocks(text: str) -> dict[str, str]:
    """The tables that stand on the page."""
    return {match[2]: match[3].removesuffix("\n") for match in BLOCK.finditer(text)}


def main() -> int:
    """Print or write all tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/scale.md")
    write = parser.parse_args().write
    made = {name: make() for name, make in TABLES.items()}
    if write:
        text = PAGE.read_text()
        PAGE.write_text(BLOCK.sub(lambda match: f"{match[1]}{made[match[2]]}\n<!-- /sim -->", text))
    else:
        print("\n\n".join(f"{name}\n\n{text}" for name, text in made.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
